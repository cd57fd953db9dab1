package postgres

import (
	"context"
	"time"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/store/layout"
)

// SaveResponse implements customer.IdempotencyStore.
func (s *Store) SaveResponse(ctx context.Context, r customer.IdempotencyRecord) error {
	return s.write(ctx, r.Tenant, needs{keys: []string{r.Key}}, func(t *tx) error {
		if err := t.checkKeyUnused(actorKey{r.Actor, r.Key}, r.At); err != nil {
			return err
		}
		t.saveIdempotencyRecord(r)
		return nil
	})
}

// actorKey is an idempotency key of an actor.
type actorKey struct{ actor, key string }

// checkKeyUnused returns an IdempotencyInProgress fault when the actor has a record with the key.
func (t *tx) checkKeyUnused(key actorKey, now time.Time) error {
	if at, ok := t.keys[key]; ok && !at.Before(now.Add(-customer.IdempotencyTTL)) {
		return fault.New(fault.IdempotencyInProgress, "another request with this key came first")
	}
	return nil
}

// saveIdempotencyRecord replaces an expired record with the key, and deletes a few other expired
// records, so that the table does not grow.
func (t *tx) saveIdempotencyRecord(r customer.IdempotencyRecord) {
	t.statements.Queue(layout.UpsertIdempotencyRecord, layout.IdempotencyRecords.Values(r)...)
	t.statements.Queue(deleteExpiredRecords, t.tenant, r.At.Add(-customer.IdempotencyTTL).UnixMicro())
	t.keys[actorKey{r.Actor, r.Key}] = r.At
}

const (
	selectIdempotencyKeys = `
		SELECT actor, key, at
		FROM idempotency_records
		WHERE tenant = $1 AND key = ANY($2::text[])`

	deleteExpiredRecords = `
		DELETE FROM idempotency_records
		WHERE tenant = $1 AND (actor, key) IN (
			SELECT actor, key
			FROM idempotency_records
			WHERE tenant = $1 AND at < $2
			ORDER BY at
			LIMIT 3
		)`
)
