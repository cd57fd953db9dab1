package customer

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// MaxEmail is the maximum length of an e-mail address, in octets (RFC 5321, section 4.5.3.1.3, minus
// the angle brackets of the path).
const MaxEmail = 254

// ValidEmail reports whether s is a Mailbox of RFC 5321 with a public domain: a dot-string or quoted
// string of at most 64 octets, and a domain name of at least two labels. Display names, comments,
// address literals and non-ASCII local parts are invalid. A non-ASCII domain is first converted by
// IDNA. There is no DNS lookup.
func ValidEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 0 || !utf8.ValidString(s) {
		return false
	}
	local, domain := s[:at], s[at+1:]
	if !isASCII(domain) {
		ascii, err := idna.Lookup.ToASCII(domain)
		if err != nil {
			return false
		}
		domain = ascii
	}
	return len(local)+1+len(domain) <= MaxEmail && validLocalPart(local) && validDomain(domain)
}

func validLocalPart(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	if s[0] == '"' {
		return validQuoted(s)
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, func(r rune) bool { return !isAtext(r) }) {
			return false
		}
	}
	return true
}

// validQuoted checks a Quoted-string: printable ASCII and spaces in quotes, with quotes and
// backslashes escaped.
func validQuoted(s string) bool {
	if len(s) < 2 || s[len(s)-1] != '"' {
		return false
	}
	inside := s[1 : len(s)-1]
	for i := 0; i < len(inside); i++ {
		if inside[i] == '\\' {
			i++ // the escaped character follows
			if i == len(inside) {
				return false
			}
		} else if inside[i] == '"' {
			return false
		}
		if inside[i] < ' ' || inside[i] > '~' {
			return false
		}
	}
	return true
}

func validDomain(s string) bool {
	if len(s) > 255 {
		return false
	}
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if !validLabel(label) {
			return false
		}
	}
	last := labels[len(labels)-1]
	return len(labels) >= 2 && strings.Trim(last, "0123456789") != ""
}

func validLabel(s string) bool {
	if len(s) < 1 || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r != '-' && !isAlphanumeric(r) })
}

func isAtext(r rune) bool {
	return isAlphanumeric(r) || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}
