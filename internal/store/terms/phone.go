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

var (
	extension = regexp.MustCompile(`(?i)((?:\d[\s().-]*){6,})(?:;?\s*ext(?:ension|n)?[.:=\s]*|x[.\s]*|#\s*)\d{1,7}`)
	vanity    = regexp.MustCompile(`^[+(]?\d[\d ().-]*-[A-Za-z]{4,}$`)
	separator = regexp.MustCompile(`[^\d+()./\s-]+`)
)

func phonesOf(fields [2]string) []string { return append(phonesIn(fields[0]), phonesIn(fields[1])...) }

// phonesIn returns the phones in a text without their extensions, each as digits, with a +
// before those of an international number.
func phonesIn(text string) (out []string) {
	text = clean(text)
	if strings.Trim(text, "0123456789+-/(). ") != "" {
		text = extension.ReplaceAllString(text, "$1")
		if vanity.MatchString(text) {
			text = phonenumbers.ConvertAlphaCharactersInNumber(text)
		}
	}
	for _, part := range separator.Split(strings.ReplaceAll(text, " - ", " / "), -1) {
		for _, number := range splitNumbers(part) {
			plus := ""
			if strings.HasPrefix(strings.TrimLeft(number, " (/"), "+") {
				plus, number = "+", strings.Replace(number, "(0)", "", 1)
			}
			if number = digits(number); number != "" {
				out = append(out, plus+number)
			}
		}
	}
	return out
}

// splitNumbers splits a text where another number seems to begin: at a + or a slash, or at a
// space when there are too many digits for one number.
func splitNumbers(text string) (out []string) {
	start, before, after := 0, 0, len(digits(text))
	tooMany := after > maxNumber
	for i, r := range text {
		if before >= minNumber && after >= minNumber && (r == '+' || r == '/' || r == ' ' && tooMany) {
			out, start, before = append(out, text[start:i]), i, 0
		}
		if '0' <= r && r <= '9' {
			before, after = before+1, after-1
		}
	}
	return append(out, text[start:])
}

func digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

func reversed(text string) string {
	b := []byte(text)
	slices.Reverse(b)
	return string(b)
}

// lastDigits returns the end of a number that the index is read by.
func lastDigits(number string) string { return number[max(0, len(number)-keptDigits):] }

// phoneAlternatives returns how a number is looked up: by its last digits as typed, without
// leading zeros, and as dialled within its country.
func phoneAlternatives(number, region string, whole bool) (out []alternative) {
	plain := digits(number)
	if len(plain) < minDigits {
		return []alternative{{Range: exactly(phone + reversed(plain)), phone: number, whole: true}}
	}
	ends := []string{lastDigits(plain), lastDigits(strings.TrimLeft(plain, "0"))}
	for _, text := range []string{number, "+" + plain} {
		if parsed := parsePhone(text, region); parsed != nil {
			ends = append(ends, lastDigits(national(parsed)))
		}
	}
	slices.Sort(ends)
	for _, end := range slices.Compact(ends) {
		if end != "" {
			out = append(out, alternative{Range: startingWith(phone + reversed(end)), phone: number, whole: whole})
		}
	}
	return out
}

// hasPhone reports whether the customer has a number, typed in any notation, or one that ends
// in its digits unless it must be whole. region is that of a customer without a country.
func hasPhone(c customer.Customer, typed, region string, whole bool) bool {
	end, region := digits(typed), cmp.Or(c.Address.Country, region)
	return slices.ContainsFunc(phonesOf([2]string{c.Phone, c.Mobile}), func(stored string) bool {
		return !whole && len(end) >= minDigits && strings.HasSuffix(stored, end) ||
			stored == typed || samePhone(stored, typed, region)
	})
}

// samePhone compares numbers by country and national number when the country of the stored
// one is known, else by their last digits.
func samePhone(stored, typed, region string) bool {
	s := parsePhone(stored, region)
	if s == nil {
		if t := parsePhone(typed, region); t != nil {
			typed = national(t)
		}
		return lastDigits(strings.TrimLeft(digits(stored), "0")) == lastDigits(strings.TrimLeft(digits(typed), "0"))
	}
	home := phonenumbers.GetRegionCodeForCountryCode(int(s.GetCountryCode()))
	certain := strings.HasPrefix(stored, "+") || phonenumbers.IsValidNumber(s) // in this country
	for _, reading := range [][2]string{{typed, region}, {typed, home}, {"+" + digits(typed), ""}} {
		t := parsePhone(reading[0], reading[1])
		if t != nil && national(t) == national(s) && (t.GetCountryCode() == s.GetCountryCode() || !certain) {
			return true
		}
	}
	return false
}

func national(n *phonenumbers.PhoneNumber) string {
	return phonenumbers.GetNationalSignificantNumber(n)
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
