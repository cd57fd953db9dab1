package terms

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"kartotek/internal/customer"
)

// word is one word of a search. A customer matches it by number or by any alternative.
type word struct {
	number       int32
	alternatives []alternative
}

// alternative is one way to match a word: a term with from <= term < to, and the check unless it
// is nil.
type alternative struct {
	from, to string
	check    func(customer.Customer) bool
}

func exactly(term string) alternative { return alternative{from: term, to: term + "\x01"} }

func startingWith(term string) alternative {
	return alternative{from: term, to: term + string(utf8.MaxRune)}
}

// How well a customer matches.
const (
	none = iota
	byPrefix
	exact
)

// match reports how well the customer matches all words.
func match(c customer.Customer, words []word) int {
	terms, worst := Of(c), exact
	for _, w := range words {
		best := none
		if w.number == c.Number {
			best = exact
		}
		for _, a := range w.alternatives {
			best = max(best, a.match(c, terms))
		}
		worst = min(worst, best)
	}
	return worst
}

func (a alternative) match(c customer.Customer, terms []string) int {
	i, found := slices.BinarySearch(terms, a.from)
	switch {
	case i == len(terms) || terms[i] >= a.to || a.check != nil && !a.check(c):
		return none
	case found || a.check != nil:
		return exact
	}
	return byPrefix
}

const (
	maxTyped = 40 // words of a text; the others are left out
	maxRun   = 8  // neighbouring words that are also read as one
)

// parse returns the words of a search. What belongs together may have been typed apart, as in
// a phone or a name, so a word also matches as a part of what it makes with its neighbours.
func parse(text, region string) []word {
	typed := strings.FieldsFunc(strings.ToLower(clean(text)), func(r rune) bool { return r == ' ' || r == ',' })
	typed = slices.DeleteFunc(typed, func(s string) bool { return !strings.ContainsFunc(s, isLetter) })
	typed = typed[:min(len(typed), maxTyped)]
	words := make([]word, len(typed))
	for i, text := range typed {
		typed[i] = strings.TrimPrefix(text, "tel:")
		if n, err := strconv.ParseUint(text, 10, 31); err == nil && text[0] != '0' {
			words[i].number = int32(n)
		}
	}
	for length := min(maxRun, len(typed)); length > 0; length-- { // the most selective alternatives first
		for first := range len(typed) - length + 1 {
			together := parseRun(typed[first:first+length], region)
			for i := range length {
				words[first+i].alternatives = append(words[first+i].alternatives, together...)
			}
		}
	}
	return words
}

// parseRun reads neighbouring words as the start of a name, as a postal code and as a phone, and
// a single one as the start of an e-mail address or domain.
func parseRun(run []string, region string) (out []alternative) {
	together, apart := strings.Join(run, ""), strings.Join(run, " ")
	for _, spelling := range fold(together) {
		out = append(out, startingWith(name+spelling))
	}
	if strings.ContainsFunc(together, unicode.IsDigit) {
		for _, key := range postalKeys(together) {
			out = append(out, exactly(postalCode+key))
		}
	}
	if numbers := phonesIn(apart); len(numbers) == 1 && isFigures(plainPhone(apart)) {
		out = append(out, phoneAlternatives(numbers[0], region, false)...)
	}
	if len(run) == 1 {
		address := strings.Trim(emailKey(together), "<>;")
		out = append(out, startingWith(email+address), startingWith(domain+strings.TrimPrefix(address, "@")))
	}
	return out
}

// clean returns a text as it is compared: compatible characters replaced, digits and hyphens
// of ASCII, invisible characters dropped, spaces for line breaks.
func clean(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r):
			return -1
		case unicode.IsSpace(r) || unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Pd, r):
			return '-'
		}
		return customer.ASCIIDigit(r)
	}, norm.NFKC.String(strings.ReplaceAll(strings.ToValidUTF8(text, " "), "´", "'")))
}
