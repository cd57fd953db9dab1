package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/store/layout"
	"kartotek/internal/store/transfer"
)

// Snapshot is a consistent view of a file, also while a server writes to it. Only one goroutine may
// use it at a time.
type Snapshot struct {
	conn        *sqlite.Conn // in a read transaction
	watch       *sqlite.Conn // in no transaction
	dataVersion int64        // of watch, before the transaction
	id          transfer.SourceID
}

var _ transfer.Source = (*Snapshot)(nil)

// OpenSnapshot opens the file at path, which must have the newest schema, without a change to it.
func OpenSnapshot(ctx context.Context, path string) (*Snapshot, error) {
	s := &Snapshot{}
	if err := s.open(ctx, path); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), s.Close())
	}
	return s, nil
}

func (s *Snapshot) open(ctx context.Context, path string) (err error) {
	for _, conn := range []**sqlite.Conn{&s.watch, &s.conn} {
		if *conn, err = sqlite.OpenConn(path, sqlite.OpenReadWrite); err != nil { // of the lock file
			return err
		}
		if err := prepareReader(*conn); err != nil {
			return err
		}
	}
	if s.dataVersion, err = queryInt64(s.watch, "PRAGMA data_version"); err != nil {
		return err
	}
	if err := execSQL(s.conn, "BEGIN"); err != nil {
		return err
	}
	if err := requireLatestSchema(s.conn); err != nil {
		return err
	}
	if s.id.Seq, err = lastSeq(s.conn); err != nil {
		return err
	}
	// A random value that identifies the file.
	secrets, err := queryRows(s.conn, scanner(layout.Secrets.Scan), layout.SelectSecret, "cursor")
	for _, secret := range secrets {
		digest := sha256.Sum256(secret.Secret)
		s.id.Name = "sqlite:" + hex.EncodeToString(digest[:16])
	}
	return err
}

// requireLatestSchema returns an error for a file that does not have the newest schema. In a
// transaction, it takes the snapshot.
func requireLatestSchema(conn *sqlite.Conn) error {
	scripts, err := migrations()
	if err != nil {
		return err
	}
	version, err := schemaVersion(conn)
	if err != nil {
		return err
	}
	if version != len(scripts) {
		return fmt.Errorf("the file has schema %d, and this program reads schema %d: run kartotek migrate of the newer program", version, len(scripts))
	}
	return nil
}

// Close closes the file.
func (s *Snapshot) Close() (err error) {
	for _, conn := range []*sqlite.Conn{s.conn, s.watch} {
		if conn != nil {
			err = errors.Join(err, conn.Close())
		}
	}
	return err
}

// ID implements transfer.Source.
func (s *Snapshot) ID() transfer.SourceID { return s.id }

// Changed implements transfer.Source.
func (s *Snapshot) Changed(context.Context) (bool, error) {
	version, err := queryInt64(s.watch, "PRAGMA data_version")
	return version != s.dataVersion, err
}

// Remaining implements transfer.Source. It estimates the rows by the last row ids, which
// have few gaps: to count the rows would read them all.
func (s *Snapshot) Remaining(_ context.Context, from transfer.Checkpoint) (int64, error) {
	customers, err := queryInt64(s.conn, selectLastRow)
	if err != nil {
		return 0, err
	}
	return max(0, customers-from.Customers) + max(0, s.id.Seq-from.Changes), nil
}

// Rows implements transfer.Dump.
func (s *Snapshot) Rows(ctx context.Context, table, columns string) iter.Seq2[layout.Row, error] {
	if table == layout.Changes.Name {
		table = changesWithNumber
	}
	self := func(r layout.Row) (layout.Row, error) { return r, nil }
	return rows(ctx, s.conn, scanner(self), "SELECT "+columns+" FROM "+table)
}

// CustomersAfter implements transfer.Source. A VACUUM between two runs of a copy may change the row
// ids; verification finds that.
func (s *Snapshot) CustomersAfter(ctx context.Context, row int64) iter.Seq2[transfer.Customer, error] {
	return rows(ctx, s.conn, scanCustomerRow, selectCustomersAfter, row)
}

// CustomersChanged implements transfer.Source.
func (s *Snapshot) CustomersChanged(ctx context.Context, seq, row int64) iter.Seq2[transfer.Customer, error] {
	return rows(ctx, s.conn, scanCustomerRow, selectCustomersChanged, seq, row)
}

func scanCustomerRow(stmt *sqlite.Stmt) (transfer.Customer, error) {
	c, err := scanCustomer(stmt)
	return transfer.Customer{Customer: c, RowID: stmt.ColumnInt64(len(layout.Columns))}, err
}

// ChangesAfter implements transfer.Source.
func (s *Snapshot) ChangesAfter(ctx context.Context, seq int64) iter.Seq2[layout.Change, error] {
	return rows(ctx, s.conn, scanner(layout.Changes.Scan), selectChangesAfter, seq)
}

// rows iterates over the rows of a query, and reads each when the iterator needs it.
func rows[T any](ctx context.Context, conn *sqlite.Conn, scan func(*sqlite.Stmt) (T, error), query string, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		defer conn.SetInterrupt(conn.SetInterrupt(ctx.Done()))
		err := sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args, ResultFunc: func(stmt *sqlite.Stmt) error {
			row, err := scan(stmt)
			if err == nil && !yield(row, nil) {
				err = errStopIteration
			}
			return err
		}})
		if err != nil && !errors.Is(err, errStopIteration) {
			var none T
			yield(none, fmt.Errorf("read the source: %w", err))
		}
	}
}

// errStopIteration ends a query early.
var errStopIteration = errors.New("iteration stopped")

var (
	selectCustomersAfter = `
		SELECT ` + layout.Customers.Columns + `, rowid
		FROM customers
		WHERE rowid > ?
		ORDER BY rowid`

	selectCustomersChanged = `
		SELECT ` + layout.Customers.Columns + `, rowid
		FROM customers
		WHERE (tenant, id) IN (
			SELECT tenant, customer_id
			FROM changes
			WHERE seq > ?
		) AND rowid <= ?`

	selectChangesAfter = `
		SELECT ` + layout.Changes.Columns + `
		FROM ` + changesWithNumber + `
		WHERE seq > ?
		ORDER BY seq`
)

const selectLastRow = "SELECT max(rowid) FROM customers"
