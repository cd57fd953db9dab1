package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// Changes implements customer.Store.
func (s *Store) Changes(ctx context.Context, tenant, id string, below int64, limit int) (list []customer.ChangeRecord, err error) {
	err = s.call(ctx, func(ctx context.Context) (err error) {
		list, err = s.recorded(ctx, selectChanges, tenant, id, below, limit)
		return err
	})
	return list, err
}

// Feed implements customer.Store. A change has the number of its transaction, which
// is given when that begins to write. So one with a lower number may still be
// written, unless all transactions up to there have ended: no change is shown
// before that. What was committed and may not be shown yet is waited for a little,
// since its caller may ask for it.
func (s *Store) Feed(ctx context.Context, tenant string, after int64, limit int) (list []customer.ChangeRecord, err error) {
	err = s.call(ctx, func(ctx context.Context) error {
		for until := time.Now().Add(s.lag); ; time.Sleep(time.Millisecond) {
			var ended int64
			if err := s.pool.QueryRow(ctx, selectHorizon, s.feedBase).Scan(&ended); err != nil {
				return fmt.Errorf("read horizon: %w", err)
			}
			if list, err = s.recorded(ctx, selectFeed, tenant, after, limit); err != nil {
				return err
			}
			committed := len(list)
			for len(list) > 0 && list[len(list)-1].Seq >= ended {
				list = list[:len(list)-1]
			}
			if len(list) > 0 || committed == 0 || time.Now().After(until) {
				return nil
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// feedPatience is how long a feed waits for other transactions to end.
const feedPatience = time.Second

// startFeed makes sure that the next change comes after all that there are. The
// transactions of another cluster, whose dump this may be, had other numbers.
func (s *Store) startFeed(ctx context.Context) error {
	return s.call(ctx, func(ctx context.Context) error {
		last, err := s.lastSeq(ctx)
		if err != nil {
			return err
		}
		if err := s.pool.QueryRow(ctx, moveFeed, last).Scan(&s.feedBase); err != nil {
			return fmt.Errorf("find where the feed goes on: %w", err)
		}
		return nil
	})
}

// lastSeq is that of the newest change of all, or 0.
func (s *Store) lastSeq(ctx context.Context) (last int64, err error) {
	rows, err := s.pool.Query(ctx, selectTenants)
	if err != nil {
		return 0, fmt.Errorf("list tenants: %w", err)
	}
	tenants, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return 0, fmt.Errorf("list tenants: %w", err)
	}
	for _, tenant := range tenants { // each has the index say its own
		var seq int64
		if err := s.pool.QueryRow(ctx, selectLastSeq, tenant).Scan(&seq); err != nil {
			return 0, fmt.Errorf("find newest change: %w", err)
		}
		last = max(last, seq)
	}
	return last, nil
}

func (s *Store) recorded(ctx context.Context, query string, args ...any) ([]customer.ChangeRecord, error) {
	rows, err := s.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanChange)
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	return list, nil
}

func scanChange(row pgx.CollectableRow) (r customer.ChangeRecord, err error) {
	var fields string
	err = row.Scan(&r.Seq, &r.CustomerID, &r.Number, &r.Version, &r.Event,
		&r.Meta.Actor, dest(&r.Meta.Contract), dest(&r.Meta.RequestID), dest(&r.Meta.At), &fields)
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

	selectChanges = `
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

	selectTenants = `
		SELECT tenant
		FROM tenants`

	selectLastSeq = `
		SELECT coalesce(max(seq), 0)
		FROM changes
		WHERE tenant = $1`
)

// selectHorizon asks before the changes are read, so that whatever has ended by
// then is among them.
var selectHorizon = `
	SELECT $1::bigint + ` + firstSeq("pg_snapshot_xmin(pg_current_snapshot())")

var moveFeed = `
	UPDATE feed
	SET base = greatest(base, $1::bigint - ` + firstSeq("pg_current_xact_id()") + `)
	RETURNING base`
