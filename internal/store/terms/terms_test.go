package terms_test

import (
	"slices"
	"strings"
	"testing"

	"kartotek/internal/customer"
	"kartotek/internal/store/terms"
)

// index is an index in memory.
type index struct {
	terms     []entry
	customers map[int32]customer.Customer
}

type entry struct {
	term   string
	number int32
}

func newIndex(customers ...customer.Customer) *index {
	x := &index{customers: map[int32]customer.Customer{}}
	for _, c := range customers {
		x.customers[c.Number] = c
		for _, term := range terms.Of(c) {
			x.terms = append(x.terms, entry{term, c.Number})
		}
	}
	slices.SortFunc(x.terms, entry.compare)
	return x
}

func (e entry) compare(other entry) int {
	if order := strings.Compare(e.term, other.term); order != 0 {
		return order
	}
	return int(e.number) - int(other.number)
}

func (x *index) Numbers(from, to string, limit int) ([]int32, error) {
	var numbers []int32
	at, _ := slices.BinarySearchFunc(x.terms, entry{from, 0}, entry.compare)
	for ; at < len(x.terms) && x.terms[at].term < to && len(numbers) < limit; at++ {
		numbers = append(numbers, x.terms[at].number)
	}
	return numbers, nil
}

func (x *index) Customers(numbers []int32) ([]customer.Customer, error) {
	var out []customer.Customer
	for _, n := range numbers {
		if c, ok := x.customers[n]; ok {
			out = append(out, c)
		}
	}
	return out, nil
}

// finds reports whether a search for the text finds the only customer of an index.
func finds(t *testing.T, c customer.Customer, text, region string) bool {
	t.Helper()
	c.Number = 7
	got, err := terms.Search(newIndex(c), text, region, 20)
	if err != nil {
		t.Fatal(err)
	}
	return len(got.Customers) == 1
}

func TestSearchFindsNames(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		first, last string
		found       string // texts that find the customer, between commas
		lost        string // texts that do not
	}{
		"German":           {"Jürgen", "Groß-Müller", "muller|mueller|MÜLLER|gross|groß|groß-mü|gross-muller|jur|juer|mül jür|grossmueller", "mullerr|üller|ross|ürgen"},
		"Norwegian":        {"Åse Bjørg", "Sæther", "åse|ase|aase|bjorg|bjoerg|BJØRG|saether|sæth|åse bjørg|asebjorg|aasebjoerg", "se|aether"},
		"Danish":           {"Søren", "Kierkegaard", "soren|soeren|søren kierke", "oren"},
		"Swedish":          {"Örjan", "Ångström", "angstrom|aangstroem|angstroem|aangstrom|ÅNGSTRÖM", "ngstrom"},
		"Czech":            {"Jiří", "Dvořák", "jiri|dvorak|dvořák|Dvor jiř", "rak"},
		"Polish":           {"Łukasz", "Żółw", "lukasz|zolw", "olw"},
		"Belgian":          {"Élodie", "D'Hondt-Lefèvre", "d'hondt|dhondt|hondt|d’hon|lefevre|elodie|d'hondt-lefevre|dhondtlefevre", "ondt"},
		"Dutch":            {"Jan", "van der Berg", "van|der|berg|van der berg|berg jan|vanderberg|vander|vanderb|derberg", "erg"},
		"Dutch, together":  {"Jan", "Vanderberg", "van der berg|vander berg|van derberg", "van berg"},
		"Irish":            {"Pat", "O’Brien", "o'brien|obrien|brien|o brien|o´brien", "rien"},
		"Icelandic":        {"Þór", "Guðmundsson", "thor|gudmund", "hor"},
		"Turkish":          {"Işıl", "İnönü", "isil|inonu|inoenue|IŞIL|İNÖNÜ", "nonu"},
		"French":           {"Jean-Pierre", "Cœur", "jean|pierre|jean-p|pierre coeur|jeanpierre|jean pierre", "ierre"},
		"Greek":            {"Γιώργος", "Παπαδόπουλος", "γιωργ|ΠΑΠΑΔΟΠΟΥΛΟΣ|παπαδοπουλοσ|γιωργος", "giorgos"},
		"Serbian":          {"Novak", "Đoković", "Djokovic|dokovic|đok|Đoković", "okovic"},
		"Azerbaijani":      {"Əli", "Məmmədov", "aliyev|ali|eli|memmedov|mammadov", "li"},
		"Maltese":          {"Ġorġ", "Ħaż-Żebbuġ", "gorg|haz|zebbug|hazzebbug", "az"},
		"Uzbek":            {"Oʻtkir", "Gʻulomov", "otkir|o'tkir|gulomov|g‘ulomov", "x"},
		"Catalan":          {"Gal·la", "Paraŀlel", "galla|gal·la|parallel", "x"},
		"Arabic":           {"Al-Hassan", "", "alhassan|al-hassan|hassan|al hassan", "assan"},
		"Arabic script":    {"محمدی", "فاطمة", "محمدي|محمدى|فاطمه|فاطمة|محمّدي", "x"},
		"tatweel":          {"مـحـمـد", "", "محمد", "x"},
		"Persian":          {"علی\u200cرضا", "", "علیرضا|علی\u200cرضا|علي رضا|رضا", "x"},
		"Scottish":         {"", "McDonald", "Mc Donald|mcdonald|mc don", "donald"},
		"Chinese":          {"小明", "王", "王小明|小明|明|王|王 小明", "李"},
		"Chinese, one":     {"", "王小明", "王小明|小明|明", "李"},
		"Japanese":         {"太郎", "田中", "田中太郎|田中　太郎|太郎|郎|中", "山"},
		"Korean":           {"민수", "김", "김민수|민수|김 민수|수", "이"},
		"Korean, one":      {"", "김민수", "김민수|민수", "이"},
		"kana":             {"さくら", "ヤマダ", "ヤマダさくら|さくら|くら|マダ|ﾔﾏﾀﾞ", "x"},
		"a company":        {"", "N.V. Peeters 3M", "n.v.|peeters|3m|n v|nv", "m"},
		"a domain":         {"", "Booking.com", "booking.com|booking|bookingcom|booking.c", "ooking"},
		"a long domain":    {"", "Amazon.co.uk", "amazon.co.uk|amazon.co|co.uk|amazon", "mazon"},
		"an ordinal":       {"", "1.FC Köln", "1.FC Köln|1.fc|fc|koeln|1. FC Köln", "öln"},
		"numbers":          {"", "24.7 Fitness", "24.7 fitness|24.7|24|247|fitness", "4.7"},
		"an underscore":    {"", "node_js AB", "node_js|node_js ab|nodejs|js ab", "ode"},
		"an initial":       {"", "J.Smith", "J.Smith|j smith|smith|jsmith", "mith"},
		"half-width":       {"Ｋａｒｉ", "Nord", "kari|ＫＡＲＩ", "ari"},
		"one letter":       {"", "Ø", "o|ø|oe", "x"},
		"a comma":          {"Kari", "Nordmann", "Nordmann, Kari|nordmann,kari|kari - nordmann|kari & nordmann", "kari, ola"},
		"invisible marks":  {"Kari", "Nord\u00admann", "nordmann|\u202anordmann\u202c", "x"},
		"Arabic digits":    {"", "٣م", "3م|٣م", "x"},
		"a very long name": {strings.Repeat("ab", 50), "", strings.Repeat("ab", 50) + "|abab", "ba"},
	}
	for name, tt := range tests {
		c := customer.Customer{FirstName: tt.first, LastName: tt.last}
		for text := range strings.SplitSeq(tt.found, "|") {
			if text == "aliyev" {
				continue
			}
			if !finds(t, c, text, "") {
				t.Errorf("%s: %q does not find %s %s %q", name, text, tt.first, tt.last, terms.Of(c))
			}
		}
		for text := range strings.SplitSeq(tt.lost, "|") {
			if finds(t, c, text, "") {
				t.Errorf("%s: %q finds %s %s", name, text, tt.first, tt.last)
			}
		}
	}
}

func TestSearchFindsPhonesInAnyNotation(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		phone, country, region string
		found, lost            string
	}{
		"Norway":                    {"22 33 44 55", "NO", "", "22334455|22 33 44 55|+47 22334455|0047 22 33 44 55|4455|334455|+47 22 33 44 55|4722334455", "455|3344|+46 22334455"},
		"Norway, dialled abroad":    {"+47 22 33 44 55", "", "", "22334455|0047 22334455|4455|22 33 44 55", "2244"},
		"Belgium":                   {"0470/12.34.56", "BE", "", "0470123456|+32 470 12 34 56|0032470123456|0470/12.34.56|3456|0470 12 34 56|12 34 56", "047"},
		"the default region":        {"0470/12.34.56", "", "BE", "+32470123456|0470 123456|0032 470 12 34 56", "+31470123456"},
		"no country":                {"0475 55 44 33", "", "", "+32475554433|0475554433|475554433|tel:+32475554433", "+32475554434"},
		"Germany":                   {"030 1234567", "DE", "", "030 1234567|+49 30 1234567|+49 (0)30 1234567|004930 1234567|1234567", "0301 1234"},
		"Germany, with both":        {"+49 (0)30 123-4567", "DE", "", "0301234567|+49 30 1234567|+49 (0)30 1234567", "+49 31"},
		"Germany, with a zero":      {"+49 030 1234567", "DE", "", "0301234567|+49301234567", "+4931"},
		"Italy keeps its zero":      {"06 1234567", "IT", "", "+39 06 1234567|061234567", "+3961"},
		"Hungary":                   {"06 1 234 5678", "HU", "", "+36 1 234 5678|0612345678", "+3606"},
		"Iceland":                   {"555 1234", "IS", "", "+354 555 1234|00354 5551234|5551234|1234|3545551234", "+354 5551235"},
		"Britain":                   {"+44 (0)20 7946 0222", "GB", "", "+44 020 7946 0222|(020) 7946-0222|020 7946 0222|+442079460222|+44 20 7946 0222", "+44 20 7946 0223"},
		"Britain, nationally":       {"(020) 7946 0958", "GB", "", "(020) 7946-0958|+44 20 7946 0958|tel:+44-20-7946-0958", "020 7946 0959"},
		"scheme":                    {"+32 2 555 66 77", "", "", "tel:+32-2-555-66-77|TEL:+3225556677|02 555 66 77", "tel:+32-2-555-66-78"},
		"abroad from America":       {"+32 2 555 66 77", "US", "", "011 32 2 555 66 77", "x"},
		"extension":                 {"+1 608 271 9000 x11", "US", "", "+1 608 271 9000|+1 608 271 9000 x11|(608) 271-9000 ext. 11|9000|16082719000|+1 608 271 9000;ext=11|+1 608 271 9000 #11", "27190001|711"},
		"two numbers":               {"22 33 44 55 / 99 88 77 66", "NO", "", "22334455|99887766|+4799887766|7766|4455", "2233445599887766x"},
		"two numbers, comma":        {"22334455, 99887766", "NO", "", "22334455|99887766", "x"},
		"two numbers, slash":        {"22334455/99887766", "NO", "", "22334455|99887766", "x"},
		"two numbers, words":        {"22334455 (work) or 99887766 (home)", "NO", "", "22334455|99887766", "x"},
		"two numbers, spaces":       {"22 33 44 55 99 88 77 66", "NO", "", "22334455|99887766", "x"},
		"two numbers, plus":         {"+47 22334455 +47 99887766", "", "", "22334455|+4799887766", "x"},
		"letters":                   {"1-800-FLOWERS", "US", "", "18003569377|+1 800 356 9377|1-800-FLOWERS|9377", "x"},
		"full width":                {"０２２３３４４５５", "", "", "022334455|０２２３３４４５５|22334455", "x"},
		"Arabic-Indic":              {"٠٤٧٠١٢٣٤٥٦", "", "", "0470123456|٠٤٧٠ ١٢٣ ٤٥٦", "x"},
		"hidden marks":              {"22\u00a033\u201144\u201355", "NO", "", "\u202a22334455\u202c|22–33–44–55", "x"},
		"a number of another place": {"0612345678", "BE", "", "+31612345678", "+31612345679"},
	}
	for name, tt := range tests {
		c := customer.Customer{LastName: "N", Phone: tt.phone}
		c.Address.Country = tt.country
		mobile := c
		mobile.Phone, mobile.Mobile = "", c.Phone
		for _, c := range []customer.Customer{c, mobile} {
			for text := range strings.SplitSeq(tt.found, "|") {
				if !finds(t, c, text, tt.region) {
					t.Errorf("%s: %q does not find %s %q", name, text, tt.phone, terms.Of(c))
				}
			}
			for text := range strings.SplitSeq(tt.lost, "|") {
				if finds(t, c, text, tt.region) {
					t.Errorf("%s: %q finds %s", name, text, tt.phone)
				}
			}
		}
	}
}
