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

// groups are the fields of a customer that are searched, with the terms of each. No term is in two
// groups.
var groups = []struct {
	fields func(customer.Customer) [2]string
	terms  func([2]string) []string
}{
	{
		func(c customer.Customer) [2]string { return [2]string{c.FirstName, c.LastName} },
		func(names [2]string) []string { return termsOf(name, nameTerms(names[0], names[1])) },
	},
	{
		func(c customer.Customer) [2]string { return [2]string{c.Email} },
		func(fields [2]string) []string {
			address := emailKey(fields[0])
			host := address[strings.LastIndexByte(address, '@')+1:]
			return append(termsOf(email, []string{address}), termsOf(domain, []string{host})...)
		},
	},
	{
		func(c customer.Customer) [2]string { return [2]string{c.Address.PostalCode} },
		func(fields [2]string) []string { return termsOf(postalCode, postalKeys(fields[0])) },
	},
	{
		func(c customer.Customer) [2]string { return [2]string{c.Phone, c.Mobile} },
		func(phones [2]string) []string {
			var keys []string
			for _, number := range phonesOf(phones) {
				keys = append(keys, reversed(digits(number)))
			}
			return termsOf(phone, keys)
		},
	},
}

// termsOf returns the terms of a kind, without an empty one.
func termsOf(kind string, texts []string) (terms []string) {
	for _, text := range texts {
		if text != "" {
			terms = append(terms, kind+text)
		}
	}
	return terms
}

// Of returns the index terms of a customer, sorted, without repetition.
func Of(c customer.Customer) []string {
	var all []string
	for _, g := range groups {
		all = append(all, g.terms(g.fields(c))...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Diff returns the terms that a change adds and removes. before may be the zero Customer.
func Diff(before, after customer.Customer) (added, removed []string) {
	var old, current []string
	for _, g := range groups {
		if was, is := g.fields(before), g.fields(after); was != is {
			old, current = append(old, g.terms(was)...), append(current, g.terms(is)...)
		}
	}
	return without(current, old), without(old, current)
}

// without returns the terms of a that are not in b, without repetition.
func without(a, b []string) []string {
	slices.Sort(a)
	return slices.DeleteFunc(slices.Compact(slices.Clone(a)), func(term string) bool { return slices.Contains(b, term) })
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
