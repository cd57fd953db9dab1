package terms

import (
	"regexp"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"kartotek/internal/customer"
)

const (
	minDigits   = 4  // that find a phone by its end
	keptDigits  = 8  // at the end of a phone, that the index is read by
	wholeNumber = 7  // the fewest digits that are taken for a number beside another one
	maxNumber   = 15 // digits of one number, at most (E.164)
)

var (
	extension = regexp.MustCompile(`(?i)((?:\d[\s().-]*){6,})(?:;?\s*ext(?:ension|n)?[.:=\s]*|x[.\s]*|#\s*)\d{1,7}`)
	vanity    = regexp.MustCompile(`^[+(]?\d[\d ().-]*-[A-Za-z]{4,}$`)
	separator = regexp.MustCompile(`[^\d+()./\s-]+`)
)

// phonesIn returns the numbers in a phone field, each as digits with a + before those of an
// international one. Extensions are left out.
func phonesIn(field string) []string {
	if field == "" {
		return nil
	}
	field = extension.ReplaceAllString(clean(field), "$1")
	if vanity.MatchString(field) {
		field = phonenumbers.ConvertAlphaCharactersInNumber(field)
	}
	var out []string
	for _, part := range separator.Split(strings.ReplaceAll(field, " - ", " / "), -1) {
		for _, number := range splitNumbers(part) {
			plain := digits(number)
			if strings.HasPrefix(strings.TrimLeft(number, " (/"), "+") {
				plain = "+" + digits(strings.Replace(number, "(0)", "", 1))
			}
			if digits(plain) != "" {
				out = append(out, plain)
			}
		}
	}
	return out
}

// splitNumbers splits a text where another number seems to begin: at a + or a slash, or at a
// space when there are too many digits for one number.
func splitNumbers(text string) []string {
	total := len(digits(text))
	before, at, balance := 0, 0, total
	for i, r := range text {
		after := total - before
		splits := r == '+' || r == '/' || r == ' ' && total > maxNumber
		if splits && before >= wholeNumber && after >= wholeNumber && abs(before-after) < balance {
			at, balance = i, abs(before-after)
		}
		if '0' <= r && r <= '9' {
			before++
		}
	}
	if at == 0 {
		return []string{text}
	}
	return append(splitNumbers(text[:at]), splitNumbers(text[at:])...)
}

func abs(n int) int { return max(n, -n) }

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

// phoneAlternatives returns how the index is read for a number: by the last digits of the
// ways to write it.
func phoneAlternatives(number, region string, whole bool) []alternative {
	plain := digits(number)
	if len(plain) < minDigits {
		return []alternative{{Range: exactly(phone + reversed(plain)), phone: number, whole: true}}
	}
	spellings := []string{plain, strings.TrimLeft(plain, "0")}
	for _, text := range []string{number, "+" + plain} {
		if _, national, ok := parsePhone(text, region); ok {
			spellings = append(spellings, national)
		}
	}
	var out []alternative
	for i, s := range spellings {
		if s == "" || slices.Contains(spellings[:i], s) {
			continue
		}
		r := startingWith(phone + reversed(last(s)))
		if !slices.ContainsFunc(out, func(a alternative) bool { return a.Range == r }) {
			out = append(out, alternative{Range: r, phone: number, whole: whole})
		}
	}
	return out
}

func last(digits string) string { return digits[max(0, len(digits)-keptDigits):] }

// hasPhone reports whether a number, or the end of one unless it must be whole, is the
// customer's. region is that of a customer without an address.
func hasPhone(c customer.Customer, number, region string, whole bool) bool {
	plain := digits(number)
	if c.Address.Country != "" {
		region = c.Address.Country
	}
	return slices.ContainsFunc(append(phonesIn(c.Phone), phonesIn(c.Mobile)...), func(stored string) bool {
		return !whole && len(plain) >= minDigits && strings.HasSuffix(stored, plain) ||
			stored == number || samePhone(stored, number, region)
	})
}

// samePhone reports whether two numbers are the same: by country and national number when
// the stored one can be read, else by their last digits.
func samePhone(stored, number, region string) bool {
	country, national, ok := parsePhone(stored, region)
	if !ok {
		_, dialled, ok := parsePhone(number, region)
		if !ok {
			dialled = number
		}
		return last(strings.TrimLeft(digits(stored), "0")) == last(strings.TrimLeft(dialled, "0"))
	}
	certain := strings.HasPrefix(stored, "+") || isValid(stored, region)
	readings := [][2]string{{number, region}, {"+" + digits(number), ""}}
	if home := phonenumbers.GetRegionCodeForCountryCode(country); home != region {
		readings = append(readings, [2]string{number, home})
	}
	return slices.ContainsFunc(readings, func(r [2]string) bool {
		otherCountry, other, ok := parsePhone(r[0], r[1])
		return ok && other == national && (otherCountry == country || !certain)
	})
}

// parsePhone returns the country code and the national significant number. A number without
// a country cannot be read without a region.
func parsePhone(number, region string) (country int, national string, ok bool) {
	if abroad, ok := strings.CutPrefix(number, "00"); ok && region == "" {
		number = "+" + abroad
	}
	parsed, err := phonenumbers.Parse(number, region)
	if err != nil {
		return 0, "", false
	}
	return int(parsed.GetCountryCode()), phonenumbers.GetNationalSignificantNumber(parsed), true
}

func isValid(number, region string) bool {
	parsed, err := phonenumbers.Parse(number, region)
	return err == nil && phonenumbers.IsValidNumber(parsed)
}

// IsRegion reports whether a country code of ISO 3166-1 has phones.
func IsRegion(code string) bool { return phonenumbers.GetSupportedRegions()[code] }
