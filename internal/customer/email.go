package customer

import (
	"regexp"
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
	if strings.ContainsFunc(domain, func(r rune) bool { return r >= utf8.RuneSelf }) {
		ascii, err := idna.Lookup.ToASCII(domain)
		if err != nil {
			return false
		}
		domain = ascii
	}
	lastLabel := domain[strings.LastIndexByte(domain, '.')+1:]
	return len(local) <= 64 && len(local)+1+len(domain) <= MaxEmail &&
		localPart.MatchString(local) && domainName.MatchString(domain) && strings.Trim(lastLabel, "0123456789") != ""
}

var (
	// localPart is a Dot-string, or a Quoted-string: printable ASCII and spaces in quotes, with
	// quotes and backslashes escaped.
	localPart = regexp.MustCompile("^(?:" + atom + `(?:\.` + atom + `)*|"(?:[ !#-\[\]-~]|\\[ -~])*")$`)

	// domainName is a domain of at least two labels.
	domainName = regexp.MustCompile(`^` + label + `(?:\.` + label + `)+$`)
)

const (
	atom  = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
	label = `[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?`
)
