package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// Changes implements customer.Store.
func (s *Store) Changes(ctx context.Context, tenant, id string, below int64, limit int) ([]customer.ChangeRecord, error) {
	return s.readChanges(ctx, selectHistory, tenant, id, below, limit)
}

// Feed implements customer.Store. Only one connection writes, so the order of seq is the order of
// the commits.
func (s *Store) Feed(ctx context.Context, tenant string, after int64, limit int) ([]customer.ChangeRecord, error) {
	return s.readChanges(ctx, selectFeed, tenant, after, limit)
}

func (s *Store) readChanges(ctx context.Context, query string, args ...any) ([]customer.ChangeRecord, error) {
	changes, err := readRows(ctx, s, scanChange, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	return changes, nil
}

const (
	changeColumns = "seq, customer_id, number, changes.version, event, actor, contract, request_id, at, fields"

	// selectHistory follows the links from a customer's newest change to older ones.
	selectHistory = `
		WITH RECURSIVE chain (link, number) AS (
			SELECT last_change, number
			FROM customers
			WHERE tenant = ? AND id = ?
			UNION ALL
			SELECT previous, number
			FROM chain
			JOIN changes ON seq = link
			WHERE previous IS NOT NULL
		)
		SELECT ` + changeColumns + `
		FROM chain
		JOIN changes ON seq = link
		WHERE changes.version < ?
		LIMIT ?`

	selectFeed = `
		SELECT ` + changeColumns + `
		FROM changes
		JOIN customers ON customers.tenant = changes.tenant AND customers.id = customer_id
		WHERE changes.tenant = ? AND seq > ?
		ORDER BY seq
		LIMIT ?`
)

func scanChange(stmt *sqlite.Stmt) (customer.ChangeRecord, error) {
	fields, err := layout.DecodeFields(stmt.ColumnText(9))
	if err != nil {
		return customer.ChangeRecord{}, fmt.Errorf("change %d: %w", stmt.ColumnInt64(0), err)
	}
	return customer.ChangeRecord{
		Seq:        stmt.ColumnInt64(0),
		CustomerID: stmt.ColumnText(1),
		Number:     stmt.ColumnInt32(2),
		Version:    stmt.ColumnInt64(3),
		Event:      stmt.ColumnText(4),
		Meta:       scanMeta(stmt),
		Fields:     fields,
	}, nil
}

func scanMeta(stmt *sqlite.Stmt) customer.ChangeMeta {
	return customer.ChangeMeta{
		Actor:     stmt.ColumnText(5),
		Contract:  stmt.ColumnText(6),
		RequestID: stmt.ColumnText(7),
		At:        layout.FromMicros(stmt.ColumnInt64(8)),
	}
}
