package sqlite

import (
	"context"
	"fmt"
	"time"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// Changes implements customer.Store.
func (s *Store) Changes(ctx context.Context, tenant, id string, below int64, limit int) ([]customer.ChangeRecord, error) {
	return s.readChanges(ctx, selectHistory, tenant, id, below, limit)
}

// SnapshotAfter implements customer.Store.
func (s *Store) SnapshotAfter(ctx context.Context, tenant, id string, at time.Time) (int64, error) {
	versions, err := readRows(ctx, s, scanner(layout.ScanInt64), selectSnapshotAfter, tenant, id, at.UnixMicro())
	if err != nil || len(versions) == 0 {
		return 0, err
	}
	return versions[0], nil
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
	// selectHistory follows the links from a change to older ones. It starts at the first snapshot
	// that has all of them before it, or else at the customer's newest change.
	selectHistory = `
		WITH RECURSIVE chain (link, number) AS (
			SELECT coalesce((
				SELECT seq
				FROM changes
				WHERE tenant = ?1 AND customer_id = ?2 AND version >= ?3 - 1 AND version % 16 = 0
				ORDER BY version
				LIMIT 1
			), last_change), number
			FROM customers
			WHERE tenant = ?1 AND id = ?2
			UNION ALL
			SELECT previous, number
			FROM chain
			JOIN changes ON seq = link
			WHERE previous IS NOT NULL
		)
		SELECT ` + layout.Changes.Columns + `
		FROM chain
		JOIN changes ON seq = link
		WHERE version < ?3
		LIMIT ` + limitParameter

	selectSnapshotAfter = `
		SELECT version
		FROM changes
		WHERE tenant = ? AND customer_id = ? AND at > ? AND version % 16 = 0
		ORDER BY at, version
		LIMIT 1`

	selectFeed = `
		SELECT ` + layout.Changes.Columns + `
		FROM ` + changesWithNumber + `
		WHERE tenant = ? AND seq > ?
		ORDER BY seq
		LIMIT ` + limitParameter
)

// changesWithNumber are the changes with the number of their customer, which other engines have in the table.
const changesWithNumber = `(
		SELECT changes.*, number
		FROM changes
		LEFT JOIN customers ON customers.tenant = changes.tenant AND customers.id = customer_id
	)`
