package cli

import (
	"context"

	"kartotek/internal/access"
	"kartotek/internal/customer"
)

// backend is a store on any engine.
type backend interface {
	customer.Store
	customer.IdempotencyStore
	access.Credentials
	access.Registry
	// Secret returns a secret that all servers on the store share.
	Secret(ctx context.Context, name string) ([]byte, error)
	// Ping returns an error unless the store is available.
	Ping(ctx context.Context) error
	// Queued returns the number of writes that wait in the queue.
	Queued() int
	Close() error
}

// distributor is a backend that can distribute its tables over the nodes of Citus.
type distributor interface {
	Distribute(ctx context.Context) error
}
