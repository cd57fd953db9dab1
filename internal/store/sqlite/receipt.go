package sqlite

import (
	"context"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/store/layout"
)

// FindResponse implements customer.IdempotencyStore.
func (s *Store) FindResponse(ctx context.Context, tenant, key string, oldest time.Time) (customer.IdempotencyRecord, error) {
	return read(ctx, s, func(conn *sqlite.Conn) (customer.IdempotencyRecord, error) {
		return findReceipt(conn, tenant, key, oldest)
	})
}

// SaveResponse implements customer.IdempotencyStore.
func (s *Store) SaveResponse(ctx context.Context, r customer.IdempotencyRecord) error {
	return s.writer.run(ctx, func(conn *sqlite.Conn) error {
		if err := firstToUse(conn, r.Tenant, r.Key, r.At); err != nil {
			return err
		}
		return keep(conn, r)
	})
}

func findReceipt(conn *sqlite.Conn, tenant, key string, oldest time.Time) (customer.IdempotencyRecord, error) {
	var found []customer.IdempotencyRecord
	err := sqlitex.Execute(conn, selectReceipt, &sqlitex.ExecOptions{
		Args: []any{tenant, key, oldest.UnixMicro()},
		ResultFunc: func(stmt *sqlite.Stmt) error {
			r := customer.IdempotencyRecord{Tenant: tenant, Key: key, Digest: stmt.ColumnText(0), Response: scanBytes(stmt, 1)}
			r.At = layout.FromMicros(stmt.ColumnInt64(2))
			found = append(found, r)
			return nil
		},
	})
	if err != nil {
		return customer.IdempotencyRecord{}, fmt.Errorf("find receipt: %w", err)
	}
	if len(found) == 0 {
		return customer.IdempotencyRecord{}, fault.New(fault.NotFound, "no such receipt")
	}
	return found[0], nil
}

// firstToUse returns an IdempotencyInProgress fault when the tenant has a receipt with the key.
func firstToUse(conn *sqlite.Conn, tenant, key string, now time.Time) error {
	_, err := findReceipt(conn, tenant, key, now.Add(-customer.IdempotencyTTL))
	if err == nil {
		return fault.New(fault.IdempotencyInProgress, "another request with this key came first")
	}
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	return nil
}

// keep writes the receipt in place of one that is past its time, and removes a
// few others that are: each that comes makes room for itself.
func keep(conn *sqlite.Conn, r customer.IdempotencyRecord) error {
	err := sqlitex.Execute(conn, putReceipt, &sqlitex.ExecOptions{
		Args: []any{r.Tenant, r.Key, r.Digest, r.Response, r.At.UnixMicro()},
	})
	if err != nil {
		return fmt.Errorf("keep receipt: %w", err)
	}
	err = sqlitex.Execute(conn, removeOldReceipts, &sqlitex.ExecOptions{
		Args: []any{r.At.Add(-customer.IdempotencyTTL).UnixMicro()},
	})
	if err != nil {
		return fmt.Errorf("remove old receipts: %w", err)
	}
	return nil
}

const (
	selectReceipt = `
		SELECT request, answer, at
		FROM receipts
		WHERE tenant = ? AND key = ? AND at >= ?`

	putReceipt = `
		INSERT OR REPLACE INTO receipts (tenant, key, request, answer, at)
		VALUES (?, ?, ?, ?, ?)`

	removeOldReceipts = `
		DELETE FROM receipts
		WHERE rowid IN (
			SELECT rowid
			FROM receipts
			WHERE at < ?
			ORDER BY at
			LIMIT 3
		)`
)
