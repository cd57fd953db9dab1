// Package terms is the search of customers: which terms an index keeps for a customer, and
// how a search or a list reads that index. All engines share it, so that they return the
// same customers.
//
// Read terms.go for the terms of a customer, search.go for a search and list.go for a list;
// then words.go, fold.go and phone.go for words, names and phones.
package terms

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/idna"

	"kartotek/internal/customer"
)

// The kinds of term. The kind is the first byte of a term.
const (
	name       = "n" // a word of the name, folded
	email      = "e" // the e-mail address
	domain     = "d" // the domain of the e-mail address
	postalCode = "p" // the postal code, letters and digits alone
	phone      = "t" // the digits of a phone, from the last to the first
)

// Of returns the index terms of a customer, sorted, without repetition.
func Of(c customer.Customer) []string {
	var all []string
	add := func(kind string, texts ...string) {
		for _, text := range texts {
			if text != "" {
				all = append(all, kind+text)
			}
		}
	}
	add(name, nameTerms(c.FirstName, c.LastName)...)
	if c.Email != "" {
		address := emailKey(c.Email)
		add(email, address)
		add(domain, address[strings.LastIndexByte(address, '@')+1:])
	}
	code := postalKey(c.Address.PostalCode)
	add(postalCode, code, withoutCountry(code), withoutExtraDigits(c.Address.PostalCode))
	for _, number := range append(phonesIn(c.Phone), phonesIn(c.Mobile)...) {
		add(phone, reversed(digits(number)))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Diff returns the terms that a change adds and removes. before may be the zero Customer.
func Diff(before, after customer.Customer) (added, removed []string) {
	if before.FirstName == after.FirstName && before.LastName == after.LastName &&
		before.Email == after.Email && before.Phone == after.Phone && before.Mobile == after.Mobile &&
		before.Address.PostalCode == after.Address.PostalCode {
		return nil, nil
	}
	old, current := Of(before), Of(after)
	return without(current, old), without(old, current)
}

// without returns the terms of a that are not in b; both are sorted.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(term string) bool {
		_, found := slices.BinarySearch(b, term)
		return found
	})
}

// emailKey is an e-mail address, or the start of one, in the form that is compared: in
// lower case, the domain in Unicode.
func emailKey(text string) string {
	text = strings.ToLower(text)
	if at := strings.LastIndexByte(text, '@') + 1; strings.Contains(text[at:], "xn--") {
		if unicoded, err := idna.ToUnicode(text[at:]); err == nil {
			return text[:at] + unicoded
		}
	}
	return text
}

// postalKey is a postal code in the form that is compared: letters in lower case and digits.
func postalKey(code string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(asciiDigit(r))
		}
		return -1
	}, code)
}

// withoutCountry is the key of a postal code of digits without the letters of a country in
// front of it, as in SE-123 45; it is empty for other codes.
func withoutCountry(key string) string {
	rest := strings.TrimLeftFunc(key, unicode.IsLetter)
	if len(rest) == len(key) || strings.Trim(rest, "0123456789") != "" {
		return ""
	}
	return rest
}

// withoutExtraDigits is the 5 digits that a postal code of the form 12345-6789 begins with;
// it is empty for other codes.
func withoutExtraDigits(code string) string {
	short, extra, _ := strings.Cut(code, "-")
	if len(short) != 5 || len(extra) != 4 || strings.Trim(short+extra, "0123456789") != "" {
		return ""
	}
	return short
}
