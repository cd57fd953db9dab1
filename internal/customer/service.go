package customer

import (
	"context"
	"log/slog"
	"slices"
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

// AlreadyExists is a Conflict fault that names the id and the number of c that find finds a
// customer by, or nil when it finds none. A record without an id or a number is
// found by the other alone.
func (c Customer) AlreadyExists(find func(Ref) (Customer, error)) error {
	var taken []string
	for _, name := range []struct {
		path  string
		given bool
		ref   Ref
	}{
		{"id", c.ID != "", ByID(c.Tenant, c.ID)},
		{"number", c.Number != 0, ByNumber(c.Tenant, c.Number)},
	} {
		if !name.given {
			continue
		}
		_, err := find(name.ref)
		if err == nil {
			taken = append(taken, name.path)
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	if len(taken) == 0 {
		return nil
	}
	return fault.AlreadyExists("customer", taken...)
}

// UpsertResult is what became of an Entry: a change, or the error that prevented it.
type UpsertResult struct {
	Change Change
	Err    error
}

// LogValue keeps personal data out of every log.
func (r UpsertResult) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("change", r.Change), slog.Any("err", r.Err))
}

// Store is where customers live. It promises, on every engine, that a change and
// its record in the history are durable when the call returns, or that neither
// exists.
type Store interface {
	// Find returns a NotFound fault when the tenant has no such customer. What another
	// process has written may take up to a second to show.
	Find(ctx context.Context, ref Ref) (Customer, error)

	// Update applies edit to the customer and records the change. The edit may
	// run again when another writer came first. An edit that changes nothing
	// writes nothing; one that returns an error leaves no trace.
	//
	// With once, its receipt is kept in the same step, also when nothing changed.
	// An IdempotencyInProgress fault means that the tenant has a receipt with that key: another
	// request came first, and nothing was written.
	Update(ctx context.Context, ref Ref, by ChangeMeta, edit Edit, once *Idempotency) (Change, error)

	// Create makes the entry's customer, who must be new: a Conflict fault names
	// the id or the number that another one has. A number of 0 becomes the
	// tenant's next free one. It keeps the receipt as Revise does.
	Create(ctx context.Context, tenant string, by ChangeMeta, entry Upsert, once *Idempotency) (Change, error)

	// Upsert creates or revises each entry, in order, in as few durable steps as it
	// likes, and returns one result for each; Entry says how one is found. A
	// number of 0 becomes the tenant's next free one. An error means that no
	// entry was written.
	Upsert(ctx context.Context, tenant string, by ChangeMeta, entries []Upsert) ([]UpsertResult, error)

	// Search returns up to limit customers that match every word of text: the start of a
	// word of the name, of the e-mail address or of its domain, the number, the postal
	// code, or a phone by its last digits. Exact matches of whole words come first, then
	// by last name, first name and number. Written changes are found at once.
	Search(ctx context.Context, tenant, text string, limit int) (SearchResult, error)

	// List returns up to limit customers that the filter selects, after the cursor, by
	// number or, with ConfirmedBefore, by confirmedAt (never confirmed first) and number.
	List(ctx context.Context, tenant string, f Filter, after Cursor, limit int) ([]Customer, error)

	// Changes returns up to limit of the customer's changes, newest first, from
	// the one before version below. It is empty for a customer that is not there.
	Changes(ctx context.Context, tenant, id string, below int64, limit int) ([]ChangeRecord, error)

	// Feed returns up to limit of the tenant's changes that come after the one
	// with this Seq, in the order of their Seq: a change that was answered before
	// another one was asked for comes first, and those of a customer come in the order
	// of their versions. No change ever appears before one that Feed has returned.
	Feed(ctx context.Context, tenant string, after int64, limit int) ([]ChangeRecord, error)
}

// IdempotencyStore is where answers are kept for requests that are sent again. Revise
// and Create of [Store] write them as well.
type IdempotencyStore interface {
	// FindResponse returns a NotFound fault when the tenant has no receipt with this
	// key, or only one from before oldest.
	FindResponse(ctx context.Context, tenant, key string, oldest time.Time) (IdempotencyRecord, error)

	// SaveResponse keeps the receipt of a request that changed nothing. It is a Running
	// fault when the tenant has one with the key.
	SaveResponse(ctx context.Context, r IdempotencyRecord) error
}

// Service is the use cases. Each is one function, read from top to bottom.
type Service struct {
	store    Store
	receipts IdempotencyStore
	now      func() time.Time
	newID    func() string
	growth   growth
}

// New returns a service on store. Tests pass a fixed clock and counted ids.
func New(store Store, receipts IdempotencyStore, now func() time.Time, newID func() string) *Service {
	return &Service{store: store, receipts: receipts, now: now, newID: newID}
}

// Get returns one customer.
func (s *Service) Get(ctx context.Context, by access.Actor, ref Ref) (Customer, error) {
	return s.find(ctx, by, access.Read, ref)
}

// Update changes a customer. An edit that changes nothing leaves no trace. once
// is nil for a request that is not sent again.
func (s *Service) Update(ctx context.Context, by access.Actor, ref Ref, edit Edit, once *Idempotency) (Change, error) {
	if err := authorise(by, access.Write, ref); err != nil {
		return Change{}, err
	}
	ch, err := s.store.Update(ctx, ref, s.sign(by), func(c *Customer) error {
		if err := within(by, *c); err != nil {
			return err
		}
		return edit(c)
	}, once)
	if err != nil {
		return Change{}, hidden(by, ref, err)
	}
	if !ch.Empty() {
		s.growth.grown(ref.Tenant)
	}
	return ch, nil
}

// Create makes a new customer of the entry. It is a Conflict fault when another
// one has the id or the number.
func (s *Service) Create(ctx context.Context, by access.Actor, entry Upsert, once *Idempotency) (Change, error) {
	if err := forAll(by, access.Write, "a new customer"); err != nil {
		return Change{}, err
	}
	entry.GeneratedID = s.newID()
	ch, err := s.store.Create(ctx, by.Tenant, s.sign(by), entry, once)
	if err != nil {
		return Change{}, err
	}
	s.growth.grown(by.Tenant)
	return ch, nil
}

// CheckCreate is Create without the write: whether the entry would make a customer
// now.
func (s *Service) CheckCreate(ctx context.Context, by access.Actor, entry Upsert) error {
	if err := forAll(by, access.Write, "a new customer"); err != nil {
		return err
	}
	entry.GeneratedID = s.newID()
	if _, err := entry.Create(by.Tenant, 1, s.sign(by)); err != nil { // any number will do
		return err
	}
	named := Customer{Tenant: by.Tenant, ID: entry.ID, Number: entry.Number}
	return named.AlreadyExists(func(ref Ref) (Customer, error) { return s.store.Find(ctx, ref) })
}

// Search returns up to limit customers that match every word of text.
func (s *Service) Search(ctx context.Context, by access.Actor, text string, limit int) (SearchResult, error) {
	if err := forAll(by, access.Read, "a search"); err != nil {
		return SearchResult{}, err
	}
	return s.store.Search(ctx, by.Tenant, text, limit)
}

// List returns up to limit customers that the filter selects, after the cursor.
func (s *Service) List(ctx context.Context, by access.Actor, f Filter, after Cursor, limit int) ([]Customer, error) {
	if err := forAll(by, access.Read, "a list"); err != nil {
		return nil, err
	}
	return s.store.List(ctx, by.Tenant, f, after, limit)
}

// Preview is Update without the write: the change that edit would make now.
func (s *Service) Preview(ctx context.Context, by access.Actor, ref Ref, edit Edit) (Change, error) {
	c, err := s.find(ctx, by, access.Write, ref)
	if err != nil {
		return Change{}, err
	}
	return Apply(c, s.sign(by), edit)
}

// Upsert creates or revises each entry, in order. One entry's fault does not touch
// the others.
func (s *Service) Upsert(ctx context.Context, by access.Actor, entries []Upsert) ([]UpsertResult, error) {
	if err := forAll(by, access.Write, "a bulk load"); err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, nil
	}
	for i := range entries {
		if entries[i].ID == "" {
			entries[i].GeneratedID = s.newID()
		}
	}
	results, err := s.store.Upsert(ctx, by.Tenant, s.sign(by), entries)
	if slices.ContainsFunc(results, func(r UpsertResult) bool { return !r.Change.Empty() }) {
		s.growth.grown(by.Tenant)
	}
	return results, err
}

// find returns a customer whom the caller may reach with this scope.
func (s *Service) find(ctx context.Context, by access.Actor, scope access.Scope, ref Ref) (Customer, error) {
	if err := authorise(by, scope, ref); err != nil {
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

func (s *Service) sign(by access.Actor) ChangeMeta {
	return ChangeMeta{Actor: by.Name, Contract: by.Contract, RequestID: by.RequestID, At: s.now()}
}

// forAll refuses what needs the scope for all of the tenant's customers.
func forAll(by access.Actor, scope access.Scope, what string) error {
	if !by.May(scope) || !by.Customers.All() {
		return fault.New(fault.Forbidden, "%s needs %s for all customers", what, scope)
	}
	return nil
}

// authorise refuses what can be refused before the customer is looked up.
func authorise(by access.Actor, scope access.Scope, ref Ref) error {
	switch {
	case by.Tenant != ref.Tenant:
		return fault.New(fault.NotFound, "no such customer")
	case !by.May(scope):
		return fault.New(fault.Forbidden, "the caller lacks %s", scope)
	case ref.ID == "" && !by.Customers.Contains(ref.Number):
		return forbidden()
	}
	return nil
}

// within refuses a customer that is not among the caller's own.
func within(by access.Actor, c Customer) error {
	if !by.Customers.Contains(c.Number) {
		return forbidden()
	}
	return nil
}

// hidden turns Missing into Forbidden for a caller who names a customer by id and
// may not learn whether one that is not his exists.
func hidden(by access.Actor, ref Ref, err error) error {
	if ref.ID != "" && !by.Customers.All() && fault.Is(err, fault.NotFound) {
		return forbidden()
	}
	return err
}

func forbidden() error { return fault.New(fault.Forbidden, "not the caller's customer") }
