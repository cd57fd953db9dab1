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

// Receipt implements customer.Receipts.
func (s *Store) Receipt(ctx context.Context, tenant, key string, oldest time.Time) (customer.Receipt, error) {
	return read(ctx, s, func(conn *sqlite.Conn) (customer.Receipt, error) {
		return findReceipt(conn, tenant, key, oldest)
	})
}

// Keep implements customer.Receipts.
func (s *Store) Keep(ctx context.Context, r customer.Receipt) error {
	return s.writer.run(ctx, func(conn *sqlite.Conn) error {
		if err := firstToUse(conn, r.Tenant, r.Key, r.At); err != nil {
			return err
		}
		return keep(conn, r)
	})
}

func findReceipt(conn *sqlite.Conn, tenant, key string, oldest time.Time) (customer.Receipt, error) {
	var found []customer.Receipt
	err := sqlitex.Execute(conn, selectReceipt, &sqlitex.ExecOptions{
		Args: []any{tenant, key, oldest.UnixMicro()},
		ResultFunc: func(stmt *sqlite.Stmt) error {
			r := customer.Receipt{Tenant: tenant, Key: key, Request: stmt.ColumnText(0), Answer: scanBytes(stmt, 1)}
			r.At = layout.Instant(stmt.ColumnInt64(2))
			found = append(found, r)
			return nil
		},
	})
	if err != nil {
		return customer.Receipt{}, fmt.Errorf("find receipt: %w", err)
	}
	if len(found) == 0 {
		return customer.Receipt{}, fault.New(fault.Missing, "no such receipt")
	}
	return found[0], nil
}

// firstToUse returns a Running fault when the tenant has a receipt with the key.
func firstToUse(conn *sqlite.Conn, tenant, key string, now time.Time) error {
	_, err := findReceipt(conn, tenant, key, now.Add(-customer.ReceiptLife))
	if err == nil {
		return fault.New(fault.Running, "another request with this key came first")
	}
	if !fault.Is(err, fault.Missing) {
		return err
	}
	return nil
}

// keep writes the receipt in place of one that is past its time, and removes a
// few others that are: each that comes makes room for itself.
func keep(conn *sqlite.Conn, r customer.Receipt) error {
	err := sqlitex.Execute(conn, putReceipt, &sqlitex.ExecOptions{
		Args: []any{r.Tenant, r.Key, r.Request, r.Answer, r.At.UnixMicro()},
	})
	if err != nil {
		return fmt.Errorf("keep receipt: %w", err)
	}
	err = sqlitex.Execute(conn, removeOldReceipts, &sqlitex.ExecOptions{
		Args: []any{r.At.Add(-customer.ReceiptLife).UnixMicro()},
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
