package sqlite

import (
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
)

// replayBatch is how many changes are made good in a step.
const replayBatch = 500

// replay has the index follow the next changes after seq, by the history, and
// returns the last of them: seq itself when there is none. The index must have the
// customers as they were at seq.
func replay(conn *sqlite.Conn, seq int64) (int64, error) {
	var order []customer.Ref
	moves := map[customer.Ref]*versions{}
	err := sqlitex.Execute(conn, changesAfter, &sqlitex.ExecOptions{
		Args: []any{seq, replayBatch},
		ResultFunc: func(stmt *sqlite.Stmt) error {
			seq = stmt.ColumnInt64(0)
			ref, version := customer.ByID(stmt.ColumnText(1), stmt.ColumnText(2)), stmt.ColumnInt64(3)
			if moves[ref] == nil {
				moves[ref] = &versions{before: version - 1}
				order = append(order, ref)
			}
			moves[ref].after = version
			return nil
		},
	})
	if err != nil {
		return 0, err
	}
	x := newIndex(conn)
	for _, ref := range order {
		ch, err := moves[ref].change(conn, ref)
		if err == nil {
			err = x.move(ch)
		}
		if err != nil {
			return 0, fmt.Errorf("replay change: %w", err)
		}
	}
	return seq, x.flush()
}

// versions are those of a customer before and after some changes.
type versions struct{ before, after int64 }

// change is what the changes made of the customer, whom later ones may have
// changed again.
func (v versions) change(conn *sqlite.Conn, ref customer.Ref) (customer.Change, error) {
	now, err := find(conn, ref)
	if err != nil {
		return customer.Change{}, err
	}
	after, err := rewind(conn, now.Customer, v.after)
	if err != nil || v.before == 0 {
		return customer.Change{After: after}, err
	}
	before, err := rewind(conn, after, v.before)
	return customer.Change{Before: before, After: after}, err
}

// rewind is a customer as of a version before.
func rewind(conn *sqlite.Conn, c customer.Customer, version int64) (customer.Customer, error) {
	err := sqlitex.Execute(conn, selectChanges, &sqlitex.ExecOptions{
		Args: []any{c.Tenant, c.ID, c.Version + 1, c.Version - version},
		ResultFunc: func(stmt *sqlite.Stmt) error {
			r, err := scanChange(stmt)
			if err == nil {
				c, err = r.Previous(c)
			}
			return err
		},
	})
	return c, err
}

const changesAfter = `
	SELECT seq, tenant, customer_id, version
	FROM changes
	WHERE seq > ?
	ORDER BY seq
	LIMIT ?`
