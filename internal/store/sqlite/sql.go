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

// execSQL runs a statement without rows. The connection caches it.
func execSQL(conn *sqlite.Conn, query string, args ...any) error {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return err
	}
	for i, arg := range args {
		bind(stmt, 1+i, arg)
	}
	_, err = stmt.Step()
	return err
}

// bind sets a parameter, counted from 1, to a value of package layout. It is faster than sqlitex,
// which uses reflection.
func bind(stmt *sqlite.Stmt, param int, value any) {
	switch v := value.(type) {
	case nil: // a parameter is NULL until it is set
	case string:
		stmt.BindText(param, v)
	case bool:
		stmt.BindBool(param, v)
	case int32:
		stmt.BindInt64(param, int64(v))
	case int64:
		stmt.BindInt64(param, v)
	case []byte:
		stmt.BindBytes(param, v)
	default:
		panic(fmt.Sprintf("no column has a %T", v))
	}
}

// queryInt64 returns the one value of the one row of a query, and 0 for NULL.
func queryInt64(conn *sqlite.Conn, query string) (int64, error) {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return 0, err
	}
	return sqlitex.ResultInt64(stmt)
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

// limitParameter is the parameter of LIMIT. SQLite would prepare a statement again for each value of
// a plain "?", to plan for that value.
const limitParameter = "? + 0"

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

// row is the current row of a statement, as package layout scans it.
type row struct{ *sqlite.Stmt }

// Scan implements layout.Row. It leaves out further columns.
func (r row) Scan(targets ...any) error {
	for i, target := range targets {
		scan(r.Stmt, i, target)
	}
	return nil
}

// scan sets a target to the value of a column, counted from 0.
func scan(stmt *sqlite.Stmt, col int, target any) {
	if stmt.ColumnIsNull(col) {
		return // the zero value
	}
	switch p := target.(type) {
	case *[]byte:
		*p = make([]byte, stmt.ColumnLen(col))
		stmt.ColumnBytes(col, *p)
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

func scanNumber(stmt *sqlite.Stmt) (int32, error) { return stmt.ColumnInt32(0), nil }

// scanner returns a function that scans the current row of a statement.
func scanner[T any](scan func(layout.Row) (T, error)) func(*sqlite.Stmt) (T, error) {
	return func(stmt *sqlite.Stmt) (T, error) { return scan(row{stmt}) }
}

func scanCustomer(stmt *sqlite.Stmt) (c customer.Customer, err error) {
	for i, col := range layout.Columns {
		scan(stmt, i, col.Field(&c))
	}
	return c, nil
}
