package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// FindResponse implements customer.IdempotencyStore.
func (s *Store) FindResponse(ctx context.Context, tenant, key string, oldest time.Time) (r customer.IdempotencyRecord, err error) {
	err = s.call(ctx, func(ctx context.Context) (err error) {
		r, err = findReceipt(ctx, s.pool, tenant, key, oldest)
		return err
	})
	return r, err
}

// SaveResponse implements customer.IdempotencyStore.
func (s *Store) SaveResponse(ctx context.Context, r customer.IdempotencyRecord) error {
	err := s.write(ctx, func(ctx context.Context) error { return keep(ctx, s.pool, r) })
	if err == nil {
		s.sweep(ctx, r.At)
	}
	return err
}

// onlyOnce runs decide, which saves a change, and keeps its receipt in the same
// transaction, unless the tenant has one with that key already. Of two who find
// none at the same time, one fails to keep his, and with that the change.
func (s *Store) onlyOnce(ctx context.Context, tenant string, by customer.ChangeMeta, once *customer.Idempotency, decide func(context.Context, pgx.Tx) (customer.Change, error)) (ch customer.Change, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		_, err := findReceipt(ctx, tx, tenant, once.Key, by.At.Add(-customer.IdempotencyTTL))
		if err == nil {
			return used()
		}
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		if ch, err = decide(ctx, tx); err != nil {
			return err
		}
		receipt, err := once.Record(ch, tenant)
		if err != nil {
			return fmt.Errorf("write receipt: %w", err)
		}
		return keep(ctx, tx, receipt)
	})
	if err == nil {
		s.sweep(ctx, by.At)
	}
	return ch, err
}

func findReceipt(ctx context.Context, db database, tenant, key string, oldest time.Time) (customer.IdempotencyRecord, error) {
	r := customer.IdempotencyRecord{Tenant: tenant, Key: key}
	err := db.QueryRow(ctx, selectReceipt, tenant, key, oldest.UnixMicro()).Scan(&r.Digest, &r.Response, dest(&r.At))
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return customer.IdempotencyRecord{}, fault.New(fault.NotFound, "no such receipt")
	case err != nil:
		return customer.IdempotencyRecord{}, fmt.Errorf("find receipt: %w", err)
	}
	return r, nil
}

// keep returns an IdempotencyInProgress fault when the tenant has a receipt with the key. One that
// has had its time is replaced.
func keep(ctx context.Context, db database, r customer.IdempotencyRecord) error {
	if r.Response == nil {
		r.Response = []byte{} // nil would be NULL
	}
	tag, err := db.Exec(ctx, putReceipt, r.Tenant, r.Key, r.Digest, r.Response, r.At.UnixMicro(), r.At.Add(-customer.IdempotencyTTL).UnixMicro())
	if err != nil {
		return fmt.Errorf("keep receipt: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return used()
	}
	return nil
}

func used() error {
	return fault.New(fault.IdempotencyInProgress, "another request with this key came first")
}

// sweeper notes up to when receipts were removed last.
type sweeper struct {
	mu   sync.Mutex
	last time.Time
}

// sweep removes the receipts that have had their time, now and then. Whoever
// cannot leaves them to the next.
func (s *Store) sweep(ctx context.Context, now time.Time) {
	s.sweeper.mu.Lock()
	due := now.Sub(s.sweeper.last).Abs() > time.Minute
	if due {
		s.sweeper.last = now
	}
	s.sweeper.mu.Unlock()
	if due {
		_ = s.call(ctx, func(ctx context.Context) error {
			_, err := s.pool.Exec(ctx, removeOldReceipts, now.Add(-customer.IdempotencyTTL).UnixMicro())
			return err
		})
	}
}

const (
	selectReceipt = `
		SELECT request, answer, at
		FROM receipts
		WHERE tenant = $1 AND key = $2 AND at >= $3`

	putReceipt = `
		INSERT INTO receipts AS r (tenant, key, request, answer, at)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (tenant, key) DO UPDATE
		SET request = excluded.request, answer = excluded.answer, at = excluded.at
		WHERE r.at < $6`

	removeOldReceipts = `
		DELETE FROM receipts
		WHERE at < $1`
)
