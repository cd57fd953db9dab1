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

// alternative is one way to match a word: a term in the range and, with a phone, that number.
type alternative struct {
	Range
	phone string
	whole bool // whether the last digits of the phone are not enough
}

func (w word) ranges() []Range {
	out := make([]Range, len(w.alternatives))
	for i, a := range w.alternatives {
		out[i] = a.Range
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
	terms := Of(c)
	least := exact
	for _, w := range words {
		least = min(least, w.match(c, terms, region))
	}
	return least
}

func (w word) match(c customer.Customer, terms []string, region string) int {
	if w.number != 0 && w.number == c.Number {
		return exact
	}
	best := none
	for _, a := range w.alternatives {
		i, found := slices.BinarySearch(terms, a.From)
		switch {
		case i == len(terms) || terms[i] >= a.To:
		case a.phone != "":
			if hasPhone(c, a.phone, region, a.whole) {
				return exact
			}
		case found:
			return exact
		default:
			best = byPrefix
		}
	}
	return best
}

const (
	maxRun     = 6  // neighbouring words that are also read as one
	maxWordsIn = 40 // of a text; those that follow are left out
)

// parse splits the text of a search into words. Words that belong together may have been
// typed apart, as in a phone or a name, so a word also matches as a part of what it makes
// together with its neighbours.
func parse(text, region string) []word {
	typed := strings.FieldsFunc(scheme.ReplaceAllString(extension.ReplaceAllString(clean(text), "$1"), ""),
		func(r rune) bool { return r == ' ' || r == ',' })
	typed = slices.DeleteFunc(typed, func(s string) bool { return !strings.ContainsFunc(s, inWord) })
	typed = typed[:min(len(typed), maxWordsIn)]
	words := make([]word, len(typed))
	for i, text := range typed {
		words[i] = parseWord(text)
	}
	for first := range typed {
		for end := first + 1; end <= min(first+maxRun, len(typed)); end++ {
			for _, a := range runAlternatives(typed[first:end], region) {
				for i := first; i < end; i++ {
					words[i].alternatives = append(words[i].alternatives, a)
				}
			}
		}
	}
	return words
}

var scheme = regexp.MustCompile(`(?i)\btel:`)

// parseWord reads a word that stands for itself: a number or the start of an e-mail address.
func parseWord(text string) word {
	var w word
	if n, err := strconv.ParseInt(text, 10, 32); err == nil && strconv.FormatInt(n, 10) == text {
		w.number = int32(n)
	}
	address := strings.Trim(emailKey(text), "<>;")
	if !strings.HasPrefix(address, "@") {
		w.alternatives = append(w.alternatives, alternative{Range: startingWith(email + address)})
	}
	if part := strings.TrimPrefix(address, "@"); !strings.Contains(part, "@") {
		w.alternatives = append(w.alternatives, alternative{Range: startingWith(domain + part)})
	}
	return w
}

// runAlternatives reads neighbouring words as a part of a name, a postal code or a phone.
func runAlternatives(run []string, region string) []alternative {
	var out []alternative
	together := strings.Join(run, "")
	for _, spelling := range fold(together) {
		if spelling != "" {
			out = append(out, alternative{Range: startingWith(name + spelling)})
		}
	}
	if code := postalKey(together); strings.ContainsFunc(code, unicode.IsDigit) {
		out = append(out, alternative{Range: exactly(postalCode + code)})
		if short := withoutCountry(code); short != "" {
			out = append(out, alternative{Range: exactly(postalCode + short)})
		}
	}
	if text := strings.Join(run, " "); isPhone(text) {
		if numbers := phonesIn(text); len(numbers) == 1 {
			out = append(out, phoneAlternatives(numbers[0], region, false)...)
		}
	}
	return out
}

// isPhone reports whether a text may be one phone.
func isPhone(text string) bool {
	return strings.Trim(text, "0123456789+().-/ ") == "" && strings.LastIndexByte(text, '+') <= 1 || vanity.MatchString(text)
}

// clean returns a text as it is compared: compatible characters replaced, digits and hyphens
// of ASCII, no invisible characters, and spaces for line breaks and control characters.
func clean(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		return text
	}
	text = strings.Map(func(r rune) rune {
		if isApostrophe(r) && r != '\u200c' { // NFKC would make a space of some
			return '\''
		}
		return r
	}, strings.ToValidUTF8(text, " "))
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
	}, norm.NFKC.String(text))
}
