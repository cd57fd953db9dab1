package sqlite

import (
	"fmt"
	"slices"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// writeRecord writes the record, and returns its row in the table.
func (w *writer) writeRecord(ch step, diff []customer.FieldChange, seq int64) (row int64, err error) {
	if ch.Before.Version == 0 {
		return insert(w.conn, ch.Change, seq)
	}
	return ch.row, w.update(ch, diff, seq)
}

// update writes the columns that differ, and finds the row where it was: there and
// at that version, or not at all.
func (w *writer) update(ch step, diff []customer.FieldChange, seq int64) error {
	set := w.updates.of(diff)
	stmt, err := w.conn.Prepare(set.query)
	if err != nil {
		return fmt.Errorf("update customer: %w", err)
	}
	n := len(set.columns)
	for i, col := range set.columns {
		bind(stmt, 1+i, col.Field(&ch.After))
	}
	stmt.BindInt64(n+1, seq)
	stmt.BindInt64(n+2, ch.row)
	stmt.BindText(n+3, ch.Before.Tenant)
	stmt.BindText(n+4, ch.Before.ID)
	stmt.BindInt64(n+5, ch.Before.Version)
	if _, err := stmt.Step(); err != nil {
		return fmt.Errorf("update customer: %w", err)
	}
	if n := w.conn.Changes(); n != 1 {
		return fmt.Errorf("update customer: %d rows: %w", n, errMovedOn)
	}
	return nil
}

// updates are the statements that were needed so far, by the columns that they
// set: a bit for each of moving. Clients change few sets of fields; should one
// think of many, then beyond maxUpdates all columns are set.
type updates map[uint32]updateOf

const maxUpdates = 64

// updateOf sets these columns.
type updateOf struct {
	columns []layout.Column
	query   string
}

func (u updates) of(diff []customer.FieldChange) updateOf {
	var bits uint32
	for i, col := range layout.MutableColumns {
		changed := func(f customer.FieldChange) bool { return f.Path == col.Path }
		if col.Path == "" || slices.ContainsFunc(diff, changed) {
			bits |= 1 << i
		}
	}
	set, known := u[bits]
	if known {
		return set
	}
	if len(u) >= maxUpdates {
		return updateAll
	}
	for i, col := range layout.MutableColumns {
		if bits&(1<<i) != 0 {
			set.columns = append(set.columns, col)
		}
	}
	set.query = updateQuery(set.columns)
	u[bits] = set
	return set
}

var updateAll = updateOf{layout.MutableColumns, updateQuery(layout.MutableColumns)}

func updateQuery(cols []layout.Column) string {
	return `
		UPDATE customers
		SET (` + layout.Names(cols) + `, last_change) = (` + marks(cols) + `, ?)
		WHERE rowid = ? AND tenant = ? AND id = ? AND version = ?`
}
