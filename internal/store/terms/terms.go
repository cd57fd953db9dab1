// Package terms is the search of customers: which terms an index keeps for a customer, and
// how a search or a list reads that index. All engines share it, so that they return the
// same customers.
//
// Read terms.go for the terms of a customer, fold.go and phone.go for names and phones,
// words.go for the words of a search, then search.go; list.go has the filters of lists.
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

// searchedFields returns the fields that have terms, together with those they share terms with.
func searchedFields(c customer.Customer) [4][2]string {
	return [4][2]string{{c.FirstName, c.LastName}, {c.Email}, {c.Address.PostalCode}, {c.Phone, c.Mobile}}
}

// fieldTerms return the terms of each result of searchedFields.
var fieldTerms = [4]func([2]string) []string{nameTerms, emailTerms, postalTerms, phoneTerms}

// Of returns the index terms of a customer, sorted, without repetition.
func Of(c customer.Customer) []string {
	var all []string
	for i, fields := range searchedFields(c) {
		all = append(all, fieldTerms[i](fields)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Diff returns the terms that a change adds and removes. before may be the zero Customer.
func Diff(before, after customer.Customer) (added, removed []string) {
	old, current := searchedFields(before), searchedFields(after)
	for i, terms := range fieldTerms {
		if old[i] != current[i] {
			was, is := terms(old[i]), terms(current[i])
			added, removed = append(added, without(is, was)...), append(removed, without(was, is)...)
		}
	}
	return added, removed
}

// without returns the terms of a that are not in b, without repetition.
func without(a, b []string) []string {
	a = slices.DeleteFunc(slices.Clone(a), func(term string) bool { return slices.Contains(b, term) })
	slices.Sort(a)
	return slices.Compact(a)
}

// withKind returns terms of a kind, but no empty one.
func withKind(kind string, texts ...string) (terms []string) {
	for _, text := range texts {
		if text != "" {
			terms = append(terms, kind+text)
		}
	}
	return terms
}

func emailTerms(fields [2]string) []string {
	address := emailKey(fields[0])
	return append(withKind(email, address), withKind(domain, address[strings.LastIndexByte(address, '@')+1:])...)
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

func postalTerms(fields [2]string) []string {
	return withKind(postalCode, postalKeys(clean(fields[0]))...)
}

// shortPostalCode finds the code of SE-123 45 and that of 12345-6789.
var shortPostalCode = regexp.MustCompile(`^(?:\pL+(\d+)|(\d{5})\d{4})$`)

// postalKeys returns a cleaned postal code as it is compared, letters in lower case and digits,
// then as it is also written.
func postalKeys(code string) []string {
	key := strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, code)
	if m := shortPostalCode.FindStringSubmatch(key); m != nil {
		return []string{key, m[1] + m[2]}
	}
	return []string{key}
}
