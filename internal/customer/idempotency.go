package customer

import (
	"context"
	"log/slog"
	"time"

	"kartotek/internal/access"
)

// IdempotencyTTL is the least time that an idempotency record is kept.
const IdempotencyTTL = 24 * time.Hour

// Idempotency makes a retry of a request return the first response instead of a second change.
type Idempotency struct {
	Key    string // from the client, unique among those of the actor
	Digest string // of the request
	// Respond returns the response to store. It is pure: it runs inside the write, so that the
	// idempotency record is as durable as the change.
	Respond func(Change) ([]byte, error)
}

// IdempotencyRecord is the stored response to a request.
type IdempotencyRecord struct {
	Tenant   string
	Actor    string // the id of the account or key
	Key      string
	Digest   string
	Response []byte
	At       time.Time
}

// LogValue keeps personal data out of every log.
func (r IdempotencyRecord) LogValue() slog.Value {
	return slog.StringValue("idempotency record of " + r.Tenant)
}

// Record returns the record of the change. Stores call it inside the write.
func (i *Idempotency) Record(ch Change, tenant string) (IdempotencyRecord, error) {
	response, err := i.Respond(ch)
	if err != nil {
		return IdempotencyRecord{}, err
	}
	return IdempotencyRecord{Tenant: tenant, Actor: ch.Meta.Actor, Key: i.Key, Digest: i.Digest, Response: response, At: normalTime(ch.Meta.At)}, nil
}

// FindResponse returns the stored response to the request of the caller with this key. It is a
// NotFound fault when there is none.
func (s *Service) FindResponse(ctx context.Context, by access.Actor, key string) (IdempotencyRecord, error) {
	return s.idempotency.FindResponse(ctx, by.Tenant, by.ID, key, s.now().Add(-IdempotencyTTL))
}

// SaveResponse stores the response to a request that changed nothing.
func (s *Service) SaveResponse(ctx context.Context, by access.Actor, idem Idempotency, response []byte) error {
	return s.idempotency.SaveResponse(ctx, IdempotencyRecord{by.Tenant, by.ID, idem.Key, idem.Digest, response, normalTime(s.now())})
}
