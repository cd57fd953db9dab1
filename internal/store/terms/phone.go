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
	minDigits  = 4  // that find a phone by its end
	keptDigits = 8  // at the end of a phone that the index is read by
	minNumber  = 7  // digits of a phone beside another one
	maxNumber  = 15 // digits of a phone (E.164)
)

const figures = "0123456789+()./- " // the characters of an ordinary phone

var (
	extension = regexp.MustCompile(`(?i)[\s;]*(?:ext\w*|x|#)[\s.:=]*\d{1,7}\b`)
	vanity    = regexp.MustCompile(`^[+(]?\d[\d ().-]*-[A-Za-z]{4,}$`)
)

// betweenPhones puts a semicolon where another number begins.
var betweenPhones = strings.NewReplacer(" - ", ";", "+", ";+")

// plainPhone returns a text without extensions, with digits for the letters of 1-800-FLOWERS.
func plainPhone(text string) string {
	text = clean(text)
	if strings.Trim(text, figures) == "" {
		return text
	}
	text = extension.ReplaceAllString(text, "")
	if vanity.MatchString(text) {
		text = phonenumbers.ConvertAlphaCharactersInNumber(text)
	}
	return text
}

// phonesIn returns the phones in a text, each as digits, with a + before those of an
// international number.
func phonesIn(text string) (out []string) {
	for _, part := range strings.FieldsFunc(betweenPhones.Replace(plainPhone(text)), func(r rune) bool { return !strings.ContainsRune(figures, r) }) {
		for _, number := range splitNumbers(part) {
			plus := ""
			if strings.HasPrefix(number, "+") {
				plus, number = "+", strings.Replace(number, "(0)", "", 1)
			}
			if number = digits(number); number != "" {
				out = append(out, plus+number)
			}
		}
	}
	return out
}

// splitNumbers splits a text where another number seems to begin: at a slash or, when there are
// too many digits for one number, at a space.
func splitNumbers(text string) (out []string) {
	tooMany := len(digits(text)) > maxNumber
	start, count := 0, 0
	for i, r := range text {
		switch {
		case '0' <= r && r <= '9':
			count++
		case count >= minNumber && (r == '/' || r == ' ' && tooMany):
			out, start, count = append(out, text[start:i]), i, 0
		}
	}
	return append(out, text[start:])
}

func digits(text string) string { return phonenumbers.NormalizeDigitsOnly(text) }

func reversed(text string) string {
	b := []byte(text)
	slices.Reverse(b)
	return string(b)
}

func phoneTerms(phones [2]string) (terms []string) {
	for _, number := range phonesOf(phones) {
		terms = append(terms, phone+reversed(digits(number)))
	}
	return terms
}

func phonesOf(phones [2]string) []string { return append(phonesIn(phones[0]), phonesIn(phones[1])...) }

// lastDigits returns the end of a number that is compared when its country is not known.
func lastDigits(number string) string {
	number = strings.TrimLeft(number, "+0")
	return number[max(0, len(number)-keptDigits):]
}

// phoneAlternatives returns how a number is looked up: by the last digits of its readings, unless
// it is shorter. With whole, its last digits are not enough.
func phoneAlternatives(number, region string, whole bool) (out []alternative) {
	plain := digits(number)
	if len(plain) < minDigits {
		return []alternative{{Range: exactly(phone + reversed(plain))}}
	}
	check := func(c customer.Customer) bool { return hasPhone(c, number, region, whole) }
	ends := []string{plain[max(0, len(plain)-keptDigits):]}
	for _, key := range typedKeys(number, region) {
		if end := lastDigits(key); len(plain) >= minNumber && len(end) >= minDigits {
			ends = append(ends, end)
		}
	}
	slices.Sort(ends)
	for _, end := range slices.Compact(ends) {
		out = append(out, alternative{Range: startingWith(phone + reversed(end)), check: check})
	}
	return out
}

// hasPhone reports whether the customer has a number, typed in any notation, or one that ends
// in its digits unless it must be whole. region is that of a customer without a country.
func hasPhone(c customer.Customer, typed, region string, whole bool) bool {
	region = cmp.Or(c.Address.Country, region)
	return slices.ContainsFunc(phonesOf([2]string{c.Phone, c.Mobile}), func(stored string) bool {
		if stored == typed || !whole && strings.HasSuffix(stored, digits(typed)) {
			return true
		}
		parsed := parsePhone(stored, region)
		if parsed == nil {
			return slices.Contains(typedKeys(typed, region), lastDigits(stored))
		}
		home := phonenumbers.GetRegionCodeForCountryCode(int(parsed.GetCountryCode()))
		key := phonenumbers.Format(parsed, phonenumbers.E164)
		if !strings.HasPrefix(stored, "+") && !phonenumbers.IsValidNumber(parsed) { // perhaps of another country
			key = phonenumbers.GetNationalSignificantNumber(parsed)
		}
		return slices.Contains(typedKeys(typed, region, home), key)
	})
}

// typedKeys returns what a number can mean: its last digits, then each reading as an
// international and as a national number.
func typedKeys(number string, regions ...string) []string {
	keys := []string{lastDigits(number)}
	readings := []*phonenumbers.PhoneNumber{parsePhone("+"+digits(number), "")}
	for _, region := range regions {
		readings = append(readings, parsePhone(number, region))
	}
	for _, r := range readings {
		if r != nil && phonenumbers.IsPossibleNumber(r) {
			keys = append(keys, phonenumbers.Format(r, phonenumbers.E164), phonenumbers.GetNationalSignificantNumber(r))
		}
	}
	return keys
}

// parsePhone returns nil for a number whose country is not known.
func parsePhone(number, region string) *phonenumbers.PhoneNumber {
	if abroad, ok := strings.CutPrefix(number, "00"); ok && region == "" {
		number = "+" + abroad
	}
	parsed, err := phonenumbers.Parse(number, region)
	if err != nil {
		return nil
	}
	return parsed
}

// IsRegion reports whether a country code of ISO 3166-1 has phones.
func IsRegion(code string) bool { return phonenumbers.GetSupportedRegions()[code] }
