package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
)

// indexBatch is how many customers are indexed in a step, between which other
// processes get their turn to write.
const indexBatch = 500

// reindex makes the rows that searches read when the file has none, or those of
// another KeysVersion. When it is interrupted, or another process does the same,
// it goes on from where either got to. It calls tell, once, when that takes more
// than a step.
func reindex(ctx context.Context, conn *sqlite.Conn, tell func()) error {
	for step := 0; ; step++ {
		state, err := findIndexState(conn)
		if err != nil || state.done() {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if step == 1 && tell != nil {
			tell()
		}
		err = whileBusy(lockPatience, func() error { return reindexSome(conn, indexBatch) })
		if err != nil {
			return fmt.Errorf("index customers: %w", err)
		}
	}
}

// indexState is how far the rows have been made.
type indexState struct {
	version    int
	tenant, id string // of the last customer that is done; empty when all are
	making     bool
}

func (s indexState) done() bool { return s.version == customer.KeysVersion && !s.making }

func findIndexState(conn *sqlite.Conn) (state indexState, err error) {
	err = sqlitex.Execute(conn, selectIndexState, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		state = indexState{stmt.ColumnInt(0), stmt.ColumnText(1), stmt.ColumnText(2), !stmt.ColumnIsNull(1)}
		return nil
	}})
	if err != nil {
		return indexState{}, fmt.Errorf("read index state: %w", err)
	}
	return state, nil
}

// reindexSome indexes up to so many customers in one transaction.
func reindexSome(conn *sqlite.Conn, most int) (err error) {
	end, err := sqlitex.ImmediateTransaction(conn)
	if err != nil {
		return err
	}
	defer end(&err)
	state, err := findIndexState(conn) // another process may have moved it
	if err != nil || state.done() {
		return err
	}
	if state.version != customer.KeysVersion {
		if err := dropIndex(conn); err != nil {
			return err
		}
		state = indexState{version: customer.KeysVersion}
	}
	last, n, err := indexAfter(conn, state, most)
	if err != nil {
		return err
	}
	args := []any{customer.KeysVersion, last.Tenant, last.ID}
	if n < most {
		args = []any{customer.KeysVersion, nil, nil}
	}
	return sqlitex.Execute(conn, updateIndexState, &sqlitex.ExecOptions{Args: args})
}

func dropIndex(conn *sqlite.Conn) error {
	for _, query := range []string{dropEntries, dropTerms, dropPieces} {
		if err := execute(conn, query); err != nil {
			return err
		}
	}
	return nil
}

// indexAfter indexes the next customers, and returns the last and how many.
func indexAfter(conn *sqlite.Conn, state indexState, most int) (last customer.Customer, n int, err error) {
	x := newIndex(conn)
	err = sqlitex.Execute(conn, customersAfter, &sqlitex.ExecOptions{
		Args: []any{state.tenant, state.id, most},
		ResultFunc: func(stmt *sqlite.Stmt) error {
			last, n = scanCustomer(stmt), n+1
			return x.follow(customer.Change{After: last})
		},
	})
	if err != nil {
		return customer.Customer{}, 0, err
	}
	return last, n, x.flush()
}

var customersAfter = `
	SELECT ` + names(columns) + `
	FROM customers
	WHERE (tenant, id) > (?, ?)
	ORDER BY tenant, id
	LIMIT ?`

const (
	selectIndexState = `
		SELECT keys_version, tenant, id
		FROM search_state`

	updateIndexState = `
		UPDATE search_state
		SET (keys_version, tenant, id) = (?, ?, ?)`

	dropEntries = "DELETE FROM search"
	dropTerms   = "DELETE FROM terms"
	dropPieces  = "INSERT INTO pieces (pieces) VALUES ('delete-all')"
)
