package terms

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	maxLetters   = 32 // of a name term
	maxSpellings = 8  // of a word
)

// nameTerms returns the words that a customer's name is found by: each word, what follows an
// apostrophe in it, and each word written together with the ones after it. Where words are
// written without spaces, every character begins one.
func nameTerms(first, last string) (out []string) {
	names := []string{first, last}
	if isUnspaced(first + last) {
		names = append(names, last+first)
	}
	for _, text := range names {
		words := nameWords(text)
		for i, word := range words {
			out = append(append(out, fold(word)...), fold(strings.Join(words[i:], ""))...)
			unspaced := isUnspaced(word)
			for at, r := range word {
				if isApostrophe(r) || unspaced && at > 0 {
					out = append(out, fold(word[at:])...)
				}
			}
		}
	}
	return out
}

// nameKey returns what a name is sorted by: its folded words with a space between them.
func nameKey(text string) string {
	words := nameWords(text)
	for i, word := range words {
		words[i] = fold(word)[0]
	}
	return strings.Join(words, " ")
}

// nameWords splits a name at everything but letters, digits, marks, apostrophes and
// invisible characters.
func nameWords(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool {
		return !isLetter(r) && !unicode.IsMark(r) && !isApostrophe(r) && !unicode.Is(unicode.Cf, r)
	})
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
	spellings := []string{""}
	var base rune // the letter that a mark belongs to
	count := 0
	for _, r := range norm.NFKD.String(word) {
		r = unicode.ToLower(asciiDigit(r))
		switch l, special := letters[r]; {
		case unicode.In(r, unicode.Mn, unicode.Me):
			spellings = spell(spellings, "", marked[[2]rune{base, r}])
			continue
		case special:
			spellings = spell(spellings, l[0], l[1:]...)
		case isLetter(r) && !isApostrophe(r) || unicode.Is(unicode.Mc, r):
			spellings = spell(spellings, string(r))
		}
		base = r
		if count++; count == maxLetters {
			break
		}
	}
	for i, s := range spellings {
		spellings[i] = norm.NFC.String(s) // composes hangul
	}
	return spellings
}

// spell adds a letter to spellings, and continues each with the other ways to write it as well.
func spell(spellings []string, letter string, others ...string) []string {
	var out []string
	for _, s := range spellings {
		out = append(out, s+letter)
	}
	for _, other := range others {
		for _, s := range spellings {
			if other != "" && len(out) < maxSpellings {
				out = append(out, s+other)
			}
		}
	}
	return out
}

// marked is what a letter with a mark may be followed by instead of the mark.
var marked = map[[2]rune]string{
	{'a', '\u0308'}: "e", {'o', '\u0308'}: "e", {'u', '\u0308'}: "e", {'a', '\u030a'}: "a",
}

// letters are those without a decomposition in Unicode, and how each is written.
var letters = map[rune][]string{
	'ø': {"o", "oe"}, 'đ': {"d", "dj"}, 'ə': {"e", "a"}, 'æ': {"ae"}, 'œ': {"oe"}, 'ß': {"ss"},
	'þ': {"th"}, 'ð': {"d"}, 'ł': {"l"}, 'ı': {"i"}, 'ŋ': {"n"}, 'ŧ': {"t"}, 'ħ': {"h"}, 'ĸ': {"q"},
	'ǥ': {"g"}, 'ʒ': {"z"}, 'ɵ': {"o"}, 'ƶ': {"z"}, 'ƣ': {"g"}, 'ς': {"σ"},
	'ى': {"ي"}, 'ی': {"ي"}, 'ک': {"ك"}, 'ة': {"ه"}, 'ہ': {"ه"}, 'ـ': {""},
}

// asciiDigit returns a decimal digit of any script as that of ASCII. Unicode has the ten
// digits of a script in a row.
func asciiDigit(r rune) rune {
	if r < 0x80 || !unicode.IsDigit(r) {
		return r
	}
	n := rune(0)
	for unicode.IsDigit(r - n - 1) {
		n++
	}
	return '0' + n%10
}
