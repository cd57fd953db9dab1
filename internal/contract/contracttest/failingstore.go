package contracttest

import (
	"context"
	"sync"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// failure is the error that the store currently returns, or nil.
type failure struct {
	mu      sync.Mutex
	current error
}

func (f *failure) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.current = err
}

func (f *failure) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.current
}

// readErr is the error of calls that only read: they succeed on a full disk.
func (f *failure) readErr() error {
	if err := f.err(); !fault.Is(err, fault.StorageFull) {
		return err
	}
	return nil
}

// failingStore injects the failure into every method that contracts call.
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

func (s failingStore) Search(ctx context.Context, tenant, text string, limit int) (customer.SearchResult, error) {
	if err := s.readErr(); err != nil {
		return customer.SearchResult{}, err
	}
	return s.Store.Search(ctx, tenant, text, limit)
}

func (s failingStore) List(ctx context.Context, tenant string, f customer.Filter, after customer.Cursor, limit int) ([]customer.Customer, error) {
	if err := s.readErr(); err != nil {
		return nil, err
	}
	return s.Store.List(ctx, tenant, f, after, limit)
}

func (s failingStore) Feed(ctx context.Context, tenant string, after int64, limit int) ([]customer.ChangeRecord, error) {
	if err := s.readErr(); err != nil {
		return nil, err
	}
	return s.Store.Feed(ctx, tenant, after, limit)
}

// failingRegistry injects the failure into every method that contracts call.
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
