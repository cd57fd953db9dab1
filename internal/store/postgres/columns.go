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

// placeholders returns the parameters from first to last: "$1, $2, $3".
func placeholders(first, last int) string {
	var all []string
	for n := first; n <= last; n++ {
		all = append(all, "$"+strconv.Itoa(n))
	}
	return strings.Join(all, ", ")
}

// columnValues returns the values of the columns. A value that the customer does not have is nil,
// which is NULL.
func columnValues(c *customer.Customer, cols []layout.Column) []any {
	list := make([]any, len(cols), len(cols)+3)
	for i, col := range cols {
		switch p := col.Field(c).(type) {
		case *string:
			list[i] = nullText(*p)
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

// nullText returns nil for an empty text.
func nullText(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// isValidText reports whether PostgreSQL can store the text. No row has a text that it cannot.
func isValidText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// micros returns nil for the zero time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// scanCustomer reads a row of layout.Columns.
func scanCustomer(row pgx.Row) (c customer.Customer, err error) {
	targets := make([]any, 0, len(layout.Columns))
	for _, col := range layout.Columns {
		targets = append(targets, scanTarget(col.Field(&c)))
	}
	return c, row.Scan(targets...)
}

// scanTarget returns a target of Scan that sets the field, to its zero value for NULL.
func scanTarget(field any) any {
	switch p := field.(type) {
	case *string:
		return (*textTarget)(p)
	case *customer.POBox:
		return (*poBoxTarget)(p)
	case *time.Time:
		return (*timeTarget)(p)
	}
	return field
}

type (
	textTarget  string
	poBoxTarget customer.POBox
	timeTarget  time.Time
)

// ScanText implements pgtype.TextScanner.
func (p *textTarget) ScanText(v pgtype.Text) error {
	*p = textTarget(v.String)
	return nil
}

// ScanInt64 implements pgtype.Int64Scanner.
func (p *poBoxTarget) ScanInt64(v pgtype.Int8) error {
	*p = poBoxTarget{Valid: v.Valid, Number: int32(v.Int64)}
	return nil
}

// ScanInt64 implements pgtype.Int64Scanner.
func (p *timeTarget) ScanInt64(v pgtype.Int8) error {
	*p = timeTarget{}
	if v.Valid {
		*p = timeTarget(layout.FromMicros(v.Int64))
	}
	return nil
}
