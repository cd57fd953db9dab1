package storetest

import (
	"errors"
	"math"
	"sync"
	"testing"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// createTests test Create of customer.Store.
var createTests = map[string]func(*testing.T, *suite){
	"CreateStoresCustomerAndChange":         createStores,
	"CreateUsesTheNextNumber":               createUsesNextNumber,
	"CreateOfExistingCustomerIsAConflict":   createExisting,
	"CreateOfInvalidCustomerFails":          createInvalid,
	"FailedCreateWritesNothing":             createFails,
	"ConcurrentCreatesGetDifferentNumbers":  concurrentCreates,
	"OneOfConcurrentCreatesGetsIDAndNumber": concurrentConflicts,
	"TenantsHaveSeparateNumbers":            createInTenants,
}

// createEntry creates a customer from the entry.
func (s *suite) createEntry(t tb, tenant string, entry customer.Upsert) customer.Customer {
	t.Helper()
	ch, err := s.Create(t.Context(), tenant, meta(0), entry, nil)
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	return ch.After
}

func createStores(t *testing.T, s *suite) {
	for _, entry := range []customer.Upsert{
		{ID: id(1), Number: 7, Edit: replaceWith(customer.Customer{Kind: customer.Organisation, LastName: "Å & Ø"})},
		{GeneratedID: id(2), Number: 6, Edit: setLastName("Bo")},
		{ID: id(3), GeneratedID: id(99), Edit: setLastName("Cy")},
		{GeneratedID: id(4), Edit: setLastName("Di")},
	} {
		by := meta(3)
		ch, err := s.Create(t.Context(), "north", by, entry, nil)
		if err != nil {
			t.Fatal(err)
		}
		if ch.Before != (customer.Customer{}) || ch.After.Version != 1 || ch.Meta != by || ch.Event() != customer.EventCreated {
			t.Errorf("got %#v, want a creation", ch)
		}
		s.wantCustomer(t, ch.After)
		s.wantNewestChange(t, ch)
	}
	s.wantNoCustomer(t, customer.ByID("north", id(99)), id(99))
}

func createUsesNextNumber(t *testing.T, s *suite) {
	for i, tt := range []struct{ asked, want int32 }{
		{0, 1}, {40, 40}, {0, 41}, {3, 3}, {0, 42}, {math.MaxInt32, math.MaxInt32}, {0, 2}, {0, 4},
	} {
		c := s.createEntry(t, "north", customer.Upsert{GeneratedID: id(int32(i)), Number: tt.asked, Edit: setLastName("Ada")})
		if c.Number != tt.want {
			t.Errorf("create %d: got number %d, want %d", i, c.Number, tt.want)
		}
		s.wantCustomer(t, c)
	}
}

func createExisting(t *testing.T, s *suite) {
	existing := s.create(t, "north", 5)
	for name, tt := range map[string]struct {
		entry customer.Upsert
		path  string
	}{
		"the id":          {customer.Upsert{ID: existing.ID, Edit: setLastName("Cy")}, "id"},
		"the new id":      {customer.Upsert{GeneratedID: existing.ID, Number: 9, Edit: setLastName("Cy")}, "id"},
		"the number":      {customer.Upsert{GeneratedID: id(6), Number: 5, Edit: setLastName("Cy")}, "number"},
		"the same record": {customer.Upsert{ID: existing.ID, Number: 6, Edit: setLastName("Ada")}, "id"},
	} {
		t.Run(name, func(t *testing.T) {
			ch, err := s.Create(t.Context(), "north", meta(5), tt.entry, nil)
			wantFault(t, err, fault.Conflict, tt.path)
			if ch != (customer.Change{}) {
				t.Errorf("got %#v, want no change", ch)
			}
		})
	}
	_, err := s.Create(t.Context(), "north", meta(5), customer.Upsert{ID: existing.ID, Number: 5, Edit: setLastName("Cy")}, nil)
	if f := fault.From(err); f.Kind != fault.Conflict || len(f.Fields) != 2 || f.Fields[0].Path != "id" || f.Fields[1].Path != "number" {
		t.Errorf("both exist: got %v, want a Conflict fault on id and number", err)
	}
	s.wantCustomer(t, existing)
	s.wantNoCustomer(t, customer.ByID("north", id(6)), id(6))
	s.wantNoCustomer(t, customer.ByNumber("north", 6), id(6))
	s.wantFeed(t, "north", 1)
	if next := s.createEntry(t, "north", customer.Upsert{GeneratedID: id(7), Edit: setLastName("Di")}); next.Number != 6 {
		t.Errorf("the next number: got %d, want 6", next.Number)
	}
}

// wantFeed checks that the tenant's feed has n changes.
func (s *suite) wantFeed(t tb, tenant string, n int) {
	t.Helper()
	if got := feed(t, s, tenant); len(got) != n {
		t.Errorf("feed of %s: got %d changes, want %d: %+v", tenant, len(got), n, got)
	}
}

func createInvalid(t *testing.T, s *suite) {
	for path, entry := range map[string]customer.Upsert{
		"lastName": {ID: id(1), Edit: setLastName("")},
		"number":   {ID: id(1), Number: -1, Edit: setLastName("Ada")},
		"id":       {ID: "1", Edit: setLastName("Ada")},
	} {
		ch, err := s.Create(t.Context(), "north", meta(5), entry, nil)
		wantFault(t, err, fault.Invalid, path)
		if ch != (customer.Change{}) {
			t.Errorf("%s: got %#v, want no change", path, ch)
		}
	}
	s.wantNoCustomer(t, customer.ByID("north", id(1)), id(1))
	s.wantFeed(t, "north", 0)
}

func createFails(t *testing.T, s *suite) {
	broken := errors.New("broken on purpose")
	entry := customer.Upsert{ID: id(1), Edit: func(*customer.Customer) error { return broken }}
	if ch, err := s.Create(t.Context(), "north", meta(5), entry, nil); !errors.Is(err, broken) || ch != (customer.Change{}) {
		t.Errorf("got %#v (%v), want %v", ch, err, broken)
	}
	s.wantNoCustomer(t, customer.ByID("north", id(1)), id(1))
}

func concurrentCreates(t *testing.T, s *suite) {
	const creators, each = 16, 4
	made := make(chan customer.Customer, creators*each)
	var wg sync.WaitGroup
	for w := range int32(creators) {
		wg.Go(func() {
			for i := range int32(each) {
				made <- s.createEntry(t, "north", customer.Upsert{GeneratedID: id(w*each + i), Edit: setLastName("Ada")})
			}
		})
	}
	wg.Wait()
	close(made)
	numbers := map[int32]bool{}
	for c := range made {
		numbers[c.Number] = true
		s.wantCustomer(t, c)
	}
	for n := int32(1); n <= creators*each; n++ {
		if !numbers[n] {
			t.Errorf("no customer got number %d", n)
		}
	}
}

func concurrentConflicts(t *testing.T, s *suite) {
	for path, entry := range map[string]func(n int32) customer.Upsert{
		"id":     func(n int32) customer.Upsert { return customer.Upsert{ID: id(1), Number: n, Edit: setLastName("Ada")} },
		"number": func(n int32) customer.Upsert { return customer.Upsert{ID: id(n), Number: 1, Edit: setLastName("Ada")} },
	} {
		var made []customer.Customer
		var mu sync.Mutex
		var wg sync.WaitGroup
		for n := range int32(16) {
			wg.Go(func() {
				ch, err := s.Create(t.Context(), path, meta(0), entry(n+1), nil)
				if err != nil {
					wantFault(t, err, fault.Conflict, path)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				made = append(made, ch.After)
			})
		}
		wg.Wait()
		if len(made) != 1 {
			t.Errorf("%s: got %d customers, want 1", path, len(made))
			continue
		}
		s.wantCustomer(t, made[0])
		s.wantFeed(t, path, 1)
	}
}

func createInTenants(t *testing.T, s *suite) {
	for _, tenant := range []string{"north", "south"} {
		first := s.createEntry(t, tenant, customer.Upsert{ID: id(1), Edit: setLastName("Ada")})
		if first.Number != 1 || first.Tenant != tenant {
			t.Errorf("%s: got %#v, want number 1", tenant, first)
		}
		s.wantCustomer(t, first)
	}
}
