package postgres

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

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

// isValidText reports whether PostgreSQL can store the text. No row has a text that it cannot.
func isValidText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// row is a row of a query, as package layout scans it.
type row struct{ pgx.Row }

// Scan implements layout.Row.
func (r row) Scan(targets ...any) error {
	for i, target := range targets {
		targets[i] = scanTarget(target)
	}
	return r.Row.Scan(targets...)
}

func scanCustomer(r pgx.CollectableRow) (customer.Customer, error) {
	return layout.Customers.Scan(row{r})
}

// scanTarget returns a target of Scan that sets the field, to its zero value for NULL.
func scanTarget(field any) any {
	switch p := field.(type) {
	case *string:
		return (*zeronull.Text)(p)
	case *customer.POBox:
		return (*poBoxTarget)(p)
	case *time.Time:
		return (*timeTarget)(p)
	}
	return field
}

type (
	poBoxTarget customer.POBox
	timeTarget  time.Time
)

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
