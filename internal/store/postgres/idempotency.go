package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// FindResponse implements customer.IdempotencyStore.
func (s *Store) FindResponse(ctx context.Context, tenant, key string, oldest time.Time) (r customer.IdempotencyRecord, err error) {
	err = s.withRetry(ctx, func(ctx context.Context) error {
		r = customer.IdempotencyRecord{Tenant: tenant, Key: key}
		err := s.pool.QueryRow(ctx, selectIdempotencyRecord, tenant, key, oldest.UnixMicro()).Scan(&r.Digest, &r.Response, scanTarget(&r.At))
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return fault.New(fault.NotFound, "no such idempotency record")
		case err != nil:
			return fmt.Errorf("find idempotency record: %w", err)
		}
		return nil
	})
	if err != nil {
		return customer.IdempotencyRecord{}, err
	}
	return r, nil
}

// SaveResponse implements customer.IdempotencyStore.
func (s *Store) SaveResponse(ctx context.Context, r customer.IdempotencyRecord) error {
	return s.write(ctx, r.Tenant, needs{keys: []string{r.Key}}, func(t *tx) error {
		if err := t.checkKeyUnused(r.Key, r.At); err != nil {
			return err
		}
		t.saveIdempotencyRecord(r)
		return nil
	})
}

// checkKeyUnused returns an IdempotencyInProgress fault when the tenant has a record with the key.
func (t *tx) checkKeyUnused(key string, now time.Time) error {
	if at, ok := t.keys[key]; ok && !at.Before(now.Add(-customer.IdempotencyTTL)) {
		return fault.New(fault.IdempotencyInProgress, "another request with this key came first")
	}
	return nil
}

// saveIdempotencyRecord replaces an expired record with the key, and deletes a few other expired
// records, so that the table does not grow.
func (t *tx) saveIdempotencyRecord(r customer.IdempotencyRecord) {
	response := append([]byte{}, r.Response...) // nil would be NULL
	t.statements.Queue(upsertIdempotencyRecord, t.tenant, r.Key, r.Digest, response, r.At.UnixMicro())
	t.statements.Queue(deleteExpiredRecords, t.tenant, r.At.Add(-customer.IdempotencyTTL).UnixMicro())
	t.keys[r.Key] = r.At
}

const (
	selectIdempotencyRecord = `
		SELECT digest, response, at
		FROM idempotency_records
		WHERE tenant = $1 AND key = $2 AND at >= $3`

	selectIdempotencyKeys = `
		SELECT key, at
		FROM idempotency_records
		WHERE tenant = $1 AND key = ANY($2::text[])`

	upsertIdempotencyRecord = `
		INSERT INTO idempotency_records (tenant, key, digest, response, at)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (tenant, key) DO UPDATE
		SET digest = excluded.digest, response = excluded.response, at = excluded.at`

	deleteExpiredRecords = `
		DELETE FROM idempotency_records
		WHERE tenant = $1 AND key IN (
			SELECT key
			FROM idempotency_records
			WHERE tenant = $1 AND at < $2
			ORDER BY at
			LIMIT 3
		)`
)
