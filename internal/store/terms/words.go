package terms

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"kartotek/internal/customer"
)

// Range is a range of terms: From <= term < To. Of the term From itself it holds only the
// customers with a number greater than After.
type Range struct {
	From, To string
	After    int32
}

func exactly(term string) Range { return Range{From: term, To: term + "\x01"} }

func startingWith(term string) Range { return Range{From: term, To: term + string(utf8.MaxRune)} }

// word is one word of a search. A customer matches it by number or by any alternative.
type word struct {
	number       int32
	alternatives []alternative
}

// alternative is one way to match a word: a term in the range and, with a phone, that phone.
type alternative struct {
	Range
	phone string
	whole bool // whether the last digits of the phone are not enough
}

func (w word) ranges() (out []Range) {
	for _, a := range w.alternatives {
		out = append(out, a.Range)
	}
	return out
}

// How well a customer matches.
const (
	none = iota
	byPrefix
	exact
)

// match reports how well the customer matches all words.
func match(c customer.Customer, words []word, region string) int {
	terms, worst := Of(c), exact
	for _, w := range words {
		worst = min(worst, w.match(c, terms, region))
	}
	return worst
}

func (w word) match(c customer.Customer, terms []string, region string) int {
	best := none
	for _, a := range w.alternatives {
		i, found := slices.BinarySearch(terms, a.From)
		switch {
		case i == len(terms) || terms[i] >= a.To:
		case a.phone != "" && !hasPhone(c, a.phone, region, a.whole):
		case found || a.phone != "":
			return exact
		default:
			best = byPrefix
		}
	}
	if w.number == c.Number {
		return exact
	}
	return best
}

const (
	maxTyped = 40 // words of a text; the others are left out
	maxRun   = 6  // neighbouring words that are also read as one
)

// parse returns the words of a search. What belongs together may have been typed apart, as in
// a phone or a name, so a word also matches as a part of what it makes with its neighbours.
func parse(text, region string) []word {
	text = telScheme.ReplaceAllString(extension.ReplaceAllString(clean(text), "$1"), "")
	typed := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
	typed = slices.DeleteFunc(typed, func(s string) bool { return !strings.ContainsFunc(s, isLetter) })
	typed = typed[:min(len(typed), maxTyped)]
	words := make([]word, len(typed))
	for i, text := range typed {
		words[i] = parseWord(text)
	}
	for first := range typed {
		for end := first + 1; end <= min(first+maxRun, len(typed)); end++ {
			together := parseRun(typed[first:end], region)
			for i := range words[first:end] {
				words[first+i].alternatives = append(words[first+i].alternatives, together...)
			}
		}
	}
	return words
}

var telScheme = regexp.MustCompile(`(?i)\btel:`)

// parseWord reads a word as a customer number and as the start of an e-mail address or domain.
func parseWord(text string) (w word) {
	if n, err := strconv.ParseInt(text, 10, 32); err == nil && strconv.FormatInt(n, 10) == text {
		w.number = int32(n)
	}
	address := strings.Trim(emailKey(text), "<>;")
	return word{w.number, []alternative{
		{Range: startingWith(email + address)},
		{Range: startingWith(domain + strings.TrimPrefix(address, "@"))},
	}}
}

// parseRun reads neighbouring words as the start of a name, as a postal code and as a phone.
func parseRun(run []string, region string) (out []alternative) {
	together, apart := strings.Join(run, ""), strings.Join(run, " ")
	for _, spelling := range fold(together) {
		out = append(out, alternative{Range: startingWith(name + spelling)})
	}
	if strings.ContainsFunc(together, unicode.IsDigit) {
		for _, key := range postalKeys(together) {
			out = append(out, alternative{Range: exactly(postalCode + key)})
		}
	}
	figures := strings.Trim(apart, "0123456789+().-/ ") == "" && strings.LastIndexByte(apart, '+') <= 1
	if numbers := phonesIn(apart); len(numbers) == 1 && (figures || vanity.MatchString(apart)) {
		out = append(out, phoneAlternatives(numbers[0], region, false)...)
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
		return asciiDigit(r)
	}, norm.NFKC.String(strings.ReplaceAll(strings.ToValidUTF8(text, " "), "´", "'")))
}
