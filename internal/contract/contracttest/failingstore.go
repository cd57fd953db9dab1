package contracttest

import (
	"context"
	"sync"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// trouble is what a store fails with while it is told to.
type failure struct {
	mu      sync.Mutex
	current error
}

func (t *failure) set(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current = err
}

func (t *failure) err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.current
}

// reading is what a call fails with that writes nothing: a full disk can be read.
func (t *failure) readErr() error {
	if err := t.err(); !fault.Is(err, fault.StorageFull) {
		return err
	}
	return nil
}

// troubledStore has the trouble in all that contracts call.
type failingStore struct {
	customer.Store
	*failure
}

func (s failingStore) Find(ctx context.Context, ref customer.Ref) (customer.Customer, error) {
	if err := s.readErr(); err != nil {
		return customer.Customer{}, err
	}
	return s.Store.Find(ctx, ref)
}

func (s failingStore) Update(ctx context.Context, ref customer.Ref, by customer.ChangeMeta, edit customer.Edit, once *customer.Idempotency) (customer.Change, error) {
	if err := s.err(); err != nil {
		return customer.Change{}, err
	}
	return s.Store.Update(ctx, ref, by, edit, once)
}

func (s failingStore) Create(ctx context.Context, tenant string, by customer.ChangeMeta, entry customer.Upsert, once *customer.Idempotency) (customer.Change, error) {
	if err := s.err(); err != nil {
		return customer.Change{}, err
	}
	return s.Store.Create(ctx, tenant, by, entry, once)
}

func (s failingStore) Search(ctx context.Context, tenant string, q customer.Query, after customer.Position, limit int) (customer.Page, error) {
	if err := s.readErr(); err != nil {
		return customer.Page{}, err
	}
	return s.Store.Search(ctx, tenant, q, after, limit)
}

func (s failingStore) Feed(ctx context.Context, tenant string, after int64, limit int) ([]customer.ChangeRecord, error) {
	if err := s.readErr(); err != nil {
		return nil, err
	}
	return s.Store.Feed(ctx, tenant, after, limit)
}

// troubledRegistry has the trouble in all that contracts call.
type failingRegistry struct {
	access.Registry
	*failure
}

func (r failingRegistry) Accounts(ctx context.Context, tenant, after string, limit int) ([]access.Account, error) {
	if err := r.readErr(); err != nil {
		return nil, err
	}
	return r.Registry.Accounts(ctx, tenant, after, limit)
}

func (r failingRegistry) AddAccount(ctx context.Context, a access.Account) error {
	if err := r.err(); err != nil {
		return err
	}
	return r.Registry.AddAccount(ctx, a)
}

func (r failingRegistry) RevokeAccount(ctx context.Context, tenant, login string, at time.Time) error {
	if err := r.err(); err != nil {
		return err
	}
	return r.Registry.RevokeAccount(ctx, tenant, login, at)
}

func (r failingRegistry) Keys(ctx context.Context, tenant, after string, limit int) ([]access.Key, error) {
	if err := r.readErr(); err != nil {
		return nil, err
	}
	return r.Registry.Keys(ctx, tenant, after, limit)
}

func (r failingRegistry) AddKey(ctx context.Context, k access.Key) error {
	if err := r.err(); err != nil {
		return err
	}
	return r.Registry.AddKey(ctx, k)
}

func (r failingRegistry) RevokeKey(ctx context.Context, tenant, id string, at time.Time) error {
	if err := r.err(); err != nil {
		return err
	}
	return r.Registry.RevokeKey(ctx, tenant, id, at)
}
