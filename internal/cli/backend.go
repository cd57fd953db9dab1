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

// deferrableIndexer is a backend that imports faster when it builds the search index last.
type deferrableIndexer interface {
	// PutOffIndex reports whether the index is deferred until Index runs, which only an
	// empty store allows.
	PutOffIndex(ctx context.Context) (bool, error)
	// Index builds a deferred index.
	Index(ctx context.Context, progress func(part float64)) error
}

// distributor is a backend that can distribute its tables over the nodes of Citus.
type distributor interface {
	Distribute(ctx context.Context) error
}

// distribute distributes the tables, if the engine supports it.
func distribute(ctx context.Context, store backend) error {
	tables, ok := store.(distributor)
	if !ok {
		return usagef("--citus: only PostgreSQL stores can be distributed")
	}
	return tables.Distribute(ctx)
}
