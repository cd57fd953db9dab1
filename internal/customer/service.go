package customer

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/fault"
)

// Ref identifies a customer by id or, when that is empty, by number.
type Ref struct {
	Tenant string
	ID     string // UUID in lower case
	Number int32
}

// ByID identifies a customer by id.
func ByID(tenant, id string) Ref { return Ref{Tenant: tenant, ID: id} }

// ByNumber identifies a customer by number.
func ByNumber(tenant string, number int32) Ref { return Ref{Tenant: tenant, Number: number} }

// AlreadyExists returns a Conflict fault when find finds a customer with the id or the number of c.
// An empty id and a number of 0 are skipped.
func (c Customer) AlreadyExists(find func(Ref) (Customer, error)) error {
	var taken []string
	for _, ref := range []Ref{ByID(c.Tenant, c.ID), ByNumber(c.Tenant, c.Number)} {
		if ref.ID == "" && ref.Number == 0 {
			continue
		}
		switch _, err := find(ref); {
		case err == nil && ref.ID != "":
			taken = append(taken, "id")
		case err == nil:
			taken = append(taken, "number")
		case !fault.Is(err, fault.NotFound):
			return err
		}
	}
	if len(taken) == 0 {
		return nil
	}
	return fault.AlreadyExists("customer", taken...)
}

// UpsertResult is the result of an Upsert: a change, or the error that prevented it.
type UpsertResult struct {
	Change Change
	Err    error
}

// LogValue keeps personal data out of every log.
func (r UpsertResult) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("change", r.Change), slog.Any("err", r.Err))
}

// Store stores customers. On every engine, a change and its history are durable when the call
// returns, or neither exists.
type Store interface {
	// Find returns a NotFound fault when the tenant has no such customer. A change of another
	// process is visible after at most a second.
	Find(ctx context.Context, ref Ref) (Customer, error)

	// Update applies edit to the customer and records the change. The edit runs again after a
	// concurrent update. Nothing is written when the edit changes nothing or returns an error.
	//
	// With idem, the idempotency record is written in the same transaction, also when nothing
	// changed. An IdempotencyInProgress fault means that the actor already has a record with this
	// key: nothing was written.
	Update(ctx context.Context, ref Ref, by ChangeMeta, edit Edit, idem *Idempotency) (Change, error)

	// Create creates a customer. An id or a number that exists is a Conflict fault. A number of 0
	// becomes the tenant's next free number. It writes the idempotency record as Update does.
	Create(ctx context.Context, tenant string, by ChangeMeta, entry Upsert, idem *Idempotency) (Change, error)

	// Upsert creates or updates the customer of each entry, in order, in any number of
	// transactions, and returns one result for each. A number of 0 becomes the tenant's next free
	// number. An error means that nothing was written.
	Upsert(ctx context.Context, tenant string, by ChangeMeta, entries []Upsert) ([]UpsertResult, error)

	// Search returns up to limit customers that match every word of text: the start of a
	// word of the name, of the e-mail address or of its domain, the number, the postal
	// code, or a phone by its last digits. Exact matches of whole words come first, then
	// by last name, first name and number. Written changes are found at once.
	Search(ctx context.Context, tenant, text string, limit int) (SearchResult, error)

	// List returns up to limit customers that the filter selects, after the cursor, by
	// number or, with ConfirmedBefore, by confirmedAt (never confirmed first) and number.
	List(ctx context.Context, tenant string, f Filter, after Cursor, limit int) ([]Customer, error)

	// Changes returns up to limit of the customer's changes with a version lower than
	// below, newest first. There are none for a customer that does not exist.
	Changes(ctx context.Context, tenant, id string, below int64, limit int) ([]ChangeRecord, error)

	// SnapshotAfter returns the version of the customer's first change after this time that has a
	// snapshot, or 0.
	SnapshotAfter(ctx context.Context, tenant, id string, at time.Time) (version int64, err error)

	// Feed returns up to limit of the tenant's changes after the one with this Seq, by Seq. A change
	// that returned before another one started comes first, and the changes of a customer come in
	// the order of their versions. No change ever appears before one that Feed has returned.
	Feed(ctx context.Context, tenant string, after int64, limit int) ([]ChangeRecord, error)
}

// IdempotencyStore stores responses for retries. Update and Create of [Store] write them too.
type IdempotencyStore interface {
	// FindResponse returns a NotFound fault when the actor has no record with this key, or one
	// that is older than oldest.
	FindResponse(ctx context.Context, tenant, actor, key string, oldest time.Time) (IdempotencyRecord, error)

	// SaveResponse stores the response to a request that changed nothing. It is an
	// IdempotencyInProgress fault when the actor has a record with this key.
	SaveResponse(ctx context.Context, r IdempotencyRecord) error
}

// Service has the use cases, one method each.
type Service struct {
	store       Store
	idempotency IdempotencyStore
	now         func() time.Time
	newID       func() string
	notifier    notifier
}

// New returns a service on store. Tests pass a fixed clock and counted ids.
func New(store Store, idempotency IdempotencyStore, now func() time.Time, newID func() string) *Service {
	return &Service{store: store, idempotency: idempotency, now: now, newID: newID}
}

// Authorize returns a fault unless the customer exists and the caller may access it with this scope.
func (s *Service) Authorize(ctx context.Context, by access.Actor, scope access.Scope, ref Ref) error {
	_, err := s.find(ctx, by, scope, ref)
	return err
}

// AuthorizeCreate returns a fault unless the caller may create customers.
func (s *Service) AuthorizeCreate(by access.Actor) error {
	return requireAllCustomers(by, access.Write, "a new customer")
}

// Get returns one customer.
func (s *Service) Get(ctx context.Context, by access.Actor, ref Ref) (Customer, error) {
	return s.find(ctx, by, access.Read, ref)
}

// Update changes a customer. An edit that changes nothing writes nothing. idem is nil without an
// idempotency key.
func (s *Service) Update(ctx context.Context, by access.Actor, ref Ref, edit Edit, idem *Idempotency) (Change, error) {
	if err := authorize(by, access.Write, ref); err != nil {
		return Change{}, err
	}
	ch, err := s.store.Update(ctx, ref, s.changeMeta(by), func(c *Customer) error {
		if err := authorizeCustomer(by, *c); err != nil {
			return err
		}
		return edit(c)
	}, idem)
	if err != nil {
		return Change{}, maskNotFound(by, ref, err)
	}
	if !ch.Empty() {
		s.notifier.notify(ref.Tenant)
	}
	return ch, nil
}

// Create creates a customer. An id or a number that exists is a Conflict fault.
func (s *Service) Create(ctx context.Context, by access.Actor, entry Upsert, idem *Idempotency) (Change, error) {
	if err := s.AuthorizeCreate(by); err != nil {
		return Change{}, err
	}
	entry.GeneratedID = s.newID()
	ch, err := s.store.Create(ctx, by.Tenant, s.changeMeta(by), entry, idem)
	if err != nil {
		return Change{}, err
	}
	s.notifier.notify(by.Tenant)
	return ch, nil
}

// CheckCreate is Create without the write.
func (s *Service) CheckCreate(ctx context.Context, by access.Actor, entry Upsert) error {
	if err := s.AuthorizeCreate(by); err != nil {
		return err
	}
	entry.GeneratedID = s.newID()
	if _, err := entry.Create(by.Tenant, 1, s.changeMeta(by)); err != nil { // any number is valid
		return err
	}
	key := Customer{Tenant: by.Tenant, ID: entry.ID, Number: entry.Number}
	return key.AlreadyExists(func(ref Ref) (Customer, error) { return s.store.Find(ctx, ref) })
}

// Search returns up to limit customers that match every word of text.
func (s *Service) Search(ctx context.Context, by access.Actor, text string, limit int) (SearchResult, error) {
	if err := requireAllCustomers(by, access.Read, "a search"); err != nil {
		return SearchResult{}, err
	}
	return s.store.Search(ctx, by.Tenant, text, limit)
}

// List returns up to limit customers that the filter selects, after the cursor.
func (s *Service) List(ctx context.Context, by access.Actor, f Filter, after Cursor, limit int) ([]Customer, error) {
	if err := requireAllCustomers(by, access.Read, "a list"); err != nil {
		return nil, err
	}
	return s.store.List(ctx, by.Tenant, f, after, limit)
}

// Preview is Update without the write.
func (s *Service) Preview(ctx context.Context, by access.Actor, ref Ref, edit Edit) (Change, error) {
	c, err := s.find(ctx, by, access.Write, ref)
	if err != nil {
		return Change{}, err
	}
	return Apply(c, s.changeMeta(by), edit)
}

// Upsert creates or updates the customer of each entry, in order. A fault of one entry does not
// affect the others.
func (s *Service) Upsert(ctx context.Context, by access.Actor, entries []Upsert) ([]UpsertResult, error) {
	if err := requireAllCustomers(by, access.Write, "a bulk load"); err != nil {
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
	results, err := s.store.Upsert(ctx, by.Tenant, s.changeMeta(by), entries)
	if slices.ContainsFunc(results, func(r UpsertResult) bool { return !r.Change.Empty() }) {
		s.notifier.notify(by.Tenant)
	}
	return results, err
}

// find returns a customer that the caller may access with this scope.
func (s *Service) find(ctx context.Context, by access.Actor, scope access.Scope, ref Ref) (Customer, error) {
	if err := authorize(by, scope, ref); err != nil {
		return Customer{}, err
	}
	c, err := s.store.Find(ctx, ref)
	if err != nil {
		return Customer{}, maskNotFound(by, ref, err)
	}
	if err := authorizeCustomer(by, c); err != nil {
		return Customer{}, err
	}
	return c, nil
}

func (s *Service) changeMeta(by access.Actor) ChangeMeta {
	return ChangeMeta{Actor: by.ID, ActorName: by.Name, Contract: by.Contract, RequestID: by.RequestID, At: s.now()}
}

// requireAllCustomers returns a fault unless the caller has the scope for all customers of the tenant.
func requireAllCustomers(by access.Actor, scope access.Scope, what string) error {
	if !by.May(scope) || !by.Customers.All() {
		return fault.New(fault.Forbidden, "%s needs %s for all customers", what, scope)
	}
	return nil
}

// authorize checks everything that can be checked before the customer is found.
func authorize(by access.Actor, scope access.Scope, ref Ref) error {
	switch {
	case by.Tenant != ref.Tenant:
		return fault.New(fault.NotFound, "no such customer")
	case !by.May(scope):
		return fault.New(fault.Forbidden, "the caller lacks %s", scope)
	case ref.ID == "" && !by.Customers.Contains(ref.Number):
		return errForbidden()
	}
	return nil
}

// authorizeCustomer returns a fault for a customer that the caller may not access.
func authorizeCustomer(by access.Actor, c Customer) error {
	if !by.Customers.Contains(c.Number) {
		return errForbidden()
	}
	return nil
}

// maskNotFound turns NotFound into Forbidden for a caller that is limited to some customers: it must
// not learn which other ids exist.
func maskNotFound(by access.Actor, ref Ref, err error) error {
	if ref.ID != "" && !by.Customers.All() && fault.Is(err, fault.NotFound) {
		return errForbidden()
	}
	return err
}

func errForbidden() error {
	return fault.New(fault.Forbidden, "the caller may not access this customer")
}
