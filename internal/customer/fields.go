package customer

import (
	"fmt"
	"log/slog"
	"reflect"
	"time"
)

// fields is the table of the fields that an edit may change, in the order of the record. Faults,
// history, the columns of the stores, imports and the native contract all read it.
var fields = []Field{
	{"kind", TypeText, 0, func(c *Customer) any { return &c.Kind }},
	{"firstName", TypeText, 100, func(c *Customer) any { return &c.FirstName }},
	{"lastName", TypeText, 100, func(c *Customer) any { return &c.LastName }},
	{"birthDate", TypeText, 0, func(c *Customer) any { return &c.BirthDate }},
	{"gender", TypeText, 0, func(c *Customer) any { return &c.Gender }},
	{"locale", TypeText, 0, func(c *Customer) any { return &c.Locale }},
	{"nationalId", TypeText, 32, func(c *Customer) any { return &c.NationalID }},
	{"organisationNumber", TypeText, 32, func(c *Customer) any { return &c.OrganisationNumber }},
	{"email", TypeText, MaxEmail, func(c *Customer) any { return &c.Email }},
	{"phone", TypeText, 50, func(c *Customer) any { return &c.Phone }},
	{"mobile", TypeText, 50, func(c *Customer) any { return &c.Mobile }},
	{"address.line", TypeText, 200, func(c *Customer) any { return &c.Address.Line }},
	{"address.careOf", TypeText, 50, func(c *Customer) any { return &c.Address.CareOf }},
	{"address.houseNumber", TypeText, 50, func(c *Customer) any { return &c.Address.HouseNumber }},
	{"address.houseLetter", TypeText, 50, func(c *Customer) any { return &c.Address.HouseLetter }},
	{"address.entrance", TypeText, 50, func(c *Customer) any { return &c.Address.Entrance }},
	{"address.floor", TypeText, 50, func(c *Customer) any { return &c.Address.Floor }},
	{"address.poBox", TypeInteger, 0, func(c *Customer) any { return &c.Address.POBox }},
	{"address.postalCode", TypeText, 20, func(c *Customer) any { return &c.Address.PostalCode }},
	{"address.city", TypeText, 100, func(c *Customer) any { return &c.Address.City }},
	{"address.region", TypeText, 100, func(c *Customer) any { return &c.Address.Region }},
	{"address.country", TypeText, 0, func(c *Customer) any { return &c.Address.Country }},
	{"address.editable", TypeBool, 0, func(c *Customer) any { return &c.Address.Editable }},
	{"services.broadband", TypeBool, 0, func(c *Customer) any { return &c.Services.Broadband }},
	{"services.districtHeating", TypeBool, 0, func(c *Customer) any { return &c.Services.DistrictHeating }},
	{"services.grid", TypeBool, 0, func(c *Customer) any { return &c.Services.Grid }},
	{"services.power", TypeBool, 0, func(c *Customer) any { return &c.Services.Power }},
	{"confirmedAt", TypeTime, 0, func(c *Customer) any { return &c.ConfirmedAt }},
}

// Patch is a partial update: the new values of fields, by path. A value has the type that a
// FieldChange has; nil clears the field. Its Apply method is an Edit.
type Patch map[string]any

// LogValue keeps personal data out of every log.
func (p Patch) LogValue() slog.Value { return slog.StringValue("patch") }

// Apply sets the fields of the patch. A new address line clears the parts of the address that the
// patch does not set: they would contradict it.
func (p Patch) Apply(c *Customer) error {
	a := &c.Address
	if _, ok := p["address.line"]; ok && NormalText(p.Text("address.line")) != a.Line {
		a.CareOf, a.HouseNumber, a.HouseLetter, a.Entrance, a.Floor = "", "", "", "", ""
	}
	for path, value := range p {
		if err := set(c, path, value); err != nil {
			return err
		}
	}
	return nil
}

// Text returns the new text of the field with this path; it is empty when the patch clears the
// field or does not set it.
func (p Patch) Text(path string) string {
	text, _ := p[path].(string)
	return text
}

// FieldType is the type of a field's values.
type FieldType uint8

// The types of field.
const (
	TypeText    FieldType = iota // string
	TypeBool                     // bool; every customer has one
	TypeInteger                  // int64, within an int32
	TypeTime                     // time.Time
)

// Field is one row of the table of fields.
type Field struct {
	Path      string // the domain's name: "address.postalCode"
	Type      FieldType
	MaxLength int // of a text, in characters; 0 when another rule limits it
	// Pointer returns the address of the field in c: a *string, *bool, *POBox or *time.Time.
	Pointer func(c *Customer) any
}

// Get returns the value as in a FieldChange: nil when the customer does not have the field.
func (f Field) Get(c *Customer) any {
	switch p := f.Pointer(c).(type) {
	case *string:
		return nilIfZero(*p)
	case *time.Time:
		return nilIfZero(*p)
	case *POBox:
		if p.Valid {
			return int64(p.Number)
		}
	case *bool:
		return *p
	}
	return nil
}

func nilIfZero[T comparable](v T) any {
	if v == *new(T) {
		return nil
	}
	return v
}

// Set writes a value that Get returns. It reports whether the value has the field's type.
func (f Field) Set(c *Customer, value any) bool {
	switch p := f.Pointer(c).(type) {
	case *string:
		return assign(p, value)
	case *time.Time:
		return assign(p, value)
	case *bool:
		return assign(p, value)
	case *POBox:
		var number int64
		ok := assign(&number, value) && number == int64(int32(number))
		if ok {
			*p = POBox{Valid: value != nil, Number: int32(number)}
		}
		return ok
	}
	return false
}

// assign clears *p when the value is nil.
func assign[T any](p *T, value any) (ok bool) {
	v, ok := value.(T)
	if ok = ok || value == nil; ok {
		*p = v
	}
	return ok
}

// Accepts reports whether the value is nil or has the field's type.
func (f Field) Accepts(value any) bool { return f.Set(new(Customer), value) }

// Fields returns the table of fields, in the order of the record. Callers must not change it.
func Fields() []Field { return fields }

// FieldByPath returns the field with this path; ok is false when there is none.
func FieldByPath(path string) (f Field, ok bool) {
	i, ok := positions[path]
	if !ok {
		return Field{}, false
	}
	return fields[i], true
}

var positions = func() map[string]int {
	byPath := make(map[string]int, len(fields))
	for i, f := range fields {
		byPath[f.Path] = i
	}
	return byPath
}()

// position returns the index of the field in the record. id and number, which are not in the table,
// come first.
func position(path string) int {
	if i, ok := positions[path]; ok {
		return i
	}
	return -1
}

// FieldChange is the change of one field. A value is nil when the customer does not have the field;
// otherwise it is a string, a bool, an int64 or a time.Time, by the field's type.
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
		b, a := reflect.ValueOf(f.Pointer(&before)), reflect.ValueOf(f.Pointer(&after))
		if !b.Elem().Equal(a.Elem()) { // needs no allocation, unlike Get
			diff = append(diff, FieldChange{f.Path, f.Get(&before), f.Get(&after)})
		}
	}
	return diff
}

// Text returns the value of the text field with this path.
func (c Customer) Text(path string) string {
	value, err := get(&c, path)
	text, _ := value.(string)
	if err != nil {
		panic(err) // a bug in the caller
	}
	return text
}

func get(c *Customer, path string) (any, error) {
	f, ok := FieldByPath(path)
	if !ok {
		return nil, fmt.Errorf("unknown field %s", path)
	}
	return f.Get(c), nil
}

func set(c *Customer, path string, value any) error {
	f, ok := FieldByPath(path)
	if !ok {
		return fmt.Errorf("unknown field %s", path)
	}
	if !f.Set(c, value) {
		return fmt.Errorf("set %s: wrong type %T", path, value)
	}
	return nil
}
