package sqlite

import (
	"context"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/store/layout"
)

// SaveResponse implements customer.IdempotencyStore.
func (s *Store) SaveResponse(ctx context.Context, r customer.IdempotencyRecord) error {
	return s.writer.run(ctx, r.Tenant, func(tx *tx) error {
		if err := checkKeyUnused(tx.conn, r.Tenant, r.Actor, r.Key, r.At); err != nil {
			return err
		}
		return saveIdempotencyRecord(tx.conn, r)
	})
}

// withIdempotency saves the change that makeChange returns and, if idem is not nil, its idempotency
// record.
func withIdempotency(tx *tx, tenant string, meta customer.ChangeMeta, idem *customer.Idempotency, makeChange func() (change, error)) (customer.Change, error) {
	if idem != nil {
		if err := checkKeyUnused(tx.conn, tenant, meta.Actor, idem.Key, meta.At); err != nil {
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

// checkKeyUnused returns an IdempotencyInProgress fault when the actor has a record with the key.
func checkKeyUnused(conn *sqlite.Conn, tenant, actor, key string, now time.Time) error {
	scan := func(stmt *sqlite.Stmt) (string, error) { return stmt.ColumnText(1), nil }
	oldest := now.Add(-customer.IdempotencyTTL).UnixMicro()
	used, err := queryRows(conn, scan, layout.SelectIdempotencyRecord, tenant, actor, key, oldest)
	if err != nil {
		return fmt.Errorf("find idempotency record: %w", err)
	}
	if len(used) > 0 {
		return fault.New(fault.IdempotencyInProgress, "another request with this key came first")
	}
	return nil
}

// saveIdempotencyRecord replaces an expired record with the key, and deletes a few other expired
// records, so that the table does not grow.
func saveIdempotencyRecord(conn *sqlite.Conn, r customer.IdempotencyRecord) error {
	if err := execSQL(conn, layout.UpsertIdempotencyRecord, layout.IdempotencyRecords.Values(r)...); err != nil {
		return fmt.Errorf("save idempotency record: %w", err)
	}
	if err := execSQL(conn, deleteExpiredRecords, r.At.Add(-customer.IdempotencyTTL).UnixMicro()); err != nil {
		return fmt.Errorf("delete expired idempotency records: %w", err)
	}
	return nil
}

const deleteExpiredRecords = `
	DELETE FROM idempotency_records
	WHERE rowid IN (
		SELECT rowid
		FROM idempotency_records
		WHERE at < ?
		ORDER BY at
		LIMIT 3
	)`
