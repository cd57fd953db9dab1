// Package customer is the domain: what a customer is, how it can change, and what it needs from
// storage. It knows no HTTP, no SQL and no wire format.
//
// Read customer.go for the record and its rules, fields.go for the table of its fields, change.go
// for how a record changes, service.go for the use cases and the Store that they need.
package customer

import (
	"cmp"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"kartotek/internal/fault"
)

// Customer is one record. Empty text, the zero time and the zero POBox mean that the customer does
// not have the field. Records are compared with ==.
type Customer struct {
	Tenant  string // the owner of the record; never on the wire
	ID      string // UUID (RFC 9562) in lower case; never changes
	Number  int32  // from 1; unique in the tenant; never changes
	Version int64  // 1 when created, plus 1 with every change

	Kind      string // Person or Organisation
	FirstName string
	LastName  string
	BirthDate string // civil date, "2006-01-02", without time or zone
	Gender    string // one of Genders
	Locale    string // BCP 47, in canonical case: "nl-BE", "sr-Latn-RS", "es-419"

	NationalID         string
	OrganisationNumber string

	Email  string // RFC 5321 Mailbox; see ValidEmail
	Phone  string // as it was entered: see validPhone
	Mobile string // like Phone

	Address  Address
	Services Services

	ConfirmedAt time.Time // when the customer last confirmed the contact details
	CreatedAt   time.Time // UTC, in microseconds, as all times here
	UpdatedAt   time.Time // never earlier than that of the version before
}

// Address is the postal address of a customer.
type Address struct {
	Line        string // street, number and box; up to 4 lines
	CareOf      string
	HouseNumber string
	HouseLetter string
	Entrance    string
	Floor       string
	POBox       POBox
	PostalCode  string
	City        string
	Region      string // state, province or county
	Country     string // ISO 3166-1 alpha-2: "BE"
	Editable    bool   // whether self-service clients should let the customer edit it
}

// POBox is the number of a post-office box; it is none unless Valid.
type POBox struct {
	Valid  bool
	Number int32 // from 0
}

// Services are the services that the customer buys.
type Services struct {
	Broadband, DistrictHeating, Grid, Power bool
}

// The kinds of customer.
const (
	Person       = "person"
	Organisation = "organisation"
)

// Genders returns the values that Customer.Gender may have.
func Genders() []string { return []string{"male", "female", "nonBinary", "notDisclosed"} }

// LogValue keeps personal data out of every log.
func (c Customer) LogValue() slog.Value { return slog.StringValue("customer of " + c.Tenant) }

// LogValue keeps personal data out of every log.
func (a Address) LogValue() slog.Value { return slog.StringValue("address") }

// NeedsConfirmation reports whether the contact details were confirmed longer ago than after, or
// never.
func (c Customer) NeedsConfirmation(now time.Time, after time.Duration) bool {
	return c.ConfirmedAt.IsZero() || now.Sub(c.ConfirmedAt) > after
}

// normalize returns c as it is stored: text as from NormalText, times in UTC to the microsecond,
// and the zero POBox unless it is valid.
func (c Customer) normalize() Customer {
	for _, f := range fields {
		if s, ok := f.Pointer(&c).(*string); ok {
			*s = NormalText(*s)
		}
	}
	c.Phone, c.Mobile = withoutInvisible(c.Phone), withoutInvisible(c.Mobile)
	c.Email = normalEmail(c.Email)
	c.Address.Line = strings.ReplaceAll(c.Address.Line, "\r\n", "\n")
	if !c.Address.POBox.Valid {
		c.Address.POBox = POBox{}
	}
	c.ConfirmedAt = normalTime(c.ConfirmedAt)
	return c
}

func normalTime(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// Check reports every rule that c breaks at the time now, in the order of the record.
func (c Customer) Check(now time.Time) error {
	var checks fault.Validator
	checks.Require(uuid.MatchString(c.ID), "id", fault.Format, "must be a UUID in lower case")
	checks.Require(c.Number >= 1, "number", fault.Range, "must be 1 or more")
	checks.Require(c.Kind == Person || c.Kind == Organisation, "kind", fault.Format, "must be one of person, organisation")
	c.checkTexts(&checks)
	checks.Require(isVisible(c.FirstName) || isVisible(c.LastName) || checks.HasError("firstName") || checks.HasError("lastName"),
		"lastName", fault.Required, "is required when there is no firstName: a letter or a digit")

	need := func(absent, ok bool, path, rule, text string) {
		checks.Require(absent || ok || checks.HasError(path), path, rule, text)
	}
	birthDate, err := time.Parse(time.DateOnly, c.BirthDate)
	need(c.BirthDate == "", err == nil && birthDate.Year() >= 1, "birthDate", fault.Format, "must be a calendar date, YYYY-MM-DD")
	need(c.BirthDate == "", !isEmptyDate(c.BirthDate), "birthDate", fault.Range, "must not be 0001-01-01 or 1753-01-01, which mean no date: clear the field instead")
	need(c.BirthDate == "", birthDate.Year() >= 1800, "birthDate", fault.Range, "must be 1800-01-01 or later")
	need(c.BirthDate == "", !birthDate.After(now.Add(maxUTCOffset)), "birthDate", fault.Range, "must not be in the future")
	need(c.Gender == "", slices.Contains(Genders(), c.Gender), "gender", fault.Format, "must be one of male, female, nonBinary, notDisclosed")
	need(c.Locale == "", validLocale(c.Locale), "locale", fault.Format, "must be a BCP 47 language, with a script and a region if needed: nl, nl-BE, zh-Hant-TW")
	need(c.Email == "", ValidEmail(c.Email), "email", fault.Format, "must be a valid e-mail address")
	need(c.Phone == "", validPhone(c.Phone), "phone", fault.Format, phoneRule)
	need(c.Mobile == "", validPhone(c.Mobile), "mobile", fault.Format, phoneRule)
	need(!c.Address.POBox.Valid, c.Address.POBox.Number >= 0, "address.poBox", fault.Range, "must be 0 or more")
	need(c.Address.Country == "", validCountry(c.Address.Country), "address.country", fault.Format, "must be an ISO 3166-1 alpha-2 code, such as BE")
	year := c.ConfirmedAt.UTC().Year() // RFC 3339 has only these
	need(c.ConfirmedAt.IsZero(), 1 <= year && year <= 9999, "confirmedAt", fault.Range, "must be within the years 1 to 9999")
	return sortFields(checks.Err())
}

// sortFields sorts the fields of a fault in the order of the record.
func sortFields(err error) error {
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		slices.SortStableFunc(f.Fields, func(a, b fault.Field) int {
			return cmp.Compare(position(a.Path), position(b.Path))
		})
	}
	return err
}

// isEmptyDate reports whether the date is the first one of .NET or of SQL Server, which programs send
// for no date.
func isEmptyDate(date string) bool { return date == "0001-01-01" || date == "1753-01-01" }

// maxUTCOffset is the offset of the time zone that is furthest ahead of UTC. A birth date of today
// there is not in the future.
const maxUTCOffset = 14 * time.Hour

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// countries are the codes that ISO 3166-1 assigns, and XK for Kosovo, which the European Union uses.
// The tables of golang.org/x/text also have withdrawn, reserved and private codes.
const countries = " " +
	"AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ " +
	"BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR " +
	"CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR " +
	"GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU " +
	"ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ " +
	"LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ " +
	"MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF " +
	"PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI " +
	"SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR " +
	"TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW "

func validCountry(s string) bool {
	return len(s) == 2 && strings.Contains(countries, " "+s+" ")
}
