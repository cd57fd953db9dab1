package customer

import (
	"cmp"
	"log/slog"
	"strconv"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

// Keys are what a customer is found by. They follow from the record, and stand
// beside it: what its authors wrote stays as it is.
type Keys struct {
	LastName, FirstName string // folded: with the id, the customer's Position

	Words      string // of the name, folded, with a space between them
	Email      string // in lower case
	PostalCode string // in lower case, without spaces
	Phone      string // its digits with those of its country; a space, and as written, where these differ
	Mobile     string // like Phone
}

// KeysVersion counts the ways in which keys have been derived. A store that holds
// keys of another version makes them anew.
const KeysVersion = 1

// KeysOf derives the keys of a customer.
func KeysOf(c Customer) Keys {
	k := KeysButPhones(c)
	k.Phone, k.Mobile = PhoneKey(c), MobileKey(c)
	return k
}

// KeysButPhones is KeysOf without what takes most of its time.
func KeysButPhones(c Customer) Keys {
	return Keys{
		LastName:   fold(c.LastName),
		FirstName:  fold(c.FirstName),
		Words:      strings.Join(nameWords(c.FirstName, c.LastName), " "),
		Email:      strings.ToLower(c.Email),
		PostalCode: PostalKey(c),
	}
}

// PhoneKey is the Phone of the customer's keys.
func PhoneKey(c Customer) string { return phoneKey(c.Phone, c.region()) }

// MobileKey is the Mobile of the customer's keys.
func MobileKey(c Customer) string { return phoneKey(c.Mobile, c.region()) }

// PostalKey is the PostalCode of the customer's keys.
func PostalKey(c Customer) string { return postalKey(c.Address.PostalCode) }

// LogValue keeps personal data out of every log.
func (k Keys) LogValue() slog.Value { return slog.StringValue("keys") }

// PositionOf is where a search lists the customer.
func PositionOf(c Customer) Position {
	return Position{LastName: fold(c.LastName), FirstName: fold(c.FirstName), ID: c.ID}
}

// MovesKeys reports whether the keys may have changed, but for those of phones.
func (ch Change) MovesKeys() bool {
	was, is := ch.Before, ch.After
	return was.Version == 0 || was.FirstName != is.FirstName || was.LastName != is.LastName ||
		was.Email != is.Email || was.Address.PostalCode != is.Address.PostalCode
}

// MovesPhone reports whether PhoneKey may have changed.
func (ch Change) MovesPhone() bool {
	return ch.Before.Phone != ch.After.Phone || ch.After.Phone != "" && ch.Before.region() != ch.After.region()
}

// MovesMobile reports whether MobileKey may have changed.
func (ch Change) MovesMobile() bool {
	return ch.Before.Mobile != ch.After.Mobile || ch.After.Mobile != "" && ch.Before.region() != ch.After.region()
}

// region is where the customer's phones are dialled, as far as the record tells.
func (c Customer) region() string {
	return cmp.Or(c.Address.Country, c.Locale[strings.IndexByte(c.Locale, '-')+1:])
}

// phoneKey is a phone's digits as the world dials them, so that one notation
// finds another; and its digits as they are written, where it cannot be found by
// these otherwise.
func phoneKey(phone, region string) string {
	if phone == "" {
		return ""
	}
	written := digitsOf(phone)
	dialled := international(phone, written, region)
	if strings.Contains(dialled, withoutPrefix(written)) {
		return dialled
	}
	return dialled + " " + written
}

// international puts the digits of the country before those of a phone, in place
// of what is dialled before these within it. It looks them up in the tables of
// phonenumbers, whose Parse would do the same and more, and take longer than all
// else that is written with a change.
func international(phone, written, region string) string {
	digits, abroad := strings.CutPrefix(written, "00")
	if abroad || strings.HasPrefix(strings.TrimLeft(phone, " ("), "+") {
		return withoutTrunkZero(digits)
	}
	code := phonenumbers.GetCountryCodeForRegion(region)
	if code == 0 {
		return written
	}
	return strconv.Itoa(code) + strings.TrimPrefix(written, phonenumbers.GetNddPrefixForRegion(region, true))
}

// withoutTrunkZero leaves out a zero after the digits of a country, as in +49 030,
// when nobody dials it there.
func withoutTrunkZero(digits string) string {
	for n := 1; n <= min(3, len(digits)); n++ {
		code, err := strconv.Atoi(digits[:n])
		if err != nil {
			break
		}
		region := phonenumbers.GetRegionCodeForCountryCode(code)
		if region == phonenumbers.UNKNOWN_REGION {
			continue
		}
		if phonenumbers.GetNddPrefixForRegion(region, true) == "0" {
			return digits[:n] + strings.TrimPrefix(digits[n:], "0")
		}
		break
	}
	return digits
}

// digitsOf leaves out the "(0)" that is dialled within the country alone.
func digitsOf(phone string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, strings.ReplaceAll(phone, "(0)", ""))
}

// withoutPrefix leaves out what is dialled before the digits of a country or of
// an area, 00 or 0, unless too little remains to search for.
func withoutPrefix(digits string) string {
	for _, prefix := range []string{"00", "0"} {
		if rest, ok := strings.CutPrefix(digits, prefix); ok && len(rest) >= MinDigits {
			return rest
		}
	}
	return digits
}

func postalKey(code string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, code)
}
