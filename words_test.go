package main_test

import (
	"bytes"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// banned lists words and pairs of words that are not to be used in this repository, each
// with its replacement. The test ignores case and splits camelCase: "tidySoon" has the
// word "tidy".
var banned = map[string]string{
	"anybody":   "the caller, the client, or leave it out",
	"belief":    "last-seen values",
	"beliefs":   "last-seen values",
	"believe":   "trust, assume",
	"believes":  "trusts, assumes",
	"birth":     "create, creation",
	"births":    "creations",
	"born":      "created",
	"crowd":     "batch, concurrent requests",
	"errand":    "batch item",
	"errands":   "batch items",
	"gate":      "authenticator",
	"he":        "they, it",
	"her":       "their, its",
	"herself":   "themselves, itself",
	"him":       "them, it",
	"himself":   "themselves, itself",
	"his":       "their, its",
	"manners":   "key options",
	"nobody":    "no client, no caller",
	"ought":     "should",
	"patience":  "timeout",
	"receipt":   "idempotency record",
	"receipts":  "idempotency records",
	"rival":     "concurrent update, conflict",
	"rivals":    "concurrent updates, conflicts",
	"she":       "they, it",
	"slab":      "cache",
	"somebody":  "someone, a client",
	"sought":    "lookup, requested",
	"tidy":      "flush, clean up",
	"tidying":   "flushing, cleaning up",
	"who asks":  "the caller",
	"who comes": "the request, the caller",
	"who reads": "the reader",
	"who sends": "the client",
	"who wait":  "the waiting requests",
	"who waits": "the waiting request",
	"whoever":   "the caller, any client",
	"whom":      "the caller, the client",
}

// standardTerms are the pairs of words in which a banned word is a term of the field.
var standardTerms = []string{"birth date", "of birth", "mod tidy", "postgres nobody", "user nobody"}

func TestNoBannedWords(t *testing.T) {
	t.Parallel()
	for _, name := range files(t) {
		if unchecked(name) {
			continue
		}
		for _, w := range bannedIn([]byte(name)) {
			t.Errorf("%s: the file name has %q; use: %s", name, w.text, banned[w.text])
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(text, 0) >= 0 {
			continue // not text
		}
		for _, w := range bannedIn(text) {
			t.Errorf("%s:%d: %q; use: %s", name, w.line, w.text, banned[w.text])
		}
	}
}

// unchecked reports whether a file is generated, or is this list.
func unchecked(name string) bool {
	switch path.Base(name) {
	case "words_test.go", "go.sum", "package-lock.json", "Cargo.lock":
		return true
	}
	return within(name, "internal/portal/dist/reference") // generated
}

func TestBannedWordsAreFound(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"tidySoon(HTTPGate)":             "tidy gate",
		"birth_date birthDate":           "",
		"// go mod tidy, date\nof birth": "",
		"BornAt: who\n// asks":           "born who asks",
		"theirs, heritage, shed":         "",
	} {
		var got []string
		for _, w := range bannedIn([]byte(text)) {
			got = append(got, w.text)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// word is a word of a text, in lower case.
type word struct {
	text string
	line int
}

// bannedIn returns the banned words and pairs of a text.
func bannedIn(text []byte) (found []word) {
	all := words(text)
	for i, w := range all {
		before, after := "", ""
		if i > 0 {
			before = all[i-1].text + " " + w.text
		}
		if i+1 < len(all) {
			after = w.text + " " + all[i+1].text
		}
		if _, ok := banned[after]; ok {
			found = append(found, word{after, w.line})
		}
		if _, ok := banned[w.text]; ok && !slices.Contains(standardTerms, before) && !slices.Contains(standardTerms, after) {
			found = append(found, w)
		}
	}
	return found
}

// words splits a text at everything but letters, and at each new part of a camelCase name.
func words(text []byte) (all []word) {
	line, start := 1, -1
	end := func(i int) {
		if start >= 0 {
			all = append(all, word{strings.ToLower(string(text[start:i])), line})
		}
		start = -1
	}
	for i, b := range text {
		letter := isUpper(b) || isLower(b)
		if !letter || isUpper(b) && i > 0 && (isLower(text[i-1]) || i+1 < len(text) && isLower(text[i+1])) {
			end(i)
		}
		if letter && start < 0 {
			start = i
		}
		if b == '\n' {
			line++
		}
	}
	end(len(text))
	return all
}

func isUpper(b byte) bool { return 'A' <= b && b <= 'Z' }

// isLower also holds for each byte of a letter outside ASCII.
func isLower(b byte) bool { return 'a' <= b && b <= 'z' || b >= 0x80 }
