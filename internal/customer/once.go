package customer

import (
	"context"
	"log/slog"
	"time"

	"kartotek/internal/access"
)

// IdempotencyTTL is how long a receipt is kept at least.
const IdempotencyTTL = 24 * time.Hour

// Idempotency makes a change happen once, however often its sender asks for it.
type Idempotency struct {
	Key    string // the sender's name for the request, unique in the tenant
	Digest string // a digest of what it asks for
	// BufferedResponse is what the sender hears of the change. It is pure, and runs inside
	// the write, so that the receipt is as durable as the change.
	Respond func(Change) ([]byte, error)
}

// IdempotencyRecord is what is kept of a request that may be sent again.
type IdempotencyRecord struct {
	Tenant   string
	Key      string
	Digest   string
	Response []byte
	At       time.Time
}

// LogValue keeps personal data out of every log.
func (r IdempotencyRecord) LogValue() slog.Value { return slog.StringValue("receipt of " + r.Tenant) }

// Record is what to keep of the change. Stores call it inside the write.
func (o *Idempotency) Record(ch Change, tenant string) (IdempotencyRecord, error) {
	answer, err := o.Respond(ch)
	if err != nil {
		return IdempotencyRecord{}, err
	}
	return IdempotencyRecord{Tenant: tenant, Key: o.Key, Digest: o.Digest, Response: answer, At: normalTime(ch.Meta.At)}, nil
}

// FindResponse finds what the caller's tenant was answered to the request with this
// key. It is a NotFound fault when there is none.
func (s *Service) FindResponse(ctx context.Context, by access.Actor, key string) (IdempotencyRecord, error) {
	return s.receipts.FindResponse(ctx, by.Tenant, key, s.now().Add(-IdempotencyTTL))
}

// SaveResponse keeps the answer to a request that changed nothing, for when it is sent
// again.
func (s *Service) SaveResponse(ctx context.Context, by access.Actor, once Idempotency, answer []byte) error {
	return s.receipts.SaveResponse(ctx, IdempotencyRecord{by.Tenant, once.Key, once.Digest, answer, normalTime(s.now())})
}
