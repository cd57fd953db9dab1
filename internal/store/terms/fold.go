package terms

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	maxWord      = 32 // characters of a name term: those that follow narrow no search down
	maxSpellings = 8  // of one word
)

// nameTerms returns the words that a customer's name is found by: each word, what follows an
// apostrophe in it, and each word written together with those after it.
func nameTerms(first, last string) []string {
	names := []string{first, last}
	if first != "" && last != "" && isUnspaced(first+last) {
		names = append(names, last+first)
	}
	var out []string
	for _, text := range names {
		words := nameWords(text)
		for i, word := range words {
			out = append(out, fold(word)...)
			unspaced := isUnspaced(word)
			for at, r := range word {
				if isApostrophe(r) {
					out = append(out, fold(word[at+utf8.RuneLen(r):])...)
				} else if unspaced && at > 0 {
					out = append(out, fold(word[at:])...)
				}
			}
			if i+1 < len(words) {
				out = append(out, fold(strings.Join(words[i:], ""))...)
			}
		}
	}
	return out
}

// nameKey is what names are sorted by: the folded words with a space between them.
func nameKey(text string) string {
	words := nameWords(text)
	for i, word := range words {
		words[i] = fold(word)[0]
	}
	return strings.Join(words, " ")
}

// nameWords splits a name at everything that is neither letter, digit nor mark. An apostrophe
// does not end a word.
func nameWords(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return !inWord(r) && !isApostrophe(r) && !unicode.Is(unicode.Cf, r) })
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) }

// isApostrophe also takes the zero-width non-joiner, which ends a part of a Persian word.
func isApostrophe(r rune) bool { return strings.ContainsRune("'’‘ʼʹʻ`´ꞌ\u200c", r) }

// isUnspaced reports whether a text has a script that puts no spaces between words.
func isUnspaced(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return r >= 0x1100 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
	})
}

// fold returns the spellings of a word: letters and digits in lower case without accents,
// first with the base letter for each letter that can be spelled in two ways, last with the
// other spelling for each.
func fold(word string) []string {
	spellings := [][]byte{make([]byte, 0, len(word))}
	length := 0
	var base rune // the letter that a mark belongs to
	for _, r := range norm.NFKD.String(word) {
		r = unicode.ToLower(asciiDigit(r))
		l, special := letters[r]
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me):
			spellings = fork(spellings, "", marked[[2]rune{base, r}])
			continue
		case !inWord(r) || isApostrophe(r):
			continue
		case special:
			spellings = fork(spellings, l.spelling, l.other)
		default:
			for i := range spellings {
				spellings[i] = utf8.AppendRune(spellings[i], r)
			}
		}
		base = r
		if length++; length == maxWord {
			break
		}
	}
	out := make([]string, len(spellings))
	for i, s := range spellings {
		out[i] = norm.NFC.String(string(s)) // puts the parts of hangul together again
	}
	return out
}

// fork ends each spelling in both ways. When that makes too many, the first half stays with
// one way and the second half with the other.
func fork(spellings [][]byte, spelling, other string) [][]byte {
	n := len(spellings)
	if other != "" && n < maxSpellings {
		for _, s := range spellings {
			spellings = append(spellings, append(append(make([]byte, 0, cap(s)+1), s...), other...))
		}
	}
	for i, s := range spellings[:n] {
		if other != "" && len(spellings) == n && i >= n/2 {
			spellings[i] = append(s, other...)
		} else {
			spellings[i] = append(s, spelling...)
		}
	}
	return spellings
}

// marked are the letters with a mark that are also spelled with a second letter instead.
var marked = map[[2]rune]string{
	{'a', '\u0308'}: "e", {'o', '\u0308'}: "e", {'u', '\u0308'}: "e", {'a', '\u030a'}: "a",
}

// letters are those that Unicode does not take apart, with their spellings.
var letters = map[rune]struct{ spelling, other string }{
	'ø': {"o", "oe"}, 'đ': {"d", "dj"}, 'ə': {"e", "a"},
	'æ': {"ae", ""}, 'œ': {"oe", ""}, 'ß': {"ss", ""}, 'þ': {"th", ""}, 'ð': {"d", ""}, 'ł': {"l", ""},
	'ı': {"i", ""}, 'ŋ': {"n", ""}, 'ŧ': {"t", ""}, 'ħ': {"h", ""}, 'ĸ': {"q", ""}, 'ǥ': {"g", ""},
	'ʒ': {"z", ""}, 'ɵ': {"o", ""}, 'ƶ': {"z", ""}, 'ƣ': {"g", ""},
	'ς': {"σ", ""}, // at the end of a Greek word
	'ى': {"ي", ""}, 'ی': {"ي", ""}, 'ک': {"ك", ""}, 'ة': {"ه", ""}, 'ہ': {"ه", ""}, 'ـ': {"", ""},
}

// asciiDigit returns a decimal digit of any script as the one of ASCII.
func asciiDigit(r rune) rune {
	if r < utf8.RuneSelf || !unicode.IsDigit(r) {
		return r
	}
	for _, digits := range unicode.Nd.R16 {
		if rune(digits.Lo) <= r && r <= rune(digits.Hi) {
			return '0' + (r-rune(digits.Lo))%10
		}
	}
	for _, digits := range unicode.Nd.R32 {
		if rune(digits.Lo) <= r && r <= rune(digits.Hi) {
			return '0' + (r-rune(digits.Lo))%10
		}
	}
	return r
}
