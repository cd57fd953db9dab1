package customer

import (
	"context"
	"log/slog"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/fault"
)

// Ref is how a caller names a customer: by id or, when that is empty, by number.
type Ref struct {
	Tenant string
	ID     string // UUID in lower case
	Number int32
}

// ByID names a customer by its id.
func ByID(tenant, id string) Ref { return Ref{Tenant: tenant, ID: id} }

// ByNumber names a customer by its number.
func ByNumber(tenant string, number int32) Ref { return Ref{Tenant: tenant, Number: number} }

// Result is what became of an Entry: a change, or the error that prevented it.
type Result struct {
	Change Change
	Err    error
}

// LogValue keeps personal data out of every log.
func (r Result) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("change", r.Change), slog.Any("err", r.Err))
}

// Store is where customers live. It promises, on every engine, that a change and
// its record in the history are durable when the call returns, or that neither
// exists.
type Store interface {
	// Find returns a Missing fault when the tenant has no such customer.
	Find(ctx context.Context, ref Ref) (Customer, error)

	// Revise applies edit to the customer and records the change. The edit may
	// run again when another writer came first. An edit that changes nothing
	// writes nothing; one that returns an error leaves no trace.
	Revise(ctx context.Context, ref Ref, by Signature, edit Edit) (Change, error)

	// Put creates or revises each entry, in order, in as few durable steps as it
	// likes, and returns one result for each; Entry says how one is found. A
	// number of 0 becomes the tenant's next free one. An error means that no
	// entry was written.
	Put(ctx context.Context, tenant string, by Signature, entries []Entry) ([]Result, error)
}

// Service is the use cases. Each is one function, read from top to bottom.
type Service struct {
	store Store
	now   func() time.Time
	newID func() string
}

// New returns a service on store. Tests pass a fixed clock and counted ids.
func New(store Store, now func() time.Time, newID func() string) *Service {
	return &Service{store: store, now: now, newID: newID}
}

// Get returns one customer.
func (s *Service) Get(ctx context.Context, by access.Actor, ref Ref) (Customer, error) {
	if err := authorise(by, access.Read, ref); err != nil {
		return Customer{}, err
	}
	c, err := s.store.Find(ctx, ref)
	if err != nil {
		return Customer{}, hidden(by, ref, err)
	}
	if err := within(by, c); err != nil {
		return Customer{}, err
	}
	return c, nil
}

// Update changes a customer. An edit that changes nothing leaves no trace.
func (s *Service) Update(ctx context.Context, by access.Actor, ref Ref, edit Edit) (Change, error) {
	if err := authorise(by, access.Write, ref); err != nil {
		return Change{}, err
	}
	ch, err := s.store.Revise(ctx, ref, s.sign(by), func(c *Customer) error {
		if err := within(by, *c); err != nil {
			return err
		}
		return edit(c)
	})
	return ch, hidden(by, ref, err)
}

// Preview is Update without the write: the change that edit would make now.
func (s *Service) Preview(ctx context.Context, by access.Actor, ref Ref, edit Edit) (Change, error) {
	if err := authorise(by, access.Write, ref); err != nil {
		return Change{}, err
	}
	c, err := s.store.Find(ctx, ref)
	if err != nil {
		return Change{}, hidden(by, ref, err)
	}
	if err := within(by, c); err != nil {
		return Change{}, err
	}
	return Revised(c, s.sign(by), edit)
}

// Put creates or revises each entry, in order. One entry's fault does not touch
// the others.
func (s *Service) Put(ctx context.Context, by access.Actor, entries []Entry) ([]Result, error) {
	if !by.May(access.Write) || !by.Customers.Everyone() {
		return nil, fault.New(fault.Forbidden, "a bulk load needs %s for all customers", access.Write)
	}
	if len(entries) == 0 {
		return nil, nil
	}
	for i := range entries {
		if entries[i].ID == "" {
			entries[i].NewID = s.newID()
		}
	}
	return s.store.Put(ctx, by.Tenant, s.sign(by), entries)
}

func (s *Service) sign(by access.Actor) Signature {
	return Signature{Actor: by.Name, Contract: by.Contract, RequestID: by.RequestID, At: s.now()}
}

// authorise refuses what can be refused before the customer is looked up.
func authorise(by access.Actor, scope access.Scope, ref Ref) error {
	switch {
	case by.Tenant != ref.Tenant:
		return fault.New(fault.Missing, "no such customer")
	case !by.May(scope):
		return fault.New(fault.Forbidden, "the caller lacks %s", scope)
	case ref.ID == "" && !by.Customers.Include(ref.Number):
		return forbidden()
	}
	return nil
}

// within refuses a customer that is not among the caller's own.
func within(by access.Actor, c Customer) error {
	if !by.Customers.Include(c.Number) {
		return forbidden()
	}
	return nil
}

// hidden turns Missing into Forbidden for a caller who names a customer by id and
// may not learn whether one that is not his exists.
func hidden(by access.Actor, ref Ref, err error) error {
	if ref.ID != "" && !by.Customers.Everyone() && fault.Is(err, fault.Missing) {
		return forbidden()
	}
	return err
}

func forbidden() error { return fault.New(fault.Forbidden, "not the caller's customer") }
