package sqlite

import (
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// indexState tells which rows searches read.
type indexState struct {
	version int  // the KeysVersion that they are of; 0 while they are made
	partial bool // an earlier program has not made all of them
}

// done reports whether searches may read the rows, and changes keep them.
func (s indexState) done() bool { return s.version == customer.KeysVersion && !s.partial }

func findIndexState(conn *sqlite.Conn) (state indexState, err error) {
	err = sqlitex.Execute(conn, selectIndexState, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		state = indexState{stmt.ColumnInt(0), !stmt.ColumnIsNull(1)}
		return nil
	}})
	if err != nil {
		return indexState{}, fmt.Errorf("read index state: %w", err)
	}
	return state, nil
}

// needIndex is a Busy fault while the rows are not made.
func needIndex(conn *sqlite.Conn) error {
	state, err := findIndexState(conn)
	if err == nil && !state.done() {
		err = fault.New(fault.Busy, "the index for searches is being made")
	}
	return err
}

func setIndexVersion(conn *sqlite.Conn, version int) error {
	return sqlitex.Execute(conn, updateIndexState, &sqlitex.ExecOptions{Args: []any{version}})
}

const (
	selectIndexState = `
		SELECT keys_version, tenant
		FROM search_state`

	updateIndexState = `
		UPDATE search_state
		SET (keys_version, tenant, id) = (?, NULL, NULL)`
)
