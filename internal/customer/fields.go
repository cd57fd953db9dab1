package customer

import (
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// field is one field that an edit may change. Paths are the domain's names for
// fields, in faults, in history and in imports.
type field struct {
	path string
	max  int                   // the longest text, in characters; 0 where a list or a form says more
	in   func(c *Customer) any // where it is: a *string, *bool, *POBox or *time.Time
}

var fields = []field{
	{"kind", 0, func(c *Customer) any { return &c.Kind }},
	{"firstName", 100, func(c *Customer) any { return &c.FirstName }},
	{"lastName", 100, func(c *Customer) any { return &c.LastName }},
	{"birthDate", 0, func(c *Customer) any { return &c.BirthDate }},
	{"gender", 0, func(c *Customer) any { return &c.Gender }},
	{"locale", 0, func(c *Customer) any { return &c.Locale }},
	{"nationalId", 32, func(c *Customer) any { return &c.NationalID }},
	{"organisationNumber", 32, func(c *Customer) any { return &c.OrganisationNumber }},
	{"email", MaxEmail, func(c *Customer) any { return &c.Email }},
	{"phone", 50, func(c *Customer) any { return &c.Phone }},
	{"mobile", 50, func(c *Customer) any { return &c.Mobile }},
	{"address.line", 200, func(c *Customer) any { return &c.Address.Line }},
	{"address.careOf", 50, func(c *Customer) any { return &c.Address.CareOf }},
	{"address.houseNumber", 50, func(c *Customer) any { return &c.Address.HouseNumber }},
	{"address.houseLetter", 50, func(c *Customer) any { return &c.Address.HouseLetter }},
	{"address.entrance", 50, func(c *Customer) any { return &c.Address.Entrance }},
	{"address.floor", 50, func(c *Customer) any { return &c.Address.Floor }},
	{"address.poBox", 0, func(c *Customer) any { return &c.Address.POBox }},
	{"address.postalCode", 20, func(c *Customer) any { return &c.Address.PostalCode }},
	{"address.city", 100, func(c *Customer) any { return &c.Address.City }},
	{"address.country", 0, func(c *Customer) any { return &c.Address.Country }},
	{"address.editable", 0, func(c *Customer) any { return &c.Address.Editable }},
	{"services.broadband", 0, func(c *Customer) any { return &c.Services.Broadband }},
	{"services.districtHeating", 0, func(c *Customer) any { return &c.Services.DistrictHeating }},
	{"services.grid", 0, func(c *Customer) any { return &c.Services.Grid }},
	{"services.power", 0, func(c *Customer) any { return &c.Services.Power }},
	{"confirmedAt", 0, func(c *Customer) any { return &c.ConfirmedAt }},
}

// position is where the record lists a field; id and number, which no edit may
// change, come before all.
func position(path string) int {
	return slices.IndexFunc(fields, func(f field) bool { return f.path == path })
}

// FieldChange is what happened to one field. A value is nil when the customer
// has none; otherwise a string, a bool, an int64 or a time.Time.
type FieldChange struct {
	Path          string
	Before, After any
}

// LogValue keeps personal data out of every log.
func (f FieldChange) LogValue() slog.Value { return slog.StringValue(f.Path) }

// Diff lists the fields whose values differ, in the order of the record.
func Diff(before, after Customer) []FieldChange {
	var diff []FieldChange
	for _, f := range fields {
		if b, a := f.in(&before), f.in(&after); !alike(b, a) {
			diff = append(diff, FieldChange{f.path, value(b), value(a)})
		}
	}
	return diff
}

// alike compares what two places of the same field hold. To compare their values
// would make an interface of each.
func alike(p, q any) bool {
	switch p := p.(type) {
	case *string:
		return *p == *q.(*string)
	case *bool:
		return *p == *q.(*bool)
	case *POBox:
		return *p == *q.(*POBox)
	case *time.Time:
		return *p == *q.(*time.Time)
	}
	return false
}

// place is where c holds the field with this path: what field.in returns.
func place(c *Customer, path string) (any, error) {
	i := position(path)
	if i < 0 {
		return nil, fmt.Errorf("a customer has no field %s", path)
	}
	return fields[i].in(c), nil
}

// read is the value of one field, as a FieldChange holds it.
func read(c *Customer, path string) (any, error) {
	p, err := place(c, path)
	return value(p), err
}

// set gives one field a value that a FieldChange holds.
func set(c *Customer, path string, v any) error {
	p, err := place(c, path)
	if err != nil {
		return err
	}
	fits := true
	switch p := p.(type) {
	case *string:
		*p, fits = valueOr(v, "")
	case *bool:
		*p, fits = valueOr(v, false)
	case *POBox:
		var number int64
		number, fits = valueOr(v, int64(0))
		*p = POBox{Given: v != nil, Number: int32(number)}
	case *time.Time:
		*p, fits = valueOr(v, time.Time{})
	}
	if !fits {
		return fmt.Errorf("set %s: a %T does not fit", path, v)
	}
	return nil
}

// valueOr is v, or none for nil.
func valueOr[T any](v any, none T) (value T, fits bool) {
	if v == nil {
		return none, true
	}
	value, fits = v.(T)
	return value, fits
}

func value(p any) any {
	switch p := p.(type) {
	case *string:
		if *p != "" {
			return *p
		}
	case *bool:
		return *p
	case *POBox:
		if p.Given {
			return int64(p.Number)
		}
	case *time.Time:
		if !p.IsZero() {
			return *p
		}
	}
	return nil
}
