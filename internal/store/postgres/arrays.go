package postgres

import (
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// rowType is the types of the columns of rows that are sent to the database as an
// array for each column.
type rowType []string

// typesOf are those of the columns of customers.
func typesOf(cols []layout.Column) rowType {
	types := make(rowType, len(cols))
	for i, col := range cols {
		switch col.Field(new(customer.Customer)).(type) {
		case *bool:
			types[i] = "boolean"
		case *int32, *customer.POBox:
			types[i] = "integer"
		case *int64, *time.Time:
			types[i] = "bigint"
		default:
			types[i] = "text"
		}
	}
	return types
}

// and is the type of rows with more columns.
func (rt rowType) and(types ...string) rowType { return append(rt[:len(rt):len(rt)], types...) }

// arrays turns rows into their parameters.
func (rt rowType) arrays(rows [][]any) []any {
	all := make([]any, len(rt))
	for i, name := range rt {
		switch name {
		case "text":
			all[i] = array[string](rows, i)
		case "boolean":
			all[i] = array[bool](rows, i)
		case "integer":
			all[i] = array[int32](rows, i)
		case "bigint":
			all[i] = array[int64](rows, i)
		case "xid":
			all[i] = array[uint32](rows, i)
		}
	}
	return all
}

// array is a column of rows, with nil for NULL.
func array[T any](rows [][]any, column int) pgtype.FlatArray[*T] {
	list := make(pgtype.FlatArray[*T], len(rows))
	for i, row := range rows {
		if v, ok := row[column].(T); ok {
			list[i] = &v
		}
	}
	return list
}

// unnest reads the rows in a statement, where their columns are named by field. How
// many they are is hidden from the planner, which would plan for each number of them
// anew.
func (rt rowType) unnest() string {
	array := func(n int) string { return "a" + strconv.Itoa(n) }
	parameter := func(n int) string { return param(n) + "::" + rt[n-1] + "[] AS " + array(n) }
	return `(SELECT ` + listed(parameter, 1, len(rt)) + ` OFFSET 0) AS arrays
		CROSS JOIN unnest(` + listed(array, 1, len(rt)) + `)
			WITH ORDINALITY AS sent (` + listed(field, 1, len(rt)) + `, place)`
}

// field writes a column: "p3".
func field(n int) string { return "p" + strconv.Itoa(n) }
