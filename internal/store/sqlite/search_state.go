package sqlite

import (
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// indexState tells which rows searches read.
type indexState struct {
	version int   // the KeysVersion that they are of; 0 while they are made
	partial bool  // an earlier program has not made all of them
	seq     int64 // the last change that they have followed
	newest  int64 // the last change that there is
}

// done reports whether searches may read the rows, once they have followed all
// changes.
func (s indexState) done() bool { return s.version == customer.KeysVersion && !s.partial }

func findIndexState(conn *sqlite.Conn) (state indexState, err error) {
	err = sqlitex.Execute(conn, selectIndexState, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		state = indexState{stmt.ColumnInt(0), !stmt.ColumnIsNull(1), stmt.ColumnInt64(2), stmt.ColumnInt64(3)}
		return nil
	}})
	if err != nil {
		return indexState{}, fmt.Errorf("read index state: %w", err)
	}
	return state, nil
}

// errBehind is what becomes of a search before the index has followed all changes.
var errBehind = errors.New("the index has not followed all changes")

// needIndex is an Unavailable fault while the rows are not made.
func needIndex(conn *sqlite.Conn) error {
	state, err := findIndexState(conn)
	switch {
	case err != nil:
		return err
	case !state.done():
		return fault.New(fault.Unavailable, "the index for searches is being made")
	case state.seq < state.newest:
		return errBehind
	}
	return nil
}

func setIndexVersion(conn *sqlite.Conn, version int) error {
	return sqlitex.Execute(conn, updateIndexState, &sqlitex.ExecOptions{Args: []any{version}})
}

func setIndexSeq(conn *sqlite.Conn, seq int64) error {
	return sqlitex.Execute(conn, updateIndexSeq, &sqlitex.ExecOptions{Args: []any{seq}})
}

const (
	selectIndexState = `
		SELECT keys_version, tenant, seq, (SELECT max(seq) FROM changes)
		FROM search_state`

	updateIndexSeq = `
		UPDATE search_state
		SET seq = ?`

	updateIndexState = `
		UPDATE search_state
		SET (keys_version, tenant, id) = (?, NULL, NULL)`
)
