package sqlite

import (
	"context"
	"fmt"

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
	changes, err := readRows(ctx, s, scanner(layout.ScanChangeRecord), query, args...)
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	return changes, nil
}

var (
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
		SELECT ` + layout.Changes.Columns + `
		FROM chain
		JOIN changes ON seq = link
		WHERE version < ?
		LIMIT ?`

	selectFeed = `
		SELECT ` + layout.Changes.Columns + `
		FROM ` + changesWithNumber + `
		WHERE tenant = ? AND seq > ?
		ORDER BY seq
		LIMIT ?`
)

// changesWithNumber are the changes with the number of their customer, which other engines have in the table.
const changesWithNumber = `(
		SELECT changes.*, number
		FROM changes
		LEFT JOIN customers ON customers.tenant = changes.tenant AND customers.id = customer_id
	)`
