package customer_test

import (
	"strings"
	"testing"

	"kartotek/internal/customer"
)

func TestValidEmailAcceptsValidAddresses(t *testing.T) {
	t.Parallel()
	label63 := strings.Repeat("b", 63)
	for name, email := range map[string]string{
		"a dot-string":                     "ada.king@example.com",
		"one letter":                       "a@b.se",
		"every sign of an atom":            "!#$%&'*+-/=?^_`{|}~@example.com",
		"a tag":                            "ada+news@example.com",
		"digits alone in the local part":   "1@example.com",
		"hyphens at the local part's ends": "-ada-@example.com",
		"capitals":                         "Ada@EXAMPLE.Com",
		"many labels":                      "a@a.b.c.d.e.f.g",
		"hyphens inside a label":           "a@own--own-site.example",
		"a label that begins with a digit": "a@3m.com",
		"a label of digits":                "a@123.com",
		"a last label with one letter":     "a@example.4u",
		"a last label of IDNA":             "a@example.xn--p1ai",
		"a quoted string":                  `"ada"@example.com`,
		"a quoted space":                   `"ada king"@example.com`,
		"a quoted dot":                     `".ada..king."@example.com`,
		"a quoted at":                      `"ada@home"@example.com`,
		"a quoted parenthesis":             `"(ada)<>[]:;,"@example.com`,
		"an escaped quote":                 `"a\"b"@example.com`,
		"an escaped backslash":             `"a\\"@example.com`,
		"an escaped letter":                `"\a\ "@example.com`,
		"an empty quoted string":           `""@example.com`,
		"a local part of 64":               strings.Repeat("a", 64) + "@example.com",
		"a quoted string of 64":            `"` + strings.Repeat("a", 62) + `"@example.com`,
		"a label of 63":                    "a@" + label63 + ".com",
		"254 octets":                       email(64, 254),
		"a domain outside ASCII":           "ada@münchen.de",
		"a country outside ASCII":          "ada@пример.рф",
		"an ideographic full stop":         "ada@例え。jp",
		"a sharp s":                        "ada@faß.de",
		"a capital outside ASCII":          "ada@MÜNCHEN.de",
	} {
		if !customer.ValidEmail(email) {
			t.Errorf("%s: got refused, want accepted: %q", name, email)
		}
	}
}

func TestValidEmailRejectsInvalidAddresses(t *testing.T) {
	t.Parallel()
	label63 := strings.Repeat("b", 63)
	for name, email := range map[string]string{
		"nothing":                          "",
		"a label of IDNA without content":  "me@xn--0.tld",
		"a label of another encoding":      "me@yy--0.tld",
		"a label of IDNA that is invalid":  "me@xn--a.example",
		"a symbol behind the domain":       "a@domain.com©",
		"a symbol in the domain":           "a@i❤.ws",
		"a trade mark in a label":          "a@brand®.com",
		"no at":                            "ada.example.com",
		"only an at":                       "@",
		"no local part":                    "@example.com",
		"no domain":                        "ada@",
		"two ats":                          "ada@home@example.com",
		"a dot at the start":               ".ada@example.com",
		"a dot at the end":                 "ada.@example.com",
		"two dots":                         "ada..king@example.com",
		"only a dot":                       ".@example.com",
		"a space":                          "ada king@example.com",
		"spaces around it":                 " ada@example.com ",
		"a space before the at":            "ada @example.com",
		"a space after the at":             "ada@ example.com",
		"a display name":                   "Ada <ada@example.com>",
		"angle brackets":                   "<ada@example.com>",
		"a scheme":                         "mailto:ada@example.com",
		"two addresses":                    "ada@example.com,bob@example.com",
		"a list end":                       "ada@example.com;",
		"a comment before":                 "(home)ada@example.com",
		"a comment behind":                 "ada(home)@example.com",
		"a comment in the domain":          "ada@example.com(home)",
		"folding white space":              "ada\r\n @example.com",
		"quoted folding white space":       "\"a\r\n b\"@example.com",
		"a quoted tab":                     "\"a\tb\"@example.com",
		"a quoted control character":       "\"a\x01b\"@example.com",
		"an escaped control character":     "\"\\\x00\"@example.com",
		"a quoted letter outside ASCII":    `"é"@example.com`,
		"an obsolete mix of word and atom": `"ada".king@example.com`,
		"an obsolete word after an atom":   `ada."king"@example.com`,
		"two quoted strings":               `"ada"."king"@example.com`,
		"a bare quote":                     `a"b@example.com`,
		"an open quote":                    `"ada@example.com`,
		"only an open quote":               `"@example.com`,
		"a quote inside quotes":            `"a"b"@example.com`,
		"an escape of the last quote":      `"ada\"@example.com`,
		"text behind the quotes":           `"ada"b@example.com`,
		"an escape outside quotes":         `a\@b@example.com`,
		"a comma":                          "a,b@example.com",
		"a colon":                          "a:b@example.com",
		"a bracket":                        "a[b@example.com",
		"a local part outside ASCII":       "åda@example.com",
		"a wide local part":                "ａｄａ@example.com",
		"a local part of 65":               strings.Repeat("a", 65) + "@example.com",
		"a quoted string of 65":            `"` + strings.Repeat("a", 63) + `"@example.com`,
		"an address literal":               "ada@[192.0.2.1]",
		"an IPv6 literal":                  "ada@[IPv6:2001:db8::1]",
		"a bare IPv4 address":              "ada@192.0.2.1",
		"a last label of digits":           "ada@example.123",
		"one label":                        "ada@localhost",
		"one label and a dot":              "ada@localhost.",
		"a dot at the domain's end":        "ada@example.com.",
		"a dot at the domain's start":      "ada@.example.com",
		"two dots in the domain":           "ada@example..com",
		"only a dot as domain":             "ada@.",
		"a label of 64":                    "a@" + label63 + "b.com",
		"a hyphen at a label's start":      "a@-example.com",
		"a hyphen at a label's end":        "a@example-.com",
		"a hyphen at the last label's end": "a@example.com-",
		"an underscore":                    "a@my_site.com",
		"a port":                           "a@example.com:25",
		"a path":                           "a@example.com/x",
		"a control character":              "a@exam\x00ple.com",
		"a delete":                         "a@exam\x7fple.com",
		"255 octets":                       email(64, 255),
		"a domain of 255":                  email(1, 257),
		"a domain that IDNA makes long":    "a@" + strings.Repeat("ü", 60) + ".de",
		"254 characters that IDNA expands": email(64, 240) + "." + strings.Repeat("ü", 13),
		"one label outside ASCII":          "ada@münchen",
		"a dot behind IDNA":                "ada@münchen.de.",
		"an empty label beside IDNA":       "ada@b..münchen.de",
		"a hyphen before IDNA":             "ada@-münchen.de",
		"a last label of digits by IDNA":   "ada@münchen.１２",
		"an underscore beside IDNA":        "ada@mün_chen.de",
		"a stray joiner":                   "ada@exa\u200dmple.com",
		"mixed directions":                 "ada@aא1.com",
		"a domain that is not UTF-8":       "ada@m\xfcnchen.de",
		"a local part that is not UTF-8":   "\xe5da@example.com",
		"a quoted byte that is not UTF-8":  "\"\xe5\"@example.com",
	} {
		if customer.ValidEmail(email) {
			t.Errorf("%s: got accepted, want refused: %q", name, email)
		}
	}
}

// email has the given length and a local part of the given length.
func email(local, length int) string {
	s := strings.Repeat("a", local) + "@"
	for length-len(s) > 64 {
		s += strings.Repeat("b", 61) + "."
	}
	return s + strings.Repeat("c", length-len(s))
}

func TestEmailIsStoredAsEntered(t *testing.T) {
	t.Parallel()
	c := ada()
	c.Email = " Ada@MÜNCHEN.de "
	if got, want := stored(t, c).Email, "Ada@MÜNCHEN.de"; got != want {
		t.Errorf("e-mail of %q: got %q, want %q", c.Email, got, want)
	}
}

func TestEmailIsStoredWithMappedDomain(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Ada@EXAMPLE.Com":             "Ada@EXAMPLE.Com",
		"ada@MÜNCHEN.de":              "ada@MÜNCHEN.de",
		"ada@exam\u200bple.com":       "ada@example.com",
		"ada@exam\u00adple.com":       "ada@example.com",
		"ada@ｅｘａｍｐｌｅ.com":             "ada@example.com",
		"ada@例え。jp":                   "ada@例え.jp",
		"\u200bada@example.com\u200e": "ada@example.com",
	} {
		c := ada()
		c.Email = in
		if got := stored(t, c).Email; got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
