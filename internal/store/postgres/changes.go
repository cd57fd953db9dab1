package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// Changes implements customer.Store.
func (s *Store) Changes(ctx context.Context, tenant, id string, below int64, limit int) ([]customer.ChangeRecord, error) {
	return s.readChanges(ctx, selectHistory, tenant, id, below, limit)
}

// Feed implements customer.Store. A transaction takes the seq of its changes while it holds the
// lock of the tenant, so their order is that of the commits.
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

func scanChange(row pgx.CollectableRow) (r customer.ChangeRecord, err error) {
	var fields string
	err = row.Scan(&r.Seq, &r.CustomerID, &r.Number, &r.Version, &r.Event,
		&r.Meta.Actor, scanTarget(&r.Meta.Contract), scanTarget(&r.Meta.RequestID), scanTarget(&r.Meta.At), &fields)
	if err != nil {
		return customer.ChangeRecord{}, err
	}
	if r.Fields, err = layout.DecodeFields(fields); err != nil {
		return customer.ChangeRecord{}, fmt.Errorf("change %d: %w", r.Seq, err)
	}
	return r, nil
}

const (
	changeColumns = "seq, customer_id, number, version, event, actor, contract, request_id, at, fields"

	selectHistory = `
		SELECT ` + changeColumns + `
		FROM changes
		WHERE tenant = $1 AND customer_id = $2 AND version < $3
		ORDER BY version DESC
		LIMIT $4`

	selectFeed = `
		SELECT ` + changeColumns + `
		FROM changes
		WHERE tenant = $1 AND seq > $2
		ORDER BY seq
		LIMIT $3`
)
