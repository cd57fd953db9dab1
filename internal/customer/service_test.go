package customer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// memoryStore is a Store in memory that counts calls and writes.
type memoryStore struct {
	customer.Store // the methods that it does not implement

	mu            sync.Mutex // guards changes, for waiting feeds
	changes       []customer.ChangeRecord
	tenants       []string // of the changes
	feedReads     int      // calls of Feed
	afterFeedRead func()   // runs after each read, unless nil

	records []customer.Customer
	calls   int
	writes  int
	meta    customer.ChangeMeta // of the last write
	failure error               // returned by every call
}

func (s *memoryStore) at(ref customer.Ref) int {
	return slices.IndexFunc(s.records, func(c customer.Customer) bool {
		return c.Tenant == ref.Tenant && (c.ID == ref.ID || ref.ID == "" && c.Number == ref.Number)
	})
}

func (s *memoryStore) Find(_ context.Context, ref customer.Ref) (customer.Customer, error) {
	s.calls++
	i := s.at(ref)
	if s.failure != nil || i < 0 {
		return customer.Customer{}, errOr(s.failure)
	}
	return s.records[i], nil
}

func (s *memoryStore) Update(_ context.Context, ref customer.Ref, by customer.ChangeMeta, edit customer.Edit, _ *customer.Idempotency) (customer.Change, error) {
	s.calls++
	s.meta = by
	i := s.at(ref)
	if s.failure != nil || i < 0 {
		return customer.Change{}, errOr(s.failure)
	}
	ch, err := customer.Apply(s.records[i], by, edit)
	if err == nil && !ch.Empty() {
		s.records[i] = ch.After
		s.record(ch)
	}
	return ch, err
}

func (s *memoryStore) Create(_ context.Context, tenant string, by customer.ChangeMeta, entry customer.Upsert, _ *customer.Idempotency) (customer.Change, error) {
	s.calls++
	s.meta = by
	ch, err := entry.Create(tenant, int32(len(s.records)+100), by)
	if err = errors.Join(err, s.failure); err != nil {
		return customer.Change{}, err
	}
	s.records = append(s.records, ch.After)
	s.record(ch)
	return ch, nil
}

func (s *memoryStore) Upsert(_ context.Context, tenant string, by customer.ChangeMeta, entries []customer.Upsert) ([]customer.UpsertResult, error) {
	s.calls++
	s.meta = by
	var results []customer.UpsertResult
	for _, e := range entries {
		ch, err := e.Create(tenant, int32(len(s.records)+100), by)
		if err == nil {
			s.records = append(s.records, ch.After)
			s.record(ch)
		}
		results = append(results, customer.UpsertResult{Change: ch, Err: err})
	}
	return results, s.failure
}

// record adds a change to the history.
func (s *memoryStore) record(ch customer.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	by := ch.Meta
	by.At = ch.After.UpdatedAt
	s.changes = append(s.changes, customer.ChangeRecord{
		Seq: int64(len(s.changes) + 1), CustomerID: ch.After.ID, Number: ch.After.Number, Version: ch.After.Version,
		Event: ch.Event(), Meta: by, Fields: ch.Diff(), Snapshot: ch.Snapshot(),
	})
	s.tenants = append(s.tenants, ch.After.Tenant)
	s.writes++
}

func (s *memoryStore) Changes(_ context.Context, tenant, id string, below int64, limit int) ([]customer.ChangeRecord, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []customer.ChangeRecord
	for _, r := range slices.Backward(s.changes) {
		if s.tenants[r.Seq-1] == tenant && r.CustomerID == id && r.Version < below && len(found) < limit {
			found = append(found, r)
		}
	}
	return found, s.failure
}

func (s *memoryStore) Feed(_ context.Context, tenant string, after int64, limit int) ([]customer.ChangeRecord, error) {
	found := s.changesAfter(tenant, after, limit)
	if s.afterFeedRead != nil {
		s.afterFeedRead()
	}
	return found, s.failure
}

func (s *memoryStore) changesAfter(tenant string, after int64, limit int) []customer.ChangeRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.feedReads++
	var found []customer.ChangeRecord
	for _, r := range s.changes {
		if s.tenants[r.Seq-1] == tenant && r.Seq > after && len(found) < limit {
			found = append(found, r)
		}
	}
	return found
}

func errOr(err error) error {
	if err != nil {
		return err
	}
	return fault.New(fault.NotFound, "no such customer")
}

var (
	mine    = createAndUpdate("north", 7)[1].After
	yours   = createAndUpdate("north", 8)[1].After
	foreign = createAndUpdate("south", 7)[1].After
)

const unknownID = "0191d3a0-0000-7000-8000-0000000000ff"

// createAndUpdate returns the creation of a customer and an update.
func createAndUpdate(tenant string, number int32) []customer.Change {
	c := full()
	c.Tenant, c.Number = tenant, number
	c.ID = fmt.Sprintf("0191d3a0-0000-7000-8000-%04x%08d", tenant[:2], number)
	created, err := customer.Create(c, kari)
	if err != nil {
		panic(err)
	}
	change, err := customer.Apply(created.After, kari, setFirstName("Ada"))
	if err != nil {
		panic(err)
	}
	return []customer.Change{created, change}
}

func actor(customers access.Customers, scopes ...access.Scope) access.Actor {
	return access.Actor{
		Tenant: "north", ID: "acc_kari", Name: "kari", Customers: customers, Scopes: scopes, Contract: "elw", RequestID: "r1",
	}
}

func service() (*customer.Service, *memoryStore) {
	s := &memoryStore{records: []customer.Customer{mine, yours, foreign}}
	for _, c := range s.records {
		for _, ch := range createAndUpdate(c.Tenant, c.Number) {
			s.record(ch)
		}
	}
	s.writes = 0
	ids := 0
	return customer.New(s, nil, func() time.Time { return noon }, func() string {
		ids++
		return fmt.Sprintf("0191d3a0-0000-7000-8000-00000000f%03d", ids)
	}), s
}

func TestUseCasesCheckAccessToCustomer(t *testing.T) {
	t.Parallel()
	all, own := access.AllCustomers(), access.OnlyCustomers(7, 9)
	byID, byNumber := customer.ByID, customer.ByNumber
	tests := map[string]struct {
		customers access.Customers
		ref       customer.Ref
		want      fault.Kind // empty for success
		called    bool       // whether the store is called
	}{
		"all, by id":                       {all, byID("north", mine.ID), "", true},
		"all, by number":                   {all, byNumber("north", 8), "", true},
		"all, unknown id":                  {all, byID("north", unknownID), fault.NotFound, true},
		"all, unknown number":              {all, byNumber("north", 99), fault.NotFound, true},
		"own, by id":                       {own, byID("north", mine.ID), "", true},
		"own, by number":                   {own, byNumber("north", 7), "", true},
		"own, unknown number":              {own, byNumber("north", 9), fault.NotFound, true},
		"other, by id":                     {own, byID("north", yours.ID), fault.Forbidden, true},
		"other, by number":                 {own, byNumber("north", 8), fault.Forbidden, false},
		"other, unknown number":            {own, byNumber("north", 99), fault.Forbidden, false},
		"own, unknown id":                  {own, byID("north", unknownID), fault.Forbidden, true},
		"other, by id with an own number":  {own, customer.Ref{Tenant: "north", ID: yours.ID, Number: 7}, fault.Forbidden, true},
		"other tenant, by id":              {all, byID("south", foreign.ID), fault.NotFound, false},
		"other tenant, by number":          {all, byNumber("south", 7), fault.NotFound, false},
		"all, id of another tenant":        {all, byID("north", foreign.ID), fault.NotFound, true},
		"own, by number in another tenant": {own, byNumber("south", 7), fault.NotFound, false},
		"own, id of another tenant":        {own, byID("north", foreign.ID), fault.Forbidden, true},
		"none":                             {access.OnlyCustomers(), byNumber("north", 7), fault.Forbidden, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for use, call := range useCases() {
				svc, store := service()
				got, err := call(svc, actor(tt.customers, access.Read, access.Write), tt.ref)
				if kind := kindOf(err); kind != tt.want {
					t.Errorf("%s: got %q (%v), want %q", use, kind, err, tt.want)
				}
				if (tt.want == "") == (got == customer.Customer{}) {
					t.Errorf("%s: got the record %+v with %v", use, got, err)
				}
				if (store.calls > 0) != tt.called {
					t.Errorf("%s: called the store %d times, want any: %v", use, store.calls, tt.called)
				}
				if err != nil && store.writes > 0 {
					t.Errorf("%s: wrote %d times and returned %v", use, store.writes, err)
				}
			}
		})
	}
}

// useCases are the use cases of one customer; each returns a record that is zero on error.
func useCases() map[string]func(*customer.Service, access.Actor, customer.Ref) (customer.Customer, error) {
	return map[string]func(*customer.Service, access.Actor, customer.Ref) (customer.Customer, error){
		"get": func(s *customer.Service, by access.Actor, ref customer.Ref) (customer.Customer, error) {
			return s.Get(context.Background(), by, ref)
		},
		"update": func(s *customer.Service, by access.Actor, ref customer.Ref) (customer.Customer, error) {
			ch, err := s.Update(context.Background(), by, ref, setFirstName("Eve"), nil)
			return ch.After, err
		},
		"preview": func(s *customer.Service, by access.Actor, ref customer.Ref) (customer.Customer, error) {
			ch, err := s.Preview(context.Background(), by, ref, setFirstName("Eve"))
			return ch.After, err
		},
		"get version": func(s *customer.Service, by access.Actor, ref customer.Ref) (customer.Customer, error) {
			return s.GetVersion(context.Background(), by, ref, 1)
		},
		"get at": func(s *customer.Service, by access.Actor, ref customer.Ref) (customer.Customer, error) {
			return s.GetAt(context.Background(), by, ref, noon)
		},
		"history": func(s *customer.Service, by access.Actor, ref customer.Ref) (customer.Customer, error) {
			changes, err := s.History(context.Background(), by, ref, 0, 1)
			if err != nil || len(changes) != 1 {
				return customer.Customer{}, err
			}
			return customer.Customer{ID: changes[0].CustomerID}, nil
		},
		"revert": func(s *customer.Service, by access.Actor, ref customer.Ref) (customer.Customer, error) {
			edit, err := s.RevertEdit(context.Background(), by, ref, 2)
			if err != nil || edit == nil {
				return customer.Customer{}, err
			}
			return customer.Customer{ID: "an edit"}, nil
		},
	}
}

func kindOf(err error) fault.Kind {
	if err == nil {
		return ""
	}
	return fault.From(err).Kind
}

func TestUseCasesRequireScope(t *testing.T) {
	t.Parallel()
	needs := map[string]access.Scope{
		"get": access.Read, "get version": access.Read, "get at": access.Read, "history": access.Read,
		"update": access.Write, "preview": access.Write, "revert": access.Write,
	}
	for use, call := range useCases() {
		for _, scope := range access.Scopes() {
			want := fault.Forbidden
			if scope == needs[use] {
				want = ""
			}
			svc, store := service()
			_, err := call(svc, actor(access.AllCustomers(), scope), customer.ByID("north", mine.ID))
			if got := kindOf(err); got != want {
				t.Errorf("%s with %s: got %q (%v), want %q", use, scope, got, err, want)
			}
			if want != "" && store.calls > 0 {
				t.Errorf("%s with %s: called the store without the scope", use, scope)
			}
		}
	}
}

func TestOtherTenantIsNotFoundWithoutScope(t *testing.T) {
	t.Parallel()
	for use, call := range useCases() {
		svc, _ := service()
		_, err := call(svc, actor(access.AllCustomers()), customer.ByID("south", foreign.ID))
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: got %v, want NotFound", use, err)
		}
	}
}

func TestEditDoesNotRunOnForbiddenCustomer(t *testing.T) {
	t.Parallel()
	svc, _ := service()
	ran := false
	edit := func(*customer.Customer) error {
		ran = true
		return nil
	}
	by := actor(access.OnlyCustomers(7), access.Read, access.Write)
	_, updated := svc.Update(context.Background(), by, customer.ByID("north", yours.ID), edit, nil)
	_, previewed := svc.Preview(context.Background(), by, customer.ByID("north", yours.ID), edit)
	if ran || !fault.Is(updated, fault.Forbidden) || !fault.Is(previewed, fault.Forbidden) {
		t.Errorf("edit ran: got %v, with %v and %v, want Forbidden before it runs", ran, updated, previewed)
	}
}

func TestUseCasesReturnStoreErrors(t *testing.T) {
	t.Parallel()
	failure := errors.New("disk full")
	for use, call := range useCases() {
		for name, customers := range map[string]access.Customers{"all": access.AllCustomers(), "own": access.OnlyCustomers(7)} {
			svc, store := service()
			store.failure = failure
			if _, err := call(svc, actor(customers, access.Read, access.Write), customer.ByID("north", mine.ID)); !errors.Is(err, failure) {
				t.Errorf("%s by %s: got %v, want %v", use, name, err, failure)
			}
		}
	}
}

func TestUpdateWritesAndPreviewDoesNot(t *testing.T) {
	t.Parallel()
	svc, store := service()
	by := actor(access.OnlyCustomers(7), access.Write)
	ref := customer.ByNumber("north", 7)

	preview, err := svc.Preview(context.Background(), by, ref, setFirstName("Eve"))
	if err != nil || store.writes != 0 || store.records[0] != mine {
		t.Fatalf("preview: got %v and %d writes, want none", err, store.writes)
	}
	update, err := svc.Update(context.Background(), by, ref, setFirstName("Eve"), nil)
	if err != nil || store.writes != 1 || store.records[0] != update.After {
		t.Fatalf("update: got %v and %d writes, want one", err, store.writes)
	}
	if diff := cmp.Diff(update, preview); diff != "" || update.After.FirstName != "Eve" {
		t.Errorf("preview and update differ (-update +preview):\n%s", diff)
	}
	if _, err := svc.Preview(context.Background(), by, ref, setFirstName("\x00")); brokenRules(err) != "firstName:format" {
		t.Errorf("preview of an invalid name: got %v, want its fault", err)
	}
}

func TestCheckCreateReturnsErrorsOfCreateAndWritesNothing(t *testing.T) {
	t.Parallel()
	all := actor(access.AllCustomers(), access.Write)
	tests := map[string]struct {
		by    access.Actor
		entry customer.Upsert
		want  string
	}{
		"a new customer":                         {all, customer.Upsert{Edit: setFirstName("Eve")}, ""},
		"with an id and a number":                {all, customer.Upsert{ID: unknownID, Number: 9, Edit: setFirstName("Eve")}, ""},
		"an existing id":                         {all, customer.Upsert{ID: mine.ID, Edit: setFirstName("Eve")}, "conflict: another customer has this id; id is already in use"},
		"an existing number":                     {all, customer.Upsert{Number: 7, Edit: setFirstName("Eve")}, "conflict: another customer has this number; number is already in use"},
		"an id of another tenant":                {all, customer.Upsert{ID: foreign.ID, Edit: setFirstName("Eve")}, ""},
		"an existing number and an invalid name": {all, customer.Upsert{Number: 7, Edit: setFirstName("\x00")}, "firstName:format"},
		"without the scope":                      {actor(access.AllCustomers(), access.Read), customer.Upsert{Edit: setFirstName("Eve")}, "forbidden: a new customer needs customers:write for all customers"},
		"for own customers":                      {actor(access.OnlyCustomers(7), access.Write), customer.Upsert{Edit: setFirstName("Eve")}, "forbidden: a new customer needs customers:write for all customers"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svc, store := service()
			if got := brokenRules(svc.CheckCreate(context.Background(), tt.by, tt.entry)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if store.writes != 0 || len(store.records) != 3 {
				t.Errorf("got %d writes, want none", store.writes)
			}
		})
	}
	svc, store := service()
	store.failure = errors.New("disk full")
	if err := svc.CheckCreate(context.Background(), all, customer.Upsert{Number: 9, Edit: setFirstName("Eve")}); !errors.Is(err, store.failure) {
		t.Errorf("store failure: got %v, want %v", err, store.failure)
	}
}

func TestWritesRecordActorContractRequestAndTime(t *testing.T) {
	t.Parallel()
	want := customer.ChangeMeta{Actor: "acc_kari", ActorName: "kari", Contract: "elw", RequestID: "r1", At: noon}
	by := actor(access.AllCustomers(), access.Write)

	svc, store := service()
	ch, err := svc.Update(context.Background(), by, customer.ByID("north", mine.ID), setFirstName("Eve"), nil)
	if err != nil || store.meta != want || ch.Meta != want {
		t.Errorf("update: got %+v, %v, want %+v", ch.Meta, err, want)
	}
	if ch, err = svc.Preview(context.Background(), by, customer.ByID("north", mine.ID), setFirstName("Eva")); err != nil || ch.Meta != want {
		t.Errorf("preview: got %+v, %v, want %+v", ch.Meta, err, want)
	}
	svc, store = service()
	if _, err = svc.Upsert(context.Background(), by, []customer.Upsert{{Edit: setLastName}}); err != nil || store.meta != want {
		t.Errorf("upsert: got %+v, %v, want %+v", store.meta, err, want)
	}
}

func TestUpsertRequiresWriteForAllCustomers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		by   access.Actor
		want fault.Kind
	}{
		"write for all":              {actor(access.AllCustomers(), access.Write), ""},
		"write for some":             {actor(access.OnlyCustomers(7, 8), access.Write), fault.Forbidden},
		"write for none":             {actor(access.OnlyCustomers(), access.Write), fault.Forbidden},
		"read for all":               {actor(access.AllCustomers(), access.Read), fault.Forbidden},
		"all but write":              {actor(access.AllCustomers(), access.Read, access.Erase, access.Admin), fault.Forbidden},
		"no scopes and no customers": {actor(access.Customers{}), fault.Forbidden},
	} {
		svc, store := service()
		_, err := svc.Upsert(context.Background(), tt.by, []customer.Upsert{{Edit: setLastName}})
		if got := kindOf(err); got != tt.want || (store.writes == 1) != (tt.want == "") {
			t.Errorf("%s: got %q (%v) and %d writes, want %q", name, got, err, store.writes, tt.want)
		}
	}
}

func TestCreateRequiresWriteForAllCustomers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		by   access.Actor
		want fault.Kind
	}{
		"write for all":  {actor(access.AllCustomers(), access.Write), ""},
		"write for some": {actor(access.OnlyCustomers(7, 8), access.Write), fault.Forbidden},
		"all but write":  {actor(access.AllCustomers(), access.Read, access.Erase, access.Admin), fault.Forbidden},
	} {
		svc, store := service()
		ch, err := svc.Create(context.Background(), tt.by, customer.Upsert{Edit: setLastName}, nil)
		if kindOf(err) != tt.want || (store.writes == 1) != (tt.want == "") {
			t.Errorf("%s: got %v and %d writes, want %q", name, err, store.writes, tt.want)
		}
		if err == nil && (ch.After.ID != "0191d3a0-0000-7000-8000-00000000f001" || ch.After.Tenant != "north") {
			t.Errorf("%s: got %+v, want a new id in the caller's tenant", name, ch.After)
		}
	}
}

func TestUpsertWithoutEntriesDoesNotCallStore(t *testing.T) {
	t.Parallel()
	svc, store := service()
	results, err := svc.Upsert(context.Background(), actor(access.AllCustomers(), access.Write), nil)
	if err != nil || len(results) != 0 || store.calls != 0 {
		t.Errorf("got %v, %v and %d calls of the store, want none", results, err, store.calls)
	}
}

func TestUpsertGeneratesMissingIDs(t *testing.T) {
	t.Parallel()
	svc, _ := service()
	results, err := svc.Upsert(context.Background(), actor(access.AllCustomers(), access.Write), []customer.Upsert{
		{Edit: setLastName}, {ID: givenID, Edit: setLastName}, {Edit: failEdit}, {Number: 55, Edit: setLastName},
	})
	if err != nil || len(results) != 4 {
		t.Fatalf("upsert: got %d results, %v, want 4", len(results), err)
	}
	want := []string{"0191d3a0-0000-7000-8000-00000000f001", givenID, "", "0191d3a0-0000-7000-8000-00000000f003"}
	for i, r := range results {
		if r.Change.After.ID != want[i] || (r.Err != nil) != (want[i] == "") {
			t.Errorf("result %d: got id %q, %v, want %q", i, r.Change.After.ID, r.Err, want[i])
		}
	}
	if got := results[0].Change.After.Tenant; got != "north" {
		t.Errorf("tenant: got %q, want the caller's", got)
	}
}
