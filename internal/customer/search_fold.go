package customer

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// fold returns a name's words with one space between them, in lower case and
// without accents: "Sæther-Müller" is "saether muller". An apostrophe is no part
// of a word and does not end it either: "O'Brien" is "obrien".
func fold(name string) string { return foldWith(name, false) }

// foldApart is fold for an apostrophe that ends a word: "O'Brien" is "o brien".
func foldApart(name string) string { return foldWith(name, true) }

func foldWith(name string, apart bool) string {
	var out strings.Builder
	out.Grow(len(name))
	between := false // words: a space is due before the next letter
	for _, r := range decomposed(name, apart) {
		switch {
		case unicode.Is(unicode.Mn, r) || isApostrophe(r):
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			if between && out.Len() > 0 {
				out.WriteByte(' ')
			}
			between = false
			writeFolded(&out, unicode.ToLower(r))
		default:
			between = true
		}
	}
	return out.String()
}

// decomposed splits letters from their accents (Unicode NFKD). Apostrophes come
// first, since NFKD makes a space and an accent of one of them.
func decomposed(name string, apart bool) string {
	if isASCII(name) && !apart {
		return name
	}
	apostrophe := '\''
	if apart {
		apostrophe = ' '
	}
	return norm.NFKD.String(strings.Map(func(r rune) rune {
		if isApostrophe(r) {
			return apostrophe
		}
		return r
	}, name))
}

func isApostrophe(r rune) bool { return strings.ContainsRune("'’‘ʼʹ`´", r) }

// writeFolded writes a letter in lower case. The ones that NFKD leaves whole are
// written as their neighbours do on a keyboard that lacks them.
func writeFolded(out *strings.Builder, r rune) {
	switch r {
	case 'ø':
		r = 'o'
	case 'ł':
		r = 'l'
	case 'đ', 'ð':
		r = 'd'
	case 'ı':
		r = 'i'
	case 'ς': // at the end of a word
		r = 'σ'
	case 'æ':
		out.WriteByte('a')
		r = 'e'
	case 'œ':
		out.WriteByte('o')
		r = 'e'
	case 'ß':
		out.WriteByte('s')
		r = 's'
	case 'þ':
		out.WriteByte('t')
		r = 'h'
	}
	out.WriteRune(r)
}

// transliterate writes the letters of German and of the Scandinavian languages
// as these do themselves where they must: "Müller" is "Mueller".
func transliterate(name string) string { return transliteration.Replace(norm.NFC.String(name)) }

var transliteration = strings.NewReplacer(
	"ä", "ae", "ö", "oe", "ü", "ue", "å", "aa", "ø", "oe",
	"Ä", "ae", "Ö", "oe", "Ü", "ue", "Å", "aa", "Ø", "oe",
)

// nameWords are the words that a customer is found by, in the ways that people
// write them. A word that begins another one is found by that.
func nameWords(firstName, lastName string) []string {
	var words []string
	for _, name := range []string{firstName, lastName} {
		for _, spelling := range []string{name, transliterate(name)} {
			words = append(words, strings.Fields(fold(spelling))...)
			if strings.ContainsFunc(spelling, isApostrophe) {
				words = append(words, strings.Fields(foldApart(spelling))...)
			}
			if isASCII(name) {
				break // there is one spelling
			}
		}
	}
	return withoutBeginnings(words)
}

// withoutBeginnings leaves out the words that another one begins with, and those
// that come again.
func withoutBeginnings(words []string) []string {
	kept := words[:0:0]
	for i, w := range words {
		begins := false
		for j, other := range words {
			if i != j && strings.HasPrefix(other, w) && (other != w || j < i) {
				begins = true
			}
		}
		if !begins {
			kept = append(kept, w)
		}
	}
	return kept
}
