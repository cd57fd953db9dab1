// Package layout has the table columns of customers and changes that all engines share. It knows no
// engine.
//
// Read layout.go for the columns of a customer, changes.go for the fields of a change.
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

// FromMicros returns the time that a column stores as microseconds since 1970.
func FromMicros(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
