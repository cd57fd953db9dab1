package customer

import (
	"context"
	"log/slog"
	"time"

	"kartotek/internal/access"
)

// ReceiptLife is how long a receipt is kept at least.
const ReceiptLife = 24 * time.Hour

// Once makes a change happen once, however often its sender asks for it.
type Once struct {
	Key     string // the sender's name for the request, unique in the tenant
	Request string // a digest of what it asks for
	// Answer is what the sender hears of the change. It is pure, and runs inside
	// the write, so that the receipt is as durable as the change.
	Answer func(Change) ([]byte, error)
}

// Receipt is what is kept of a request that may be sent again.
type Receipt struct {
	Tenant  string
	Key     string
	Request string
	Answer  []byte
	At      time.Time
}

// LogValue keeps personal data out of every log.
func (r Receipt) LogValue() slog.Value { return slog.StringValue("receipt of " + r.Tenant) }

// Receipt is what to keep of the change. Stores call it inside the write.
func (o *Once) Receipt(ch Change, tenant string) (Receipt, error) {
	answer, err := o.Answer(ch)
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{Tenant: tenant, Key: o.Key, Request: o.Request, Answer: answer, At: normalTime(ch.By.At)}, nil
}

// Receipt finds what the caller's tenant was answered to the request with this
// key. It is a Missing fault when there is none.
func (s *Service) Receipt(ctx context.Context, by access.Actor, key string) (Receipt, error) {
	return s.receipts.Receipt(ctx, by.Tenant, key, s.now().Add(-ReceiptLife))
}

// Keep keeps the answer to a request that changed nothing, for when it is sent
// again.
func (s *Service) Keep(ctx context.Context, by access.Actor, once Once, answer []byte) error {
	return s.receipts.Keep(ctx, Receipt{by.Tenant, once.Key, once.Request, answer, normalTime(s.now())})
}
