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
type trouble struct {
	mu   sync.Mutex
	fail error
}

func (t *trouble) set(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fail = err
}

func (t *trouble) err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.fail
}

// reading is what a call fails with that writes nothing: a full disk can be read.
func (t *trouble) reading() error {
	if err := t.err(); !fault.Is(err, fault.StorageFull) {
		return err
	}
	return nil
}

// troubledStore has the trouble in all that contracts call.
type troubledStore struct {
	customer.Store
	*trouble
}

func (s troubledStore) Find(ctx context.Context, ref customer.Ref) (customer.Customer, error) {
	if err := s.reading(); err != nil {
		return customer.Customer{}, err
	}
	return s.Store.Find(ctx, ref)
}

func (s troubledStore) Update(ctx context.Context, ref customer.Ref, by customer.ChangeMeta, edit customer.Edit, once *customer.Idempotency) (customer.Change, error) {
	if err := s.err(); err != nil {
		return customer.Change{}, err
	}
	return s.Store.Update(ctx, ref, by, edit, once)
}

func (s troubledStore) Create(ctx context.Context, tenant string, by customer.ChangeMeta, entry customer.Upsert, once *customer.Idempotency) (customer.Change, error) {
	if err := s.err(); err != nil {
		return customer.Change{}, err
	}
	return s.Store.Create(ctx, tenant, by, entry, once)
}

func (s troubledStore) Search(ctx context.Context, tenant string, q customer.Query, after customer.Position, limit int) (customer.Page, error) {
	if err := s.reading(); err != nil {
		return customer.Page{}, err
	}
	return s.Store.Search(ctx, tenant, q, after, limit)
}

func (s troubledStore) Feed(ctx context.Context, tenant string, after int64, limit int) ([]customer.ChangeRecord, error) {
	if err := s.reading(); err != nil {
		return nil, err
	}
	return s.Store.Feed(ctx, tenant, after, limit)
}

// troubledRegistry has the trouble in all that contracts call.
type troubledRegistry struct {
	access.Registry
	*trouble
}

func (r troubledRegistry) Accounts(ctx context.Context, tenant, after string, limit int) ([]access.Account, error) {
	if err := r.reading(); err != nil {
		return nil, err
	}
	return r.Registry.Accounts(ctx, tenant, after, limit)
}

func (r troubledRegistry) AddAccount(ctx context.Context, a access.Account) error {
	if err := r.err(); err != nil {
		return err
	}
	return r.Registry.AddAccount(ctx, a)
}

func (r troubledRegistry) RevokeAccount(ctx context.Context, tenant, login string, at time.Time) error {
	if err := r.err(); err != nil {
		return err
	}
	return r.Registry.RevokeAccount(ctx, tenant, login, at)
}

func (r troubledRegistry) Keys(ctx context.Context, tenant, after string, limit int) ([]access.Key, error) {
	if err := r.reading(); err != nil {
		return nil, err
	}
	return r.Registry.Keys(ctx, tenant, after, limit)
}

func (r troubledRegistry) AddKey(ctx context.Context, k access.Key) error {
	if err := r.err(); err != nil {
		return err
	}
	return r.Registry.AddKey(ctx, k)
}

func (r troubledRegistry) RevokeKey(ctx context.Context, tenant, id string, at time.Time) error {
	if err := r.err(); err != nil {
		return err
	}
	return r.Registry.RevokeKey(ctx, tenant, id, at)
}
