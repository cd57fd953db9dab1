package postgres

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// param writes a parameter: "$3".
func param(n int) string { return "$" + strconv.Itoa(n) }

// listed writes what is numbered from first to last.
func listed(written func(int) string, first, last int) string {
	all := make([]string, 0, last-first+1)
	for n := first; n <= last; n++ {
		all = append(all, written(n))
	}
	return strings.Join(all, ", ")
}

// values are those of the fields in the columns. What the customer does not have is
// nil, which is NULL.
func values(c *customer.Customer, cols []layout.Column) []any {
	list := make([]any, len(cols), len(cols)+16)
	for i, col := range cols {
		switch p := col.Field(c).(type) {
		case *string:
			list[i] = text(*p)
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
			list[i] = micros(*p)
		}
	}
	return list
}

// text is nil for an empty one.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// storable reports whether a text can be in a column at all. What cannot is looked
// for in vain.
func storable(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// micros is nil for the zero time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// scanCustomer reads the columns of a row, and behind them what more is asked for.
func scanCustomer(row pgx.Row, more ...any) (c customer.Customer, err error) {
	into := make([]any, 0, len(layout.Columns)+len(more))
	for _, col := range layout.Columns {
		into = append(into, dest(col.Field(&c)))
	}
	return c, row.Scan(append(into, more...)...)
}

// dest takes a column's value for a field. NULL is the field's zero value.
func dest(field any) any {
	switch p := field.(type) {
	case *string:
		return (*textPlace)(p)
	case *customer.POBox:
		return (*boxPlace)(p)
	case *time.Time:
		return (*timePlace)(p)
	}
	return field
}

type (
	textPlace string
	boxPlace  customer.POBox
	timePlace time.Time
)

// ScanText implements pgtype.TextScanner.
func (p *textPlace) ScanText(v pgtype.Text) error {
	*p = textPlace(v.String)
	return nil
}

// ScanInt64 implements pgtype.Int64Scanner.
func (p *boxPlace) ScanInt64(v pgtype.Int8) error {
	*p = boxPlace{Valid: v.Valid, Number: int32(v.Int64)}
	return nil
}

// ScanInt64 implements pgtype.Int64Scanner.
func (p *timePlace) ScanInt64(v pgtype.Int8) error {
	*p = timePlace{}
	if v.Valid {
		*p = timePlace(layout.Instant(v.Int64))
	}
	return nil
}
