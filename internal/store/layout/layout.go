// Package layout has what the tables of all engines share: their columns, how rows are read and
// written, and the statements of the small tables. It knows no engine.
//
// Read layout.go for the columns of a customer, changes.go for the fields of a change, tables.go for
// the rows of all tables and small.go for accounts, keys, secrets and idempotency records.
package layout

import (
	"strings"
	"time"
	"unicode"

	"kartotek/internal/customer"
)

// Column is a column of the table customers.
type Column struct {
	Name  string
	Path  string                       // of the field; empty for a column that no edit changes
	Field func(*customer.Customer) any // a *string, *bool, *int32, *int64, *customer.POBox or *time.Time
}

// MutableColumns are the columns that an update may write: the version, every field of the domain's
// table, and the time of the change.
var MutableColumns = newMutableColumns()

// Columns are all columns. An UPDATE leaves out those that never change, so that it does not touch
// their indexes.
var Columns = append([]Column{
	{"tenant", "", func(c *customer.Customer) any { return &c.Tenant }},
	{"id", "", func(c *customer.Customer) any { return &c.ID }},
	{"number", "", func(c *customer.Customer) any { return &c.Number }},
	{"created_at", "", func(c *customer.Customer) any { return &c.CreatedAt }},
}, MutableColumns...)

func newMutableColumns() []Column {
	cols := []Column{{"version", "", func(c *customer.Customer) any { return &c.Version }}}
	for _, f := range customer.Fields() {
		cols = append(cols, Column{columnName(f.Path), f.Path, f.Pointer})
	}
	return append(cols, Column{"updated_at", "", func(c *customer.Customer) any { return &c.UpdatedAt }})
}

// columnName returns the path in snake case: "address.poBox" is address_po_box. The services have no
// prefix.
func columnName(path string) string {
	var name strings.Builder
	for _, r := range strings.TrimPrefix(path, "services.") {
		switch {
		case r == '.':
			name.WriteByte('_')
		case unicode.IsUpper(r):
			name.WriteByte('_')
			name.WriteRune(unicode.ToLower(r))
		default:
			name.WriteRune(r)
		}
	}
	return name.String()
}

// Names returns the list of columns for a statement.
func Names(cols []Column) string {
	list := make([]string, len(cols))
	for i, col := range cols {
		list[i] = col.Name
	}
	return strings.Join(list, ", ")
}

// Values returns the values of the columns. A value that the customer does not have is nil, which is
// NULL.
func Values(c *customer.Customer, cols []Column) []any {
	list := make([]any, len(cols), len(cols)+5) // with room for the parameters of a condition
	for i, col := range cols {
		switch p := col.Field(c).(type) {
		case *string:
			list[i] = Text(*p)
		case *bool:
			list[i] = *p
		case *int32:
			list[i] = *p
		case *int64:
			list[i] = *p
		case *customer.POBox:
			if p.Valid {
				list[i] = p.Number
			}
		case *time.Time:
			list[i] = Micros(*p)
		}
	}
	return list
}

// Text returns the value of a text in a column: nil for an empty one.
func Text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// Micros returns the value of a time in a column: microseconds since 1970, or nil for the zero time.
func Micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// FromMicros is the inverse of Micros.
func FromMicros(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
