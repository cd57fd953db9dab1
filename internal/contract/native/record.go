package native

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"kartotek/internal/customer"
)

// record is a customer with the properties that are derived from it.
type record struct {
	customer.Customer
	requiresConfirmation bool
}

// property is one property of the JSON object that represents a customer.
type property struct {
	name     string            // the last part of path
	path     string            // as in package customer: "address.city"
	readOnly bool              // set by the server: a PATCH may only repeat the value
	hidden   bool              // not in a representation
	required bool              // never null
	field    customer.Field    // unless the property is read-only or an object
	pointer  func(*record) any // the value in a record; nil for an object
	parts    []property        // of an object
}

// properties is the table of properties, in the order of a representation.
var properties = slices.Concat(
	[]property{
		readOnly("id", func(r *record) any { return &r.ID }),
		readOnly("number", func(r *record) any { return &r.Number }),
		readOnly("version", func(r *record) any { return &r.Version }),
	},
	fieldProperties(),
	[]property{
		readOnly("requiresConfirmation", func(r *record) any { return &r.requiresConfirmation }),
		readOnly("createdAt", func(r *record) any { return &r.CreatedAt }),
		readOnly("updatedAt", func(r *record) any { return &r.UpdatedAt }),
		{name: "tenant", path: "tenant", readOnly: true, hidden: true, pointer: func(r *record) any { return &r.Tenant }},
	},
)

func readOnly(name string, pointer func(*record) any) property {
	return property{name: name, path: name, readOnly: true, pointer: pointer}
}

// fieldProperties returns the fields of a customer, nested by the dots in their paths.
func fieldProperties() []property {
	var list []property
	for _, f := range customer.Fields() {
		p := property{
			name: f.Path, path: f.Path, readOnly: f.Path == "confirmedAt", required: f.Path == "kind",
			field: f, pointer: func(r *record) any { return f.Pointer(&r.Customer) },
		}
		object, name, nested := strings.Cut(f.Path, ".")
		if !nested {
			list = append(list, p)
			continue
		}
		if last := len(list) - 1; last < 0 || list[last].name != object {
			list = append(list, property{name: object, path: object})
		}
		p.name = name
		last := &list[len(list)-1]
		last.parts = append(last.parts, p)
	}
	return list
}

// find returns the property with this name, or nil.
func find(list []property, name string) *property {
	i := slices.IndexFunc(list, func(p property) bool { return p.name == name })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// pointerTo returns the JSON Pointer of a path: "/address/city" for "address.city".
func pointerTo(path string) string { return "/" + strings.ReplaceAll(path, ".", "/") }

// pointerOrder has the JSON Pointer of every property, in the order of a representation.
var pointerOrder = pointers(properties)

func pointers(list []property) (all []string) {
	for _, p := range list {
		all = append(append(all, pointerTo(p.path)), pointers(p.parts)...)
	}
	return all
}

func (h handler) record(c customer.Customer, now time.Time) *record {
	return &record{c, c.NeedsConfirmation(now, h.ConfirmAfter)}
}

// representation returns the customer as JSON, with null for a field that it does not have.
func (h handler) representation(c customer.Customer, now time.Time) jsontext.Value {
	return h.record(c, now).appendObject(make([]byte, 0, 1024), properties)
}

// Format returns a customer as a line for ParseUpsert. It has no requiresConfirmation, which depends
// on a setting of the server.
func Format(c customer.Customer) []byte {
	r := record{Customer: c}
	return r.appendObject(nil, storedProperties)
}

var storedProperties = slices.DeleteFunc(slices.Clone(properties), func(p property) bool { return p.name == "requiresConfirmation" })

func (r *record) appendObject(b []byte, list []property) []byte {
	b = append(b, '{')
	for _, p := range list {
		if p.hidden {
			continue
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, p.name...)
		b = append(b, `":`...)
		if p.parts != nil {
			b = r.appendObject(b, p.parts)
		} else {
			b = appendValue(b, p.pointer(r))
		}
	}
	return append(b, '}')
}

// appendValue appends the value of a property as JSON.
func appendValue(b []byte, pointer any) []byte {
	switch v := pointer.(type) {
	case *string:
		if *v != "" {
			b, _ = jsontext.AppendQuote(b, *v) // fails only for invalid UTF-8, which no record has
			return b
		}
	case *bool:
		return strconv.AppendBool(b, *v)
	case *int32:
		return strconv.AppendInt(b, int64(*v), 10)
	case *int64:
		return strconv.AppendInt(b, *v, 10)
	case *customer.POBox:
		if v.Valid {
			return strconv.AppendInt(b, int64(v.Number), 10)
		}
	case *time.Time:
		if !v.IsZero() {
			return append(v.UTC().AppendFormat(append(b, '"'), microseconds), '"')
		}
	}
	return append(b, "null"...)
}

const microseconds = "2006-01-02T15:04:05.000000Z"

// timestamp is a time in JSON: RFC 3339 in UTC, with microseconds.
type timestamp time.Time

// AppendText implements encoding.TextAppender.
func (t timestamp) AppendText(b []byte) ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(b, microseconds), nil
}

func timestampOrNull(t time.Time) *timestamp {
	if t.IsZero() {
		return nil
	}
	return new(timestamp(t))
}
