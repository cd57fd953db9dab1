package customer

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"kartotek/internal/fault"
)

// NormalText returns s as it is stored: in Unicode NFC, with ordinary spaces for no-break spaces, and
// without white space and invisible characters at its ends, which programs add when text is copied.
func NormalText(s string) string {
	s = noBreakSpaces.Replace(norm.NFC.String(s))
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || isInvisible(r) })
}

var noBreakSpaces = strings.NewReplacer("\u00a0", " ", "\u2007", " ", "\u202f", " ")

// isInvisible reports whether r is a zero-width character, a soft hyphen or a mark of the text's
// direction.
func isInvisible(r rune) bool {
	return r == '\u00ad' || r == '\u061c' || r == '\ufeff' ||
		'\u200b' <= r && r <= '\u200f' || '\u202a' <= r && r <= '\u202e' || '\u2060' <= r && r <= '\u2069'
}

// isVisible reports whether s has a letter or a digit.
func isVisible(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
}

func withoutInvisible(s string) string {
	return strings.Map(func(r rune) rune {
		if isInvisible(r) {
			return -1
		}
		return r
	}, s)
}

// checkTexts checks the length of every text, and that its characters can be shown.
func (c Customer) checkTexts(checks *fault.Validator) {
	for _, f := range fields {
		text, ok := f.Pointer(&c).(*string)
		if !ok {
			continue
		}
		line := *text
		if f.Path == "address.line" {
			line = strings.ReplaceAll(line, "\n", " ")
			checks.Require(strings.Count(*text, "\n") < maxLines, f.Path, fault.Format, fmt.Sprintf("must have at most %d lines", maxLines))
		}
		printable := utf8.ValidString(line) && strings.IndexFunc(line, isUnprintable) < 0
		checks.Require(printable, f.Path, fault.Format, "must not contain control characters")
		if f.MaxLength > 0 && utf8.RuneCountInString(*text) > f.MaxLength {
			checks.Require(false, f.Path, fault.Length, fmt.Sprintf("must have at most %d characters", f.MaxLength))
		}
	}
}

const maxLines = 4 // of Address.Line

// isUnprintable reports whether r is a control character, or one that overrides the direction of the
// text after it.
func isUnprintable(r rune) bool { return unicode.IsControl(r) || r == '\u202d' || r == '\u202e' }

const phoneRule = "must have a digit, and nothing but letters, digits, spaces, dashes and + ( ) . / # * ; , = :"

// validPhone accepts a number in any notation: with an extension (x11, ext. 11, ;ext=11), with letters
// (1-800-FLOWERS), and with the digits of any script.
func validPhone(s string) bool {
	hasDigit := false
	for _, r := range s {
		hasDigit = hasDigit || unicode.IsDigit(r)
		if !unicode.IsDigit(r) && !unicode.IsLetter(r) && !unicode.Is(unicode.Pd, r) && !strings.ContainsRune(" +()./#*;,=:", r) {
			return false
		}
	}
	return hasDigit
}

// localeParts are a language, a script and a region of BCP 47, in canonical case.
var localeParts = regexp.MustCompile(`^([a-z]{2,3})(?:-([A-Z][a-z]{3}))?(?:-([A-Z]{2}|[0-9]{3}))?$`)

// validLocale accepts a language, script and region that have no newer or shorter code.
func validLocale(s string) bool {
	parts := localeParts.FindStringSubmatch(s)
	if parts == nil {
		return false
	}
	base, err := language.ParseBase(parts[1])
	if err != nil || base.String() != parts[1] || parts[1] == "und" {
		return false
	}
	if script, err := language.ParseScript(parts[2]); parts[2] != "" && (err != nil || script.String() != parts[2]) {
		return false
	}
	region, err := language.ParseRegion(parts[3])
	return parts[3] == "" || validCountry(parts[3]) || err == nil && region.String() == parts[3] && region.IsGroup()
}

// ASCIIDigit returns a decimal digit of any script as that of ASCII. Unicode has the ten
// digits of a script in a row.
func ASCIIDigit(r rune) rune {
	if r < 0x80 || !unicode.IsDigit(r) {
		return r
	}
	n := rune(0)
	for unicode.IsDigit(r - n - 1) {
		n++
	}
	return '0' + n%10
}
