package customer

import (
	"fmt"
	"log/slog"
	"time"
)

// fields is the table of the fields that an edit may change, in the order of the record. Faults,
// history, the columns of the stores, imports and the native contract all read it.
var fields = []Field{
	text("kind", 0, func(c *Customer) *string { return &c.Kind }),
	text("firstName", 100, func(c *Customer) *string { return &c.FirstName }),
	text("lastName", 100, func(c *Customer) *string { return &c.LastName }),
	text("birthDate", 0, func(c *Customer) *string { return &c.BirthDate }),
	text("gender", 0, func(c *Customer) *string { return &c.Gender }),
	text("locale", 0, func(c *Customer) *string { return &c.Locale }),
	text("nationalId", 32, func(c *Customer) *string { return &c.NationalID }),
	text("organisationNumber", 32, func(c *Customer) *string { return &c.OrganisationNumber }),
	text("email", MaxEmail, func(c *Customer) *string { return &c.Email }),
	text("phone", 50, func(c *Customer) *string { return &c.Phone }),
	text("mobile", 50, func(c *Customer) *string { return &c.Mobile }),
	text("address.line", 200, func(c *Customer) *string { return &c.Address.Line }),
	text("address.careOf", 50, func(c *Customer) *string { return &c.Address.CareOf }),
	text("address.houseNumber", 50, func(c *Customer) *string { return &c.Address.HouseNumber }),
	text("address.houseLetter", 50, func(c *Customer) *string { return &c.Address.HouseLetter }),
	text("address.entrance", 50, func(c *Customer) *string { return &c.Address.Entrance }),
	text("address.floor", 50, func(c *Customer) *string { return &c.Address.Floor }),
	integer("address.poBox", func(c *Customer) *POBox { return &c.Address.POBox }),
	text("address.postalCode", 20, func(c *Customer) *string { return &c.Address.PostalCode }),
	text("address.city", 100, func(c *Customer) *string { return &c.Address.City }),
	text("address.region", 100, func(c *Customer) *string { return &c.Address.Region }),
	text("address.country", 0, func(c *Customer) *string { return &c.Address.Country }),
	boolean("address.editable", func(c *Customer) *bool { return &c.Address.Editable }),
	boolean("services.broadband", func(c *Customer) *bool { return &c.Services.Broadband }),
	boolean("services.districtHeating", func(c *Customer) *bool { return &c.Services.DistrictHeating }),
	boolean("services.grid", func(c *Customer) *bool { return &c.Services.Grid }),
	boolean("services.power", func(c *Customer) *bool { return &c.Services.Power }),
	timestamp("confirmedAt", func(c *Customer) *time.Time { return &c.ConfirmedAt }),
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
	accessor
}

// accessor reads and writes one field, whatever its Go type.
type accessor interface {
	// Pointer returns the address of the field in c: a *string, *bool, *POBox or *time.Time.
	Pointer(c *Customer) any
	// Get returns the value as in a FieldChange: nil when the customer does not have the field.
	Get(c *Customer) any
	// Set writes a value that Get returns. It reports whether the value has the field's type.
	Set(c *Customer, value any) bool
	// Accepts reports whether the value is nil or has the field's type.
	Accepts(value any) bool

	equal(a, b *Customer) bool
}

// fieldOf implements accessor for a field of Go type T.
type fieldOf[T comparable] struct {
	of     func(*Customer) *T
	encode func(T) any
	decode func(any) (T, bool)
}

func (f fieldOf[T]) Pointer(c *Customer) any   { return f.of(c) }
func (f fieldOf[T]) Get(c *Customer) any       { return f.encode(*f.of(c)) }
func (f fieldOf[T]) equal(a, b *Customer) bool { return *f.of(a) == *f.of(b) }

func (f fieldOf[T]) Set(c *Customer, value any) bool {
	if value == nil {
		*f.of(c) = *new(T)
		return true
	}
	v, ok := f.decode(value)
	if ok {
		*f.of(c) = v
	}
	return ok
}

func (f fieldOf[T]) Accepts(value any) bool {
	_, ok := f.decode(value)
	return ok || value == nil
}

func text(path string, maxLength int, of func(*Customer) *string) Field {
	return Field{path, TypeText, maxLength, fieldOf[string]{of, encodeUnlessZero[string], decode[string]}}
}

func boolean(path string, of func(*Customer) *bool) Field {
	return Field{path, TypeBool, 0, fieldOf[bool]{of, func(b bool) any { return b }, decode[bool]}}
}

func integer(path string, of func(*Customer) *POBox) Field {
	return Field{path, TypeInteger, 0, fieldOf[POBox]{of, encodePOBox, decodePOBox}}
}

func timestamp(path string, of func(*Customer) *time.Time) Field {
	return Field{path, TypeTime, 0, fieldOf[time.Time]{of, encodeUnlessZero[time.Time], decode[time.Time]}}
}

func encodeUnlessZero[T comparable](v T) any {
	if v == *new(T) {
		return nil
	}
	return v
}

func decode[T any](v any) (T, bool) {
	value, ok := v.(T)
	return value, ok
}

func encodePOBox(b POBox) any {
	if !b.Valid {
		return nil
	}
	return int64(b.Number)
}

func decodePOBox(v any) (POBox, bool) {
	n, ok := v.(int64)
	return POBox{Valid: true, Number: int32(n)}, ok && n == int64(int32(n))
}

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
		if !f.equal(&before, &after) {
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

// get returns the value of the field with this path.
func get(c *Customer, path string) (any, error) {
	f, ok := FieldByPath(path)
	if !ok {
		return nil, fmt.Errorf("unknown field %s", path)
	}
	return f.Get(c), nil
}

// set writes the value of the field with this path.
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
