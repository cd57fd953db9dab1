package terms

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"kartotek/internal/customer"
)

const (
	minDigits  = 4 // that find a phone by its end
	keptDigits = 8 // at the end of a phone that the index is read by
	minNumber  = 7 // digits of a phone beside another one
)

const figures = "0123456789+()./- " // the characters of an ordinary phone

var (
	extension  = regexp.MustCompile(`(?i)[\s;]*(?:ext\w*|x|#)[\s.:=]*\d{1,7}\b`)
	vanity     = regexp.MustCompile(`^[+(]?\d[\d ().-]*-[A-Za-z]{4,}$`)
	twoNumbers = regexp.MustCompile(`((?:\d[ ().-]*){7,})/|((?:\d[ ().-]*?){8,}?) ((?:\d[ ().-]*){8,})`)
	separators = strings.NewReplacer("(0)", "", " - ", ";", "+", ";+")
)

// plainPhone returns a text without extensions, with digits for the letters of 1-800-FLOWERS.
func plainPhone(text string) string {
	if text = clean(text); isFigures(text) {
		return text
	}
	text = extension.ReplaceAllString(text, "")
	if vanity.MatchString(text) {
		text = phonenumbers.ConvertAlphaCharactersInNumber(text)
	}
	return text
}

func isFigures(text string) bool { return strings.Trim(text, figures) == "" }

// phonesIn returns the phones in a text, each as digits, with a + before those of an
// international number.
func phonesIn(text string) (out []string) {
	text = separators.Replace(plainPhone(text))
	if len(digits(text)) >= 2*minNumber {
		text = twoNumbers.ReplaceAllString(text, "$1$2;$3")
	}
	for _, number := range strings.FieldsFunc(text, func(r rune) bool { return !strings.ContainsRune(figures, r) }) {
		switch d := digits(number); {
		case d == "":
		case number[0] == '+':
			out = append(out, "+"+d)
		default:
			out = append(out, d)
		}
	}
	return out
}

func digits(text string) string { return phonenumbers.NormalizeDigitsOnly(text) }

func phoneTerms(phones [2]string) (terms []string) {
	for _, number := range append(phonesIn(phones[0]), phonesIn(phones[1])...) {
		terms = append(terms, phone+reversed(digits(number)))
	}
	return terms
}

func reversed(text string) string {
	b := []byte(text)
	slices.Reverse(b)
	return string(b)
}

// phoneAlternatives returns how a number is looked up: by the last digits of each reading. With
// whole, the last digits are not enough to match.
func phoneAlternatives(number, region string, whole bool) (out []alternative) {
	plain := digits(number)
	if len(plain) < minDigits {
		return []alternative{exactly(phone + reversed(plain))}
	}
	in := map[[2]string][]string{} // the readings in the regions of customers
	readingsIn := func(region, home string) []string {
		if in[[2]string{region, home}] == nil {
			in[[2]string{region, home}] = readings(number, region, home)
		}
		return in[[2]string{region, home}]
	}
	for _, reading := range readings(number, region) {
		a := startingWith(phone + reversed(lastDigits(reading)))
		a.check = func(c customer.Customer) bool { return hasPhone(c, number, region, whole, readingsIn) }
		out = append(out, a)
	}
	return out
}

// hasPhone reports whether the customer has a number, typed in any notation, or one that ends
// in its digits unless it must be whole. region is that of a customer without a country.
// readingsIn returns the readings of the typed number.
func hasPhone(c customer.Customer, typed, region string, whole bool, readingsIn func(region, home string) []string) bool {
	region = cmp.Or(c.Address.Country, region)
	return slices.ContainsFunc(append(phonesIn(c.Phone), phonesIn(c.Mobile)...), func(stored string) bool {
		if stored == typed || !whole && strings.HasSuffix(stored, digits(typed)) {
			return true
		}
		parsed, err := parsePhone(stored, region)
		if err != nil {
			return slices.Contains(readingsIn(region, region), lastDigits(stored))
		}
		key := phonenumbers.GetNationalSignificantNumber(parsed)
		if stored[0] == '+' || phonenumbers.IsValidNumber(parsed) { // in this country
			key = phonenumbers.Format(parsed, phonenumbers.E164)
		}
		home := phonenumbers.GetRegionCodeForCountryCode(int(parsed.GetCountryCode()))
		return slices.Contains(readingsIn(region, home), key)
	})
}

// readings returns what a number can mean: its last digits and, in each region and with a country
// code, the international and the national number.
func readings(number string, regions ...string) []string {
	out, plain := []string{lastDigits(number)}, digits(number)
	if len(plain) < minNumber {
		return out
	}
	for i, region := range append(regions, "") {
		if i == len(regions) {
			number = "+" + plain
		}
		if parsed, err := parsePhone(number, region); err == nil && phonenumbers.IsPossibleNumber(parsed) {
			out = append(out, phonenumbers.Format(parsed, phonenumbers.E164), phonenumbers.GetNationalSignificantNumber(parsed))
		}
	}
	return out
}

// lastDigits returns the end of a number that is compared when its country is not known.
func lastDigits(number string) string {
	number = digits(number)
	number = number[max(0, len(number)-keptDigits):]
	for len(number) > minDigits && number[0] == '0' {
		number = number[1:]
	}
	return number
}

func parsePhone(number, region string) (*phonenumbers.PhoneNumber, error) {
	if abroad, ok := strings.CutPrefix(number, "00"); ok && region == "" {
		number = "+" + abroad
	}
	return phonenumbers.Parse(number, region)
}

// IsRegion reports whether a country code of ISO 3166-1 has phones.
func IsRegion(code string) bool { return phonenumbers.GetSupportedRegions()[code] }
