package sqlite

import (
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

func marks(cols []layout.Column) string {
	return strings.Join(slices.Repeat([]string{"?"}, len(cols)), ", ")
}

// bind gives a parameter, counted from 1, the value of a field. What the
// customer does not have is NULL.
func bind(stmt *sqlite.Stmt, param int, field any) {
	switch p := field.(type) {
	case *string:
		bindText(stmt, param, *p)
	case *bool:
		stmt.BindBool(param, *p)
	case *int32:
		stmt.BindInt64(param, int64(*p))
	case *int64:
		stmt.BindInt64(param, *p)
	case *customer.POBox:
		if p.Valid {
			stmt.BindInt64(param, int64(p.Number))
		}
	case *time.Time:
		if !p.IsZero() {
			stmt.BindInt64(param, p.UnixMicro())
		}
	}
}

// bindText leaves NULL, which every parameter is at first, for an empty text.
func bindText(stmt *sqlite.Stmt, param int, s string) {
	if s != "" {
		stmt.BindText(param, s)
	}
}

// scan sets a field to the value of a column, counted from 0.
func scan(stmt *sqlite.Stmt, col int, field any) {
	if stmt.ColumnIsNull(col) {
		return // the zero value says so
	}
	switch p := field.(type) {
	case *string:
		*p = stmt.ColumnText(col)
	case *bool:
		*p = stmt.ColumnBool(col)
	case *int32:
		*p = stmt.ColumnInt32(col)
	case *int64:
		*p = stmt.ColumnInt64(col)
	case *customer.POBox:
		*p = customer.POBox{Valid: true, Number: stmt.ColumnInt32(col)}
	case *time.Time:
		*p = layout.Instant(stmt.ColumnInt64(col))
	}
}

// scanBytes reads a column that is never NULL.
func scanBytes(stmt *sqlite.Stmt, col int) []byte {
	b := make([]byte, stmt.ColumnLen(col))
	stmt.ColumnBytes(col, b)
	return b
}

// scanCustomer reads a row of columns.
func scanCustomer(stmt *sqlite.Stmt) (c customer.Customer) {
	for i, col := range layout.Columns {
		scan(stmt, i, col.Field(&c))
	}
	return c
}
