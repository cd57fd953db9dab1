package terms

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"kartotek/internal/customer"
)

const (
	maxLetters   = 32 // of a name term
	maxSpellings = 8  // of a word
)

// nameTerms returns terms for each word of a customer's first and last name, for what follows an
// apostrophe in it, and for each word written together with the ones after it, in either order of
// the names. Where words are written without spaces, every character begins one.
func nameTerms(names [2]string) (terms []string) {
	for _, text := range []string{names[0] + " " + names[1], names[1] + " " + names[0]} {
		words := strings.FieldsFunc(text, func(r rune) bool {
			return !isLetter(r) && !isApostrophe(r) && !unicode.In(r, unicode.M, unicode.Cf)
		})
		for i, word := range words {
			terms = append(terms, withKind(name, fold(strings.Join(words[i:], ""))...)...)
			unspaced := isUnspaced(word)
			for at, r := range word {
				if at == 0 || unspaced || isApostrophe(r) {
					terms = append(terms, withKind(name, fold(word[at:])...)...)
				}
			}
		}
	}
	return terms
}

func isLetter(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// isApostrophe is also true of the zero-width non-joiner, which separates parts of a Persian word.
func isApostrophe(r rune) bool { return strings.ContainsRune("'’‘ʼʹʻ`´ꞌ\u200c", r) }

// isUnspaced reports whether a text has letters of a script without spaces between words.
func isUnspaced(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return r >= 0x1100 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
	})
}

// fold returns the spellings of a word in lower case, without accents, apostrophes and
// whatever else is no letter; first the one of base letters.
func fold(word string) []string {
	runes := 0
	for at := range word {
		if runes++; runes > 4*maxLetters { // only so many can matter, with their marks
			word = word[:at]
			break
		}
	}
	spellings := []string{""}
	for _, r := range umlauts.Replace(strings.ToLower(norm.NFKD.String(word))) {
		if utf8.RuneCountInString(spellings[0]) >= maxLetters {
			break
		}
		if isApostrophe(r) || !isLetter(r) && !unicode.Is(unicode.Mc, r) {
			continue
		}
		letters, ok := spelledLetters[r]
		if !ok {
			letters = []string{string(customer.ASCIIDigit(r))}
		}
		var longer []string
		for _, letter := range letters {
			for _, s := range spellings[:min(len(spellings), maxSpellings-len(longer))] {
				longer = append(longer, s+letter)
			}
		}
		spellings = longer
	}
	for i, s := range spellings {
		spellings[i] = norm.NFC.String(s) // composes hangul
	}
	return spellings
}

// umlauts composes the letters whose marks are not just left out.
var umlauts = strings.NewReplacer("a\u0308", "ä", "o\u0308", "ö", "u\u0308", "ü", "a\u030a", "å")

// spelledLetters are the letters that are written in another way than without their marks.
var spelledLetters = map[rune][]string{
	'ä': {"a", "ae"}, 'ö': {"o", "oe"}, 'ü': {"u", "ue"}, 'å': {"a", "aa"},
	'ø': {"o", "oe"}, 'đ': {"d", "dj"}, 'ə': {"e", "a"}, 'æ': {"ae"}, 'œ': {"oe"}, 'ß': {"ss"},
	'þ': {"th"}, 'ð': {"d"}, 'ł': {"l"}, 'ı': {"i"}, 'ŋ': {"n"}, 'ŧ': {"t"}, 'ħ': {"h"}, 'ĸ': {"q"},
	'ǥ': {"g"}, 'ʒ': {"z"}, 'ɵ': {"o"}, 'ƶ': {"z"}, 'ƣ': {"g"}, 'ς': {"σ"},
	'ى': {"ي"}, 'ی': {"ي"}, 'ک': {"ك"}, 'ة': {"ه"}, 'ہ': {"ه"}, 'ـ': {""},
}
