package customer_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kartotek/internal/customer"
)

func TestWordsFindNames(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		first, last string
		found       string // words that find the customer, between commas
		lost        string // words that do not
	}{
		"German":                 {"Jürgen", "Groß-Müller", "muller,mueller,MÜLLER,gross,groß,groß-mü,gross-muller,jur,juer,mül jür", "mullerr,üller,ross,ürgen"},
		"Norwegian":              {"Åse Bjørg", "Sæther", "åse,ase,aase,bjorg,bjoerg,BJØRG,saether,sæth", "se,aether"},
		"Danish":                 {"Søren", "Kierkegaard", "soren,soeren,søren kierke", "oren"},
		"Czech":                  {"Jiří", "Dvořák", "jiri,dvorak,dvořák,Dvor jiř", "rak"},
		"Polish":                 {"Łukasz", "Żółw", "lukasz,zolw", "olw"},
		"Belgian":                {"Élodie", "D'Hondt-Lefèvre", "d'hondt,dhondt,hondt,d’hon,lefevre,elodie", "ondt"},
		"Dutch":                  {"Jan", "van den Berg", "van,den,berg,van den berg,berg jan", "vanden"},
		"Irish":                  {"Pat", "O’Brien", "o'brien,obrien,brien,o brien,o´brien", "rien"},
		"Icelandic":              {"Þór", "Guðmundsson", "thor,gudmund", "hor"},
		"Turkish":                {"Işıl", "İnönü", "isil,inonu,inoenue", "nonu"},
		"French":                 {"Jean-Pierre", "Cœur", "jean,pierre,jean-p,pierre coeur", "ierre"},
		"Greek":                  {"Γιώργος", "Παπαδόπουλος", "γιωργ,ΠΑΠΑΔΟΠΟΥΛΟΣ,παπαδοπουλοσ,γιωργος", "giorgos"},
		"a company":              {"", "N.V. Peeters 3M", "n.v.,peeters,3m,n v", "m"},
		"a half-width letter":    {"Ｋａｒｉ", "Nord", "kari", "ari"},
		"a name of one letter":   {"", "Ø", "o,ø,oe", "x"},
		"dots are for an e-mail": {"Kari", "Nord", "kari nord,kari.", "kari.nord,kari@nord"},
	}
	for name, tt := range tests {
		c := customer.Customer{Number: 7, FirstName: tt.first, LastName: tt.last}
		for words := range strings.SplitSeq(tt.found, ",") {
			if !(customer.Query{Words: words}).Matches(c) {
				t.Errorf("%s: %q does not find %s %s", name, words, tt.first, tt.last)
			}
		}
		for words := range strings.SplitSeq(tt.lost, ",") {
			if (customer.Query{Words: words}).Matches(c) {
				t.Errorf("%s: %q finds %s %s", name, words, tt.first, tt.last)
			}
		}
	}
}

func TestPhonesAreFoundInAnyNotation(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		phone, country, locale string
		found, lost            string
	}{
		"Norway":                   {"22 33 44 55", "NO", "", "22334455,22 33 44 55,+47 22334455,0047 22 33 44 55,4455,3344,(47) 2233", "445,55 44,+46 22334455"},
		"Norway, dialled abroad":   {"+47 22 33 44 55", "", "", "22334455,0047 22334455,4722", "2244"},
		"Belgium":                  {"0470/12.34.56", "BE", "", "0470123456,+32 470 12 34 56,0032470123456,470 12,0470/12.34.56,3456", "047"},
		"Belgium, by its language": {"0470/12.34.56", "", "nl-BE", "+32470123456,0470 123", "4712 3"},
		"Germany":                  {"030 1234567", "DE", "", "030 1234567,+49 30 1234567,+49 (0)30 1234567,004930 1234567,1234567", "0301 1234"},
		"Germany, with both":       {"+49 (0)30 123-4567", "DE", "", "0301234567,+49 30 1234567,+49 (0)30 1234567", "+49 31"},
		"Germany, with a zero":     {"+49 030 1234567", "DE", "", "0301234567,+49301234567,49030123", "+4931"},
		"Czechia":                  {"601 234 567", "CZ", "", "+420 601234567,601234567,420601", "0602"},
		"Italy keeps its zero":     {"06 1234567", "IT", "", "+39 06 1234567,061234567", "+3961"},
		"Hungary":                  {"06 1 234 5678", "HU", "", "+36 1 234 5678,0612345678,06 1 234", "+3606"},
		"no country":               {"030 1234567", "", "", "030 1234567,301234", "+49 30 1234567"},
		"an emergency":             {"112", "NO", "", "+47 112,47112", "112 112"},
	}
	for name, tt := range tests {
		c := customer.Customer{Number: 7, LastName: "N", Phone: tt.phone, Locale: tt.locale}
		c.Address.Country = tt.country
		mobile := c
		mobile.Phone, mobile.Mobile = "", c.Phone
		for _, c := range []customer.Customer{c, mobile} {
			for digits := range strings.SplitSeq(tt.found, ",") {
				if !(customer.Query{Words: digits}).Matches(c) || !(customer.Query{Phone: digits}).Matches(c) {
					t.Errorf("%s: %q does not find %s", name, digits, tt.phone)
				}
			}
			for digits := range strings.SplitSeq(tt.lost, ",") {
				if (customer.Query{Words: digits}).Matches(c) {
					t.Errorf("%s: %q finds %s", name, digits, tt.phone)
				}
			}
		}
	}
}

// Whatever notation a phone is written in, the digits that stand there find it.
func TestPhonesAreFoundAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := customer.Customer{Phone: rapid.StringMatching(`(\+|00|0|06|8|1|)[0-9 ()./-]{6,14}[0-9]{4}`).Draw(t, "phone")}
		c.Address.Country = rapid.SampledFrom([]string{"", "NO", "BE", "DE", "CZ", "IT", "HU", "LT", "US", "KZ"}).Draw(t, "country")
		for _, digits := range []string{c.Phone, c.Phone[len(c.Phone)-4:]} {
			term := customer.Query{Phone: digits}.Terms()[0]
			if !term.Holds(customer.KeysOf(c), 0) || !term.Matches(c) {
				t.Errorf("%q does not find %q, whose key is %q", digits, c.Phone, customer.PhoneKey(c))
			}
		}
	})
}

func TestQueriesNarrow(t *testing.T) {
	t.Parallel()
	c := full() // Augusta Lovelace, augusta@example.com, 9000 Gent
	c.Address.PostalCode = "SW1A 1aa"
	tests := map[string]struct {
		query customer.Query
		want  bool
	}{
		"nothing is asked":                {customer.Query{}, true},
		"blanks ask nothing":              {customer.Query{Words: " - ", Name: " ", Email: " ", Phone: " ", PostalCode: " "}, true},
		"every word must match":           {customer.Query{Words: "augusta nobody"}, false},
		"words of all kinds":              {customer.Query{Words: "7 love augusta@ 99 88 77 sw1a1AA"}, true},
		"an e-mail in capitals":           {customer.Query{Words: "AUGUSTA@EXAMPLE.com"}, true},
		"the middle of an e-mail":         {customer.Query{Words: "example.com"}, false},
		"an e-mail is no name":            {customer.Query{Name: "augusta@example"}, false},
		"a number":                        {customer.Query{Words: "7"}, true},
		"another number":                  {customer.Query{Words: "8"}, false},
		"a number with zeros":             {customer.Query{Words: "07"}, false},
		"a postal code with a space":      {customer.Query{Words: "sw1a 1aa"}, true},
		"a postal code and its neighbour": {customer.Query{Words: "lovelace SW1A 1AA augusta"}, true},
		"half a postal code":              {customer.Query{Words: "sw1a"}, false},
		"three digits of a phone":         {customer.Query{Words: "887"}, false},
		"three digits in the field":       {customer.Query{Phone: "887"}, true},
		"no digits in the field":          {customer.Query{Phone: "none"}, false},
		"the field of the number":         {customer.Query{Number: 7}, true},
		"another in the field":            {customer.Query{Number: 8}, false},
		"the field of the postal code":    {customer.Query{PostalCode: "sw1A1 AA"}, true},
		"all fields":                      {customer.Query{Name: "ada lov", Email: "augusta@"}, false},
		"confirmed since":                 {customer.Query{ConfirmedBefore: c.ConfirmedAt}, false},
		"confirmed before":                {customer.Query{ConfirmedBefore: c.ConfirmedAt.Add(1)}, true},
	}
	for name, tt := range tests {
		if got := tt.query.Matches(c); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
	c.ConfirmedAt = time.Time{}
	if !(customer.Query{ConfirmedBefore: noon}).Matches(c) {
		t.Error("a customer who never confirmed is not found")
	}
}

func TestPositionsAreInOrder(t *testing.T) {
	t.Parallel()
	order := []customer.Position{
		{},
		{ID: "a"},
		{ID: "b"},
		{FirstName: "a", ID: "a"},
		{LastName: "a", ID: "b"},
		{LastName: "a", FirstName: "a", ID: "a"},
		{LastName: "aa"},
	}
	for i, p := range order {
		for j, other := range order {
			if got := p.Compare(other); got != compare(i, j) {
				t.Errorf("%d with %d: got %d", i, j, got)
			}
			if got := p.Next().Compare(other); i != 0 && (got > 0) != (i >= j) {
				t.Errorf("after %d with %d: got %d", i, j, got)
			}
		}
	}
}

func compare(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// TestKeysOfAVersionNeverChange holds what stores may have on their disks. When it
// fails, raise KeysVersion, so that they make the keys anew.
func TestKeysOfAVersionNeverChange(t *testing.T) {
	t.Parallel()
	c := full()
	c.FirstName, c.LastName, c.Phone = "Åse-Marie", "O’Brien Groß", "02/555 12 34"
	got := fmt.Sprintf("%d %+v", customer.KeysVersion, struct{ customer.Keys }{customer.KeysOf(c)})
	want := "1 {Keys:{LastName:obrien gross FirstName:ase marie Words:ase marie aase obrien gross brien" +
		" Email:augusta@example.com PostalCode:9000 Phone:3225551234 Mobile:32470998877}}"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Every change that moves a key says so.
func TestChangesTellWhichKeysTheyMove(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, _ := drawPatch(t, false)
		c := full()
		c.Phone, c.Mobile = "02 555 12 34", "0470 99 88 77" // wherever the customer lives
		before := born(t, c)
		ch, err := customer.Apply(before, kari, p.Apply)
		if err != nil {
			t.Skip(err)
		}
		was, is := customer.KeysOf(ch.Before), customer.KeysOf(ch.After)
		if was.Phone != is.Phone && !ch.MovesPhone() || was.Mobile != is.Mobile && !ch.MovesMobile() {
			t.Errorf("%+v: got no move of a phone", ch.Diff())
		}
		was.Phone, was.Mobile = is.Phone, is.Mobile
		if was != is && !ch.MovesKeys() {
			t.Errorf("%+v: got no move of a key", ch.Diff())
		}
	})
}
