package customer

import (
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MinDigits is how many digits of a phone a word of a query needs.
const MinDigits = 4

// Term is one condition of a query, in the form of Keys. It holds for a customer
// when any of its parts does.
type Term struct {
	Name        []string // all of them starts of words of the name
	Email       string   // the start of the e-mail address
	Number      int32
	Phones      []string // any of these digits, anywhere in a phone
	PostalCodes []string // any of these
}

// LogValue keeps personal data out of every log.
func (t Term) LogValue() slog.Value { return slog.StringValue("term") }

// Holds reports whether any part of the term matches the customer who has these
// keys and this number.
func (t Term) Holds(k Keys, number int32) bool {
	return t.Number != 0 && t.Number == number ||
		len(t.Name) > 0 && startWords(t.Name, k.Words) ||
		t.Email != "" && strings.HasPrefix(k.Email, t.Email) ||
		slices.ContainsFunc(t.Phones, func(digits string) bool {
			return strings.Contains(k.Phone, digits) || strings.Contains(k.Mobile, digits)
		}) ||
		slices.Contains(t.PostalCodes, k.PostalCode)
}

// Matches is Holds for the customer's own keys. It derives those of phones only
// when the digits that were written do not match as they are.
func (t Term) Matches(c Customer) bool {
	k := KeysButPhones(c)
	k.Phone, k.Mobile = withoutPrefix(digitsOf(c.Phone)), withoutPrefix(digitsOf(c.Mobile))
	if t.Holds(k, c.Number) {
		return true
	}
	if len(t.Phones) == 0 {
		return false
	}
	k.Phone, k.Mobile = PhoneKey(c), MobileKey(c)
	return t.Holds(k, c.Number)
}

func startWords(starts []string, words string) bool {
	for _, start := range starts {
		if !startsWord(start, words) {
			return false
		}
	}
	return true
}

func startsWord(start, words string) bool {
	for word := range strings.SplitSeq(words, " ") {
		if strings.HasPrefix(word, start) {
			return true
		}
	}
	return false
}

// Terms are the conditions of the query on a customer's keys and number. A part
// of the query that is blank, or has neither letters nor digits, is none.
func (q Query) Terms() []Term {
	terms := wordTerms(strings.Fields(q.Words))
	for _, start := range strings.Fields(fold(q.Name)) {
		terms = append(terms, Term{Name: []string{start}})
	}
	if email := strings.ToLower(strings.TrimSpace(q.Email)); email != "" {
		terms = append(terms, Term{Email: email})
	}
	if strings.TrimSpace(q.Phone) != "" {
		terms = append(terms, Term{Phones: phones(digitsOf(q.Phone), 1)})
	}
	if code := postalKey(q.PostalCode); code != "" {
		terms = append(terms, Term{PostalCodes: []string{code}})
	}
	if q.Number != 0 {
		terms = append(terms, Term{Number: q.Number})
	}
	return terms
}

// wordTerms are the conditions of single words. A phone or a postal code may have
// been written with spaces, so a word also counts as a part of the phone that it
// and the figures around it make, and of the postal code that it makes with a
// neighbour.
func wordTerms(words []string) []Term {
	var terms []Term
	figures := figuresAround(words)
	for i, word := range words {
		if fold(word) == "" {
			continue
		}
		t := Term{Name: nameIn(word), Email: strings.ToLower(word), Number: numberIn(word)}
		if isFigures(word) {
			t.Phones = phones(digitsOf(word), MinDigits)
			if figures[i] != digitsOf(word) {
				t.Phones = append(t.Phones, phones(figures[i], MinDigits)...)
			}
		}
		for _, code := range []string{word, joined(words, i-1), joined(words, i)} {
			if strings.ContainsFunc(code, unicode.IsDigit) {
				t.PostalCodes = append(t.PostalCodes, postalKey(code))
			}
		}
		terms = append(terms, t)
	}
	return terms
}

// nameIn are the starts of words that a word of a query stands for: two for
// "Jean-Pierre". What looks like an e-mail address, such as "kari.nord", is no
// name; dots between single letters are none of an address: "N.V." is two words.
func nameIn(word string) []string {
	starts := strings.Fields(fold(word))
	single := !slices.ContainsFunc(starts, func(s string) bool { return utf8.RuneCountInString(s) > 1 })
	if strings.ContainsAny(strings.Trim(word, "._@"), "_@") || strings.Contains(strings.Trim(word, "."), ".") && !single {
		return nil
	}
	return starts
}

// phones are the digits to look for, if there are at least so many.
func phones(digits string, atLeast int) []string {
	if len(digits) < atLeast {
		return nil
	}
	return []string{withoutPrefix(digits)}
}

// numberIn is the number that a word writes, or 0.
func numberIn(word string) int32 {
	n, err := strconv.ParseInt(word, 10, 32)
	if err != nil || strconv.FormatInt(n, 10) != word {
		return 0
	}
	return int32(n)
}

// isFigures reports whether a word could be a part of a phone.
func isFigures(word string) bool {
	return strings.ContainsAny(word, "0123456789") && strings.Trim(word, "0123456789+().-/") == ""
}

// figuresAround are, for each word that is figures, the digits of all the figures
// that it stands among.
func figuresAround(words []string) []string {
	around := make([]string, len(words))
	for first := 0; first < len(words); first++ {
		end := first
		for end < len(words) && isFigures(words[end]) {
			end++
		}
		digits := digitsOf(strings.Join(words[first:end], ""))
		for ; first < end; first++ {
			around[first] = digits
		}
	}
	return around
}

// joined are word i and the next, or nothing when one of them is not there.
func joined(words []string, i int) string {
	if i < 0 || i+1 >= len(words) {
		return ""
	}
	return words[i] + words[i+1]
}

// Wants reports whether a customer who confirmed the contact details at that time
// is one that the query asks for.
func (q Query) Wants(confirmedAt time.Time) bool {
	return q.ConfirmedBefore.IsZero() || confirmedAt.IsZero() || confirmedAt.Before(q.ConfirmedBefore)
}

// Matches reports whether the query finds the customer. A store may find him by
// whatever index it has, and then asks this, or its parts: each term, and Wants.
func (q Query) Matches(c Customer) bool {
	return q.Wants(c.ConfirmedAt) &&
		!slices.ContainsFunc(q.Terms(), func(t Term) bool { return !t.Matches(c) })
}
