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

// shelf is a Store in memory. It counts what it is asked, and what it writes.
type shelf struct {
	customer.Store // what it does not keep itself

	mu      sync.Mutex // for those who wait for changes
	changes []customer.ChangeRecord
	tenants []string // of the changes
	looks   int      // at the feed
	onFeed  func()   // what happens right after each, if anything

	records   []customer.Customer
	lookups   int
	writes    int
	signature customer.ChangeMeta // of the last call that may write
	broken    error               // what every call returns
}

func (s *shelf) at(ref customer.Ref) int {
	return slices.IndexFunc(s.records, func(c customer.Customer) bool {
		return c.Tenant == ref.Tenant && (c.ID == ref.ID || ref.ID == "" && c.Number == ref.Number)
	})
}

func (s *shelf) Find(_ context.Context, ref customer.Ref) (customer.Customer, error) {
	s.lookups++
	i := s.at(ref)
	if s.broken != nil || i < 0 {
		return customer.Customer{}, errOr(s.broken)
	}
	return s.records[i], nil
}

func (s *shelf) Update(_ context.Context, ref customer.Ref, by customer.ChangeMeta, edit customer.Edit, _ *customer.Idempotency) (customer.Change, error) {
	s.lookups++
	s.signature = by
	i := s.at(ref)
	if s.broken != nil || i < 0 {
		return customer.Change{}, errOr(s.broken)
	}
	ch, err := customer.Apply(s.records[i], by, edit)
	if err == nil && !ch.Empty() {
		s.records[i] = ch.After
		s.record(ch)
	}
	return ch, err
}

func (s *shelf) Create(_ context.Context, tenant string, by customer.ChangeMeta, entry customer.Upsert, _ *customer.Idempotency) (customer.Change, error) {
	s.lookups++
	s.signature = by
	ch, err := entry.Create(tenant, int32(len(s.records)+100), by)
	if err = errors.Join(err, s.broken); err != nil {
		return customer.Change{}, err
	}
	s.records = append(s.records, ch.After)
	s.record(ch)
	return ch, nil
}

func (s *shelf) Upsert(_ context.Context, tenant string, by customer.ChangeMeta, entries []customer.Upsert) ([]customer.UpsertResult, error) {
	s.lookups++
	s.signature = by
	var results []customer.UpsertResult
	for _, e := range entries {
		ch, err := e.Create(tenant, int32(len(s.records)+100), by)
		if err == nil {
			s.records = append(s.records, ch.After)
			s.record(ch)
		}
		results = append(results, customer.UpsertResult{Change: ch, Err: err})
	}
	return results, s.broken
}

// record notes a change that was made.
func (s *shelf) record(ch customer.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	by := ch.Meta
	by.At = ch.After.UpdatedAt
	s.changes = append(s.changes, customer.ChangeRecord{
		Seq: int64(len(s.changes) + 1), CustomerID: ch.After.ID, Number: ch.After.Number, Version: ch.After.Version,
		Event: ch.Event(), Meta: by, Fields: ch.Diff(),
	})
	s.tenants = append(s.tenants, ch.After.Tenant)
	s.writes++
}

func (s *shelf) Changes(_ context.Context, tenant, id string, below int64, limit int) ([]customer.ChangeRecord, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []customer.ChangeRecord
	for _, r := range slices.Backward(s.changes) {
		if s.tenants[r.Seq-1] == tenant && r.CustomerID == id && r.Version < below && len(found) < limit {
			found = append(found, r)
		}
	}
	return found, s.broken
}

func (s *shelf) Feed(_ context.Context, tenant string, after int64, limit int) ([]customer.ChangeRecord, error) {
	found := s.changesAfter(tenant, after, limit)
	if s.onFeed != nil {
		s.onFeed()
	}
	return found, s.broken
}

func (s *shelf) changesAfter(tenant string, after int64, limit int) []customer.ChangeRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks++
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
	mine    = life("north", 7)[1].After
	yours   = life("north", 8)[1].After
	foreign = life("south", 7)[1].After
)

const nobodyID = "0191d3a0-0000-7000-8000-0000000000ff"

// life is the birth of a customer and one more change.
func life(tenant string, number int32) []customer.Change {
	c := full()
	c.Tenant, c.Number = tenant, number
	c.ID = fmt.Sprintf("0191d3a0-0000-7000-8000-%04x%08d", tenant[:2], number)
	birth, err := customer.Create(c, kari)
	if err != nil {
		panic(err)
	}
	change, err := customer.Apply(birth.After, kari, rename("Ada"))
	if err != nil {
		panic(err)
	}
	return []customer.Change{birth, change}
}

func actor(customers access.Customers, scopes ...access.Scope) access.Actor {
	return access.Actor{
		Tenant: "north", Name: "account:kari", Customers: customers, Scopes: scopes, Contract: "elw", RequestID: "r1",
	}
}

func service() (*customer.Service, *shelf) {
	s := &shelf{records: []customer.Customer{mine, yours, foreign}}
	for _, c := range s.records {
		for _, ch := range life(c.Tenant, c.Number) {
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

func TestWhoMayReachWhichCustomer(t *testing.T) {
	t.Parallel()
	all, own := access.AllCustomers(), access.OnlyCustomers(7, 9)
	byID, byNumber := customer.ByID, customer.ByNumber
	tests := map[string]struct {
		customers access.Customers
		ref       customer.Ref
		want      fault.Kind // empty when it is reached
		asked     bool       // whether the store had to say
	}{
		"everyone's, by id":                           {all, byID("north", mine.ID), "", true},
		"everyone's, by number":                       {all, byNumber("north", 8), "", true},
		"everyone's, no such id":                      {all, byID("north", nobodyID), fault.NotFound, true},
		"everyone's, no such number":                  {all, byNumber("north", 99), fault.NotFound, true},
		"his own, by id":                              {own, byID("north", mine.ID), "", true},
		"his own, by number":                          {own, byNumber("north", 7), "", true},
		"his own number without a record":             {own, byNumber("north", 9), fault.NotFound, true},
		"another's, by id":                            {own, byID("north", yours.ID), fault.Forbidden, true},
		"another's, by number":                        {own, byNumber("north", 8), fault.Forbidden, false},
		"another's number without a record":           {own, byNumber("north", 99), fault.Forbidden, false},
		"no such id looks like another's":             {own, byID("north", nobodyID), fault.Forbidden, true},
		"another's, by id beside a number of his":     {own, customer.Ref{Tenant: "north", ID: yours.ID, Number: 7}, fault.Forbidden, true},
		"another tenant's, by id":                     {all, byID("south", foreign.ID), fault.NotFound, false},
		"another tenant's, by number":                 {all, byNumber("south", 7), fault.NotFound, false},
		"another tenant's id under his own tenant":    {all, byID("north", foreign.ID), fault.NotFound, true},
		"another tenant's, with numbers of his own":   {own, byNumber("south", 7), fault.NotFound, false},
		"an id that another tenant has, with his own": {own, byID("north", foreign.ID), fault.Forbidden, true},
		"nobody's": {access.OnlyCustomers(), byNumber("north", 7), fault.Forbidden, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for use, call := range uses() {
				svc, store := service()
				got, err := call(svc, actor(tt.customers, access.Read, access.Write), tt.ref)
				if kind := kindOf(err); kind != tt.want {
					t.Errorf("%s: got %q (%v), want %q", use, kind, err, tt.want)
				}
				if (tt.want == "") == (got == customer.Customer{}) {
					t.Errorf("%s: got the record %+v with %v", use, got, err)
				}
				if (store.lookups > 0) != tt.asked {
					t.Errorf("%s: asked the store %d times, want any: %v", use, store.lookups, tt.asked)
				}
				if err != nil && store.writes > 0 {
					t.Errorf("%s: wrote %d times and returned %v", use, store.writes, err)
				}
			}
		})
	}
}

// uses are the use cases of one customer; each returns what its caller sees.
func uses() map[string]func(*customer.Service, access.Actor, customer.Ref) (customer.Customer, error) {
	return map[string]func(*customer.Service, access.Actor, customer.Ref) (customer.Customer, error){
		"get": func(s *customer.Service, by access.Actor, ref customer.Ref) (customer.Customer, error) {
			return s.Get(context.Background(), by, ref)
		},
		"update": func(s *customer.Service, by access.Actor, ref customer.Ref) (customer.Customer, error) {
			ch, err := s.Update(context.Background(), by, ref, rename("Eve"), nil)
			return ch.After, err
		},
		"preview": func(s *customer.Service, by access.Actor, ref customer.Ref) (customer.Customer, error) {
			ch, err := s.Preview(context.Background(), by, ref, rename("Eve"))
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
		"undo": func(s *customer.Service, by access.Actor, ref customer.Ref) (customer.Customer, error) {
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

func TestEachUseCaseNeedsItsScope(t *testing.T) {
	t.Parallel()
	needs := map[string]access.Scope{
		"get": access.Read, "get version": access.Read, "get at": access.Read, "history": access.Read,
		"update": access.Write, "preview": access.Write, "undo": access.Write,
	}
	for use, call := range uses() {
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
			if want != "" && store.lookups > 0 {
				t.Errorf("%s with %s: asked the store of what it may not use", use, scope)
			}
		}
	}
}

func TestAMissingScopeSaysNothingAboutOtherTenants(t *testing.T) {
	t.Parallel()
	for use, call := range uses() {
		svc, _ := service()
		_, err := call(svc, actor(access.AllCustomers()), customer.ByID("south", foreign.ID))
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: got %v, want missing", use, err)
		}
	}
}

func TestAnEditDoesNotRunOnAnothersCustomer(t *testing.T) {
	t.Parallel()
	svc, _ := service()
	ran := false
	spy := func(*customer.Customer) error {
		ran = true
		return nil
	}
	by := actor(access.OnlyCustomers(7), access.Read, access.Write)
	_, updated := svc.Update(context.Background(), by, customer.ByID("north", yours.ID), spy, nil)
	_, previewed := svc.Preview(context.Background(), by, customer.ByID("north", yours.ID), spy)
	if ran || !fault.Is(updated, fault.Forbidden) || !fault.Is(previewed, fault.Forbidden) {
		t.Errorf("edit ran: got %v, with %v and %v, want forbidden before it runs", ran, updated, previewed)
	}
}

func TestAnOutageIsNotHidden(t *testing.T) {
	t.Parallel()
	outage := errors.New("disk full")
	for use, call := range uses() {
		for name, who := range map[string]access.Customers{"everyone": access.AllCustomers(), "own": access.OnlyCustomers(7)} {
			svc, store := service()
			store.broken = outage
			if _, err := call(svc, actor(who, access.Read, access.Write), customer.ByID("north", mine.ID)); !errors.Is(err, outage) {
				t.Errorf("%s by %s: got %v, want %v", use, name, err, outage)
			}
		}
	}
}

func TestUpdateWritesAndPreviewDoesNot(t *testing.T) {
	t.Parallel()
	svc, store := service()
	by := actor(access.OnlyCustomers(7), access.Write)
	ref := customer.ByNumber("north", 7)

	preview, err := svc.Preview(context.Background(), by, ref, rename("Eve"))
	if err != nil || store.writes != 0 || store.records[0] != mine {
		t.Fatalf("preview: got %v and %d writes, want none", err, store.writes)
	}
	update, err := svc.Update(context.Background(), by, ref, rename("Eve"), nil)
	if err != nil || store.writes != 1 || store.records[0] != update.After {
		t.Fatalf("update: got %v and %d writes, want one", err, store.writes)
	}
	if diff := cmp.Diff(update, preview); diff != "" || update.After.FirstName != "Eve" {
		t.Errorf("preview and update differ (-update +preview):\n%s", diff)
	}
	if _, err := svc.Preview(context.Background(), by, ref, rename("\x00")); broken(err) != "firstName:format" {
		t.Errorf("preview of a bad name: got %v, want its fault", err)
	}
}

func TestCheckCreateTellsWhatCreateWouldAndWritesNothing(t *testing.T) {
	t.Parallel()
	all := actor(access.AllCustomers(), access.Write)
	tests := map[string]struct {
		by    access.Actor
		entry customer.Upsert
		want  string
	}{
		"a new one":                {all, customer.Upsert{Edit: rename("Eve")}, ""},
		"with an id and a number":  {all, customer.Upsert{ID: nobodyID, Number: 9, Edit: rename("Eve")}, ""},
		"a taken id":               {all, customer.Upsert{ID: mine.ID, Edit: rename("Eve")}, "conflict: another customer has this id; id is already in use"},
		"a taken number":           {all, customer.Upsert{Number: 7, Edit: rename("Eve")}, "conflict: another customer has this number; number is already in use"},
		"another tenant's id":      {all, customer.Upsert{ID: foreign.ID, Edit: rename("Eve")}, ""},
		"a broken rule, and taken": {all, customer.Upsert{Number: 7, Edit: rename("\x00")}, "firstName:format"},
		"by one who may not":       {actor(access.AllCustomers(), access.Read), customer.Upsert{Edit: rename("Eve")}, "forbidden: a new customer needs customers:write for all customers"},
		"by one with his own":      {actor(access.OnlyCustomers(7), access.Write), customer.Upsert{Edit: rename("Eve")}, "forbidden: a new customer needs customers:write for all customers"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svc, store := service()
			if got := broken(svc.CheckCreate(context.Background(), tt.by, tt.entry)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if store.writes != 0 || len(store.records) != 3 {
				t.Error("it wrote")
			}
		})
	}
	svc, store := service()
	store.broken = errors.New("disk full")
	if err := svc.CheckCreate(context.Background(), all, customer.Upsert{Number: 9, Edit: rename("Eve")}); !errors.Is(err, store.broken) {
		t.Errorf("in an outage: got %v, want %v", err, store.broken)
	}
}

func TestTheSignatureTellsWhoThroughWhatAndWhen(t *testing.T) {
	t.Parallel()
	want := customer.ChangeMeta{Actor: "account:kari", Contract: "elw", RequestID: "r1", At: noon}
	by := actor(access.AllCustomers(), access.Write)

	svc, store := service()
	ch, err := svc.Update(context.Background(), by, customer.ByID("north", mine.ID), rename("Eve"), nil)
	if err != nil || store.signature != want || ch.Meta != want {
		t.Errorf("update: signed %+v, %v, want %+v", ch.Meta, err, want)
	}
	if ch, err = svc.Preview(context.Background(), by, customer.ByID("north", mine.ID), rename("Eva")); err != nil || ch.Meta != want {
		t.Errorf("preview: signed %+v, %v, want %+v", ch.Meta, err, want)
	}
	svc, store = service()
	if _, err = svc.Upsert(context.Background(), by, []customer.Upsert{{Edit: surname}}); err != nil || store.signature != want {
		t.Errorf("put: signed %+v, %v, want %+v", store.signature, err, want)
	}
}

func TestPutNeedsWriteForAll(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		by   access.Actor
		want fault.Kind
	}{
		"write for all":      {actor(access.AllCustomers(), access.Write), ""},
		"write for some":     {actor(access.OnlyCustomers(7, 8), access.Write), fault.Forbidden},
		"write for none":     {actor(access.OnlyCustomers(), access.Write), fault.Forbidden},
		"read for all":       {actor(access.AllCustomers(), access.Read), fault.Forbidden},
		"all but write":      {actor(access.AllCustomers(), access.Read, access.Erase, access.Admin), fault.Forbidden},
		"nothing for nobody": {actor(access.Customers{}), fault.Forbidden},
	} {
		svc, store := service()
		_, err := svc.Upsert(context.Background(), tt.by, []customer.Upsert{{Edit: surname}})
		if got := kindOf(err); got != tt.want || (store.writes == 1) != (tt.want == "") {
			t.Errorf("%s: got %q (%v) and %d writes, want %q", name, got, err, store.writes, tt.want)
		}
	}
}

func TestCreateNeedsWriteForAll(t *testing.T) {
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
		ch, err := svc.Create(context.Background(), tt.by, customer.Upsert{Edit: surname}, nil)
		if kindOf(err) != tt.want || (store.writes == 1) != (tt.want == "") {
			t.Errorf("%s: got %v and %d writes, want %q", name, err, store.writes, tt.want)
		}
		if err == nil && (ch.After.ID != "0191d3a0-0000-7000-8000-00000000f001" || ch.After.Tenant != "north") {
			t.Errorf("%s: got %+v, want a new id in the caller's tenant", name, ch.After)
		}
	}
}

func TestPutOfNothingAsksNobody(t *testing.T) {
	t.Parallel()
	svc, store := service()
	results, err := svc.Upsert(context.Background(), actor(access.AllCustomers(), access.Write), nil)
	if err != nil || len(results) != 0 || store.lookups != 0 {
		t.Errorf("put of nothing: got %v, %v and %d look-ups, want none", results, err, store.lookups)
	}
}

func TestPutGivesAnIDToEachEntryWithoutOne(t *testing.T) {
	t.Parallel()
	svc, _ := service()
	results, err := svc.Upsert(context.Background(), actor(access.AllCustomers(), access.Write), []customer.Upsert{
		{Edit: surname}, {ID: givenID, Edit: surname}, {Edit: refuse}, {Number: 55, Edit: surname},
	})
	if err != nil || len(results) != 4 {
		t.Fatalf("put: got %d results, %v, want 4", len(results), err)
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
