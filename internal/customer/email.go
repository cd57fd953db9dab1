package customer

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// MaxEmail is the maximum length of an e-mail address, in octets (RFC 5321, section 4.5.3.1.3, minus
// the angle brackets of the path).
const MaxEmail = 254

// ValidEmail reports whether s is a Mailbox of RFC 5321 with a public domain: a dot-string or quoted
// string of at most 64 octets, and a domain name of at least two labels. Display names, comments,
// address literals and non-ASCII local parts are invalid. A non-ASCII domain is first converted by
// IDNA, and the labels of IDNA in ASCII must be valid. There is no DNS lookup.
func ValidEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 0 || !utf8.ValidString(s) {
		return false
	}
	local, domain := s[:at], s[at+1:]
	if strings.ContainsFunc(domain, isNotInDomain) {
		return false
	}
	domain, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return false
	}
	lastLabel := domain[strings.LastIndexByte(domain, '.')+1:]
	return len(local) <= 64 && len(local)+1+len(domain) <= MaxEmail &&
		localPart.MatchString(local) && domainName.MatchString(domain) && strings.Trim(lastLabel, "0123456789") != ""
}

// isNotInDomain reports whether no domain name of IDNA 2008 has r: symbols such as ©, which older
// rules allow.
func isNotInDomain(r rune) bool {
	return r >= utf8.RuneSelf && !unicode.In(r, unicode.L, unicode.M, unicode.Nd) && !strings.ContainsRune(".\u3002\uff0e\uff61\u00b7\u0375\u05f3\u05f4\u200c\u200d\u30fb", r)
}

// normalEmail returns the address with the domain that a resolver looks up, in letters, when that
// differs in more than the case: without invisible characters, and with ordinary letters for wide ones.
func normalEmail(s string) string {
	at := strings.LastIndexByte(s, '@')
	domain := s[at+1:]
	if at < 0 || !strings.ContainsFunc(domain, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return s
	}
	mapped, err := idna.Lookup.ToUnicode(domain)
	if err != nil || mapped == strings.ToLower(domain) {
		return s
	}
	return s[:at+1] + mapped
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
