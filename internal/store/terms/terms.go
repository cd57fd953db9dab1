// Package terms is the search of customers: which terms an index keeps for a customer, and
// how a search or a list reads that index. All engines share it, so that they return the
// same customers.
//
// Read terms.go for the terms of a customer, fold.go and phone.go for names and phones,
// words.go for the words of a search, then search.go and list.go.
package terms

import (
	"regexp"
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
	postalCode = "p" // the letters and digits of the postal code
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
	address := emailKey(c.Email)
	add(name, nameTerms(c.FirstName, c.LastName)...)
	add(email, address)
	add(domain, address[strings.LastIndexByte(address, '@')+1:])
	add(postalCode, postalKeys(c.Address.PostalCode)...)
	for _, number := range phonesOf(c) {
		add(phone, reversed(digits(number)))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Diff returns the terms that a change adds and removes. before may be the zero Customer.
func Diff(before, after customer.Customer) (added, removed []string) {
	fields := func(c customer.Customer) [6]string {
		return [6]string{c.FirstName, c.LastName, c.Email, c.Phone, c.Mobile, c.Address.PostalCode}
	}
	if fields(before) == fields(after) {
		return nil, nil
	}
	old, current := Of(before), Of(after)
	return without(current, old), without(old, current)
}

// without returns the terms of a that are not in b, which is sorted.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(term string) bool {
		_, found := slices.BinarySearch(b, term)
		return found
	})
}

// emailKey returns an e-mail address, or a part of one, as it is compared: in lower case, the
// domain in Unicode.
func emailKey(text string) string {
	text = strings.ToLower(text)
	at := strings.LastIndexByte(text, '@') + 1
	if unicoded, err := idna.ToUnicode(text[at:]); err == nil && strings.Contains(text[at:], "xn--") {
		return text[:at] + unicoded
	}
	return text
}

var (
	afterCountry = regexp.MustCompile(`^\pL+(\d+)$`)      // the code of SE-123 45
	shortZIP     = regexp.MustCompile(`^(\d{5})-?\d{4}$`) // the code of 12345-6789
)

// postalKeys returns a postal code as it is compared, letters in lower case and digits, then
// the ways in which it is also written.
func postalKeys(code string) []string {
	key := strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(asciiDigit(r))
	}, code)
	for _, other := range []*regexp.Regexp{afterCountry, shortZIP} {
		if m := other.FindStringSubmatch(key); m != nil {
			return []string{key, m[1]}
		}
	}
	return []string{key}
}
