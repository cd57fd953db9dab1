package sqlite

import (
	"context"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// FindResponse implements customer.IdempotencyStore.
func (s *Store) FindResponse(ctx context.Context, tenant, key string, oldest time.Time) (customer.IdempotencyRecord, error) {
	return read(ctx, s, func(conn *sqlite.Conn) (customer.IdempotencyRecord, error) {
		return findIdempotencyRecord(conn, tenant, key, oldest)
	})
}

// SaveResponse implements customer.IdempotencyStore.
func (s *Store) SaveResponse(ctx context.Context, r customer.IdempotencyRecord) error {
	return s.writer.run(ctx, func(tx *tx) error {
		if err := checkKeyUnused(tx.conn, r.Tenant, r.Key, r.At); err != nil {
			return err
		}
		return saveIdempotencyRecord(tx.conn, r)
	})
}

// withIdempotency saves the change that makeChange returns and, if idem is not nil, its idempotency
// record.
func withIdempotency(tx *tx, tenant string, meta customer.ChangeMeta, idem *customer.Idempotency, makeChange func() (change, error)) (customer.Change, error) {
	if idem != nil {
		if err := checkKeyUnused(tx.conn, tenant, idem.Key, meta.At); err != nil {
			return customer.Change{}, err
		}
	}
	ch, err := makeChange()
	if err != nil {
		return customer.Change{}, err
	}
	if idem == nil {
		return ch.Change, tx.save(ch)
	}
	r, err := idem.Record(ch.Change, tenant)
	if err != nil {
		return customer.Change{}, fmt.Errorf("encode idempotency record: %w", err)
	}
	if err := tx.save(ch); err != nil {
		return customer.Change{}, err
	}
	return ch.Change, saveIdempotencyRecord(tx.conn, r)
}

// checkKeyUnused returns an IdempotencyInProgress fault when the tenant has a record with the key.
func checkKeyUnused(conn *sqlite.Conn, tenant, key string, now time.Time) error {
	_, err := findIdempotencyRecord(conn, tenant, key, now.Add(-customer.IdempotencyTTL))
	if err == nil {
		return fault.New(fault.IdempotencyInProgress, "another request with this key came first")
	}
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	return nil
}

func findIdempotencyRecord(conn *sqlite.Conn, tenant, key string, oldest time.Time) (customer.IdempotencyRecord, error) {
	found, err := queryRows(conn, scanIdempotencyRecord, selectIdempotencyRecord, tenant, key, oldest.UnixMicro())
	if err != nil {
		return customer.IdempotencyRecord{}, fmt.Errorf("find idempotency record: %w", err)
	}
	if len(found) == 0 {
		return customer.IdempotencyRecord{}, fault.New(fault.NotFound, "no such idempotency record")
	}
	return found[0], nil
}

func scanIdempotencyRecord(stmt *sqlite.Stmt) (customer.IdempotencyRecord, error) {
	r := customer.IdempotencyRecord{
		Tenant:   stmt.ColumnText(0),
		Key:      stmt.ColumnText(1),
		Digest:   stmt.ColumnText(2),
		Response: scanBytes(stmt, 3),
	}
	scan(stmt, 4, &r.At)
	return r, nil
}

// saveIdempotencyRecord replaces an expired record with the key, and deletes a few other expired
// records, so that the table does not grow.
func saveIdempotencyRecord(conn *sqlite.Conn, r customer.IdempotencyRecord) error {
	err := sqlitex.Execute(conn, upsertIdempotencyRecord, &sqlitex.ExecOptions{
		Args: []any{r.Tenant, r.Key, r.Digest, r.Response, r.At.UnixMicro()},
	})
	if err != nil {
		return fmt.Errorf("save idempotency record: %w", err)
	}
	err = sqlitex.Execute(conn, deleteExpiredRecords, &sqlitex.ExecOptions{
		Args: []any{r.At.Add(-customer.IdempotencyTTL).UnixMicro()},
	})
	if err != nil {
		return fmt.Errorf("delete expired idempotency records: %w", err)
	}
	return nil
}

const (
	idempotencyColumns = "tenant, key, digest, response, at"

	selectIdempotencyRecord = `
		SELECT ` + idempotencyColumns + `
		FROM idempotency_records
		WHERE tenant = ? AND key = ? AND at >= ?`

	upsertIdempotencyRecord = `
		INSERT OR REPLACE INTO idempotency_records (` + idempotencyColumns + `)
		VALUES (?, ?, ?, ?, ?)`

	deleteExpiredRecords = `
		DELETE FROM idempotency_records
		WHERE rowid IN (
			SELECT rowid
			FROM idempotency_records
			WHERE at < ?
			ORDER BY at
			LIMIT 3
		)`
)
