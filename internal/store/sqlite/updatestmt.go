package sqlite

import (
	"slices"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// updateStatements caches the UPDATE statement for each set of changed columns, a bit for each of
// layout.MutableColumns. An UPDATE that sets only what has changed does not touch the other indexes.
// Clients change few sets of fields; beyond maxUpdates sets, all columns are written.
type updateStatements map[uint32]updateStatement

const maxUpdates = 64

type updateStatement struct {
	columns []layout.Column
	query   string
}

func (u updateStatements) forDiff(diff []customer.FieldChange) updateStatement {
	var bits uint32
	for i, col := range layout.MutableColumns {
		changed := func(f customer.FieldChange) bool { return f.Path == col.Path }
		if col.Path == "" || slices.ContainsFunc(diff, changed) {
			bits |= 1 << i
		}
	}
	update, known := u[bits]
	if known {
		return update
	}
	if len(u) >= maxUpdates {
		return updateAll
	}
	var columns []layout.Column
	for i, col := range layout.MutableColumns {
		if bits&(1<<i) != 0 {
			columns = append(columns, col)
		}
	}
	u[bits] = newUpdate(columns)
	return u[bits]
}

var updateAll = newUpdate(layout.MutableColumns)

func newUpdate(columns []layout.Column) updateStatement {
	return updateStatement{columns, `
		UPDATE customers
		SET (` + layout.Names(columns) + `, last_change) = (` + placeholders(columns) + `, ?)
		WHERE rowid = ?`}
}
