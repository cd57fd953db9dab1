package postgres

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
	versions, err := readRows(ctx, s, layout.ScanInt64, selectSnapshotAfter, tenant, id, at.UnixMicro())
	if err != nil || len(versions) == 0 {
		return 0, err
	}
	return versions[0], nil
}

// Feed implements customer.Store. A transaction takes the seq of its changes while it holds the
// lock of the tenant, so their order is that of the commits.
func (s *Store) Feed(ctx context.Context, tenant string, after int64, limit int) ([]customer.ChangeRecord, error) {
	return s.readChanges(ctx, selectFeed, tenant, after, limit)
}

func (s *Store) readChanges(ctx context.Context, query string, args ...any) ([]customer.ChangeRecord, error) {
	changes, err := readRows(ctx, s, layout.ScanChangeRecord, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	return changes, nil
}

var (
	selectHistory = `
		SELECT ` + layout.Changes.Columns + `
		FROM changes
		WHERE tenant = $1 AND customer_id = $2 AND version < $3
		ORDER BY version DESC
		LIMIT $4`

	selectSnapshotAfter = `
		SELECT version
		FROM changes
		WHERE tenant = $1 AND customer_id = $2 AND at > $3 AND version % 16 = 0
		ORDER BY at, version
		LIMIT 1`

	selectFeed = `
		SELECT ` + layout.Changes.Columns + `
		FROM changes
		WHERE tenant = $1 AND seq > $2
		ORDER BY seq
		LIMIT $3`
)
