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

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
	"kartotek/internal/store/transfer"
)

// Snapshot is a file as it was at one moment, also when a server writes to it. Only
// one goroutine may read it at a time.
type Snapshot struct {
	conn    *sqlite.Conn // in one transaction, which reads
	watch   *sqlite.Conn // in none
	written int64        // what watch said before that transaction
	origin  transfer.SourceID
}

var _ transfer.Source = (*Snapshot)(nil)

// OpenSnapshot opens the file at path, which must have the newest schema, and
// changes nothing in it.
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
	if s.written, err = integer(s.watch, "PRAGMA data_version"); err != nil {
		return err
	}
	if err := execute(s.conn, "BEGIN"); err != nil {
		return err
	}
	if err := wantNewest(s.conn); err != nil {
		return err
	}
	if s.origin.Seq, err = lastSeq(s.conn); err != nil {
		return err
	}
	for secret, err := range s.Secrets(ctx) {
		if err != nil {
			return err
		}
		if secret.Name == "cursor" { // which each file has drawn for itself
			digest := sha256.Sum256(secret.Secret)
			s.origin.Name = "sqlite:" + hex.EncodeToString(digest[:16])
		}
	}
	return nil
}

// wantNewest is an error for a file that has not the newest schema. It begins the
// transaction, if there is one.
func wantNewest(conn *sqlite.Conn) error {
	scripts, err := migrations()
	if err != nil {
		return err
	}
	version, err := schemaVersion(conn)
	if err != nil {
		return err
	}
	if version != len(scripts) {
		return fmt.Errorf("the file has schema %d, and this program reads schema %d: kartotek migrate of the newer program brings it there", version, len(scripts))
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
func (s *Snapshot) ID() transfer.SourceID { return s.origin }

// Changed implements transfer.Source.
func (s *Snapshot) Changed(context.Context) (bool, error) {
	written, err := integer(s.watch, "PRAGMA data_version")
	return written != s.written, err
}

// Remaining implements transfer.Source. Rows are numbered with hardly a gap, and to count
// them would be to read them all.
func (s *Snapshot) Remaining(_ context.Context, mark transfer.Checkpoint) (int64, error) {
	customers, err := integer(s.conn, selectLastPlace)
	if err != nil {
		return 0, err
	}
	return max(0, customers-mark.Customers) + max(0, s.origin.Seq-mark.Changes), nil
}

// Customers implements transfer.Rows.
func (s *Snapshot) Customers(ctx context.Context) iter.Seq2[transfer.Customer, error] {
	return s.CustomersAfter(ctx, 0)
}

// CustomersAfter implements transfer.Source. The place of a customer is his rowid:
// none is ever deleted. (Whoever has the rows numbered anew, between two runs of a
// copy, is found out when it is verified.)
func (s *Snapshot) CustomersAfter(ctx context.Context, place int64) iter.Seq2[transfer.Customer, error] {
	return rows(ctx, s.conn, scanPlaced, selectPlaced, place)
}

// CustomersChanged implements transfer.Source.
func (s *Snapshot) CustomersChanged(ctx context.Context, seq, place int64) iter.Seq2[transfer.Customer, error] {
	return rows(ctx, s.conn, scanPlaced, selectChanged, seq, place)
}

func scanPlaced(stmt *sqlite.Stmt) (transfer.Customer, error) {
	return transfer.Customer{Customer: scanCustomer(stmt), RowID: stmt.ColumnInt64(len(layout.Columns))}, nil
}

// Numbers implements transfer.Rows.
func (s *Snapshot) Numbers(ctx context.Context) iter.Seq2[transfer.Number, error] {
	return rows(ctx, s.conn, func(stmt *sqlite.Stmt) (transfer.Number, error) {
		return transfer.Number{Tenant: stmt.ColumnText(0), Number: stmt.ColumnInt32(1), ID: stmt.ColumnText(2)}, nil
	}, selectNumbers)
}

// Changes implements transfer.Rows.
func (s *Snapshot) Changes(ctx context.Context) iter.Seq2[transfer.Change, error] {
	return s.ChangesAfter(ctx, 0)
}

// ChangesAfter implements transfer.Source.
func (s *Snapshot) ChangesAfter(ctx context.Context, seq int64) iter.Seq2[transfer.Change, error] {
	return rows(ctx, s.conn, func(stmt *sqlite.Stmt) (transfer.Change, error) {
		return transfer.Change{
			Seq:        stmt.ColumnInt64(0),
			CustomerID: stmt.ColumnText(1),
			Number:     stmt.ColumnInt32(2),
			Version:    stmt.ColumnInt64(3),
			Event:      stmt.ColumnText(4),
			Meta:         scanSignature(stmt),
			Fields:     stmt.ColumnText(9),
			Tenant:     stmt.ColumnText(10),
		}, nil
	}, selectAllChanges, seq)
}

// IdempotencyRecords implements transfer.Rows.
func (s *Snapshot) IdempotencyRecords(ctx context.Context) iter.Seq2[customer.IdempotencyRecord, error] {
	return rows(ctx, s.conn, func(stmt *sqlite.Stmt) (customer.IdempotencyRecord, error) {
		r := customer.IdempotencyRecord{Tenant: stmt.ColumnText(0), Key: stmt.ColumnText(1), Digest: stmt.ColumnText(2), Response: scanBytes(stmt, 3)}
		scan(stmt, 4, &r.At)
		return r, nil
	}, selectAllReceipts)
}

// Accounts implements transfer.Rows.
func (s *Snapshot) Accounts(ctx context.Context) iter.Seq2[access.Account, error] {
	return rows(ctx, s.conn, scanAccount, selectAllAccounts)
}

// Keys implements transfer.Rows.
func (s *Snapshot) Keys(ctx context.Context) iter.Seq2[access.Key, error] {
	return rows(ctx, s.conn, scanKey, selectAllKeys)
}

// Secrets implements transfer.Rows.
func (s *Snapshot) Secrets(ctx context.Context) iter.Seq2[transfer.Secret, error] {
	return rows(ctx, s.conn, func(stmt *sqlite.Stmt) (transfer.Secret, error) {
		return transfer.Secret{Name: stmt.ColumnText(0), Secret: scanBytes(stmt, 1)}, nil
	}, selectAllSecrets)
}

// rows are those that a query finds, each read when it is asked for.
func rows[T any](ctx context.Context, conn *sqlite.Conn, scan func(*sqlite.Stmt) (T, error), query string, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		defer conn.SetInterrupt(conn.SetInterrupt(ctx.Done()))
		err := sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args, ResultFunc: func(stmt *sqlite.Stmt) error {
			row, err := scan(stmt)
			if err == nil && !yield(row, nil) {
				err = errEnough
			}
			return err
		}})
		if err != nil && !errors.Is(err, errEnough) {
			var none T
			yield(none, fmt.Errorf("read the source: %w", err))
		}
	}
}

// errEnough ends a query whose rows nobody wants any more.
var errEnough = errors.New("enough rows")

var (
	selectPlaced = `
		SELECT ` + layout.Names(layout.Columns) + `, rowid
		FROM customers
		WHERE rowid > ?
		ORDER BY rowid`

	selectChanged = `
		SELECT ` + layout.Names(layout.Columns) + `, rowid
		FROM customers
		WHERE (tenant, id) IN (
			SELECT tenant, customer_id
			FROM changes
			WHERE seq > ?
		) AND rowid <= ?`
)

const (
	selectLastPlace = `
		SELECT max(rowid)
		FROM customers`

	selectNumbers = `
		SELECT tenant, number, id
		FROM customers`

	selectAllChanges = `
		SELECT ` + changeColumns + `, changes.tenant
		FROM changes
		LEFT JOIN customers ON customers.tenant = changes.tenant AND customers.id = customer_id
		WHERE seq > ?
		ORDER BY seq`

	selectAllReceipts = `
		SELECT tenant, key, request, answer, at
		FROM receipts`

	selectAllAccounts = `
		SELECT ` + accountColumns + `
		FROM accounts`

	selectAllKeys = `
		SELECT ` + keyColumns + `
		FROM keys`

	selectAllSecrets = `
		SELECT name, secret
		FROM secrets`
)
