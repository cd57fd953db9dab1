package sqlite

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// execSQL runs a statement without parameters and rows. The connection caches it.
func execSQL(conn *sqlite.Conn, query string) error {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return err
	}
	_, err = stmt.Step()
	return err
}

// queryInt64 returns the one value of the one row of a query, and 0 for NULL.
func queryInt64(conn *sqlite.Conn, query string) (n int64, err error) {
	err = sqlitex.Execute(conn, query, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		n = stmt.ColumnInt64(0)
		return nil
	}})
	return n, err
}

// queryRows returns the rows of a query.
func queryRows[T any](conn *sqlite.Conn, scan func(*sqlite.Stmt) (T, error), query string, args ...any) (rows []T, err error) {
	err = sqlitex.Execute(conn, query, &sqlitex.ExecOptions{
		Args: args,
		ResultFunc: func(stmt *sqlite.Stmt) error {
			row, err := scan(stmt)
			rows = append(rows, row)
			return err
		},
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

func setPragmas(conn *sqlite.Conn, settings ...string) error {
	for _, setting := range settings {
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA "+setting, nil); err != nil {
			return fmt.Errorf("set %s: %w", setting, err)
		}
	}
	return nil
}

// placeholders returns a parameter for each column: "?, ?, ?".
func placeholders(cols []layout.Column) string {
	return strings.Join(slices.Repeat([]string{"?"}, len(cols)), ", ")
}

// bind sets a parameter, counted from 1, to the value of a field. A value that the customer does
// not have stays NULL.
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

// bindText leaves the parameter NULL for an empty text.
func bindText(stmt *sqlite.Stmt, param int, s string) {
	if s != "" {
		stmt.BindText(param, s)
	}
}

// scan sets a field to the value of a column, counted from 0.
func scan(stmt *sqlite.Stmt, col int, field any) {
	if stmt.ColumnIsNull(col) {
		return // the zero value
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
		*p = layout.FromMicros(stmt.ColumnInt64(col))
	}
}

// scanBytes reads a column that is never NULL.
func scanBytes(stmt *sqlite.Stmt, col int) []byte {
	b := make([]byte, stmt.ColumnLen(col))
	stmt.ColumnBytes(col, b)
	return b
}

func scanNumber(stmt *sqlite.Stmt) (int32, error) { return stmt.ColumnInt32(0), nil }

// scanCustomer reads a row that begins with layout.Columns.
func scanCustomer(stmt *sqlite.Stmt) (c customer.Customer, err error) {
	for i, col := range layout.Columns {
		scan(stmt, i, col.Field(&c))
	}
	return c, nil
}
