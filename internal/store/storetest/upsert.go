package storetest

import (
	"errors"
	"math"
	"testing"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// upsertTests test Upsert of customer.Store.
var upsertTests = map[string]func(*testing.T, *suite){
	"UpsertCreatesAndUpdates":              upsertCreatesAndUpdates,
	"UpsertOfEqualValuesWritesNothing":     upsertEqual,
	"UpsertFaultDoesNotAffectOtherEntries": upsertFault,
	"FailedUpsertWritesNothing":            upsertFails,
	"UpsertEntriesSeeEarlierEntries":       upsertSeesEarlierEntries,
	"UpsertUsesTheNextNumber":              upsertUsesNextNumber,
	"UpsertFillsGapsAfterHighestNumber":    upsertFillsGaps,
	"EmptyUpsertReturnsNothing":            emptyUpsert,
}

func upsertCreatesAndUpdates(t *testing.T, s *suite) {
	existing := s.create(t, "north", 5)
	got := s.upsert(t, "north",
		customer.Upsert{ID: id(1), Number: 1, Edit: setLastName("Bo")},
		customer.Upsert{ID: existing.ID, Edit: setLastName("King")},
		customer.Upsert{GeneratedID: id(2), Edit: setLastName("Cy")},
		customer.Upsert{Number: 9, GeneratedID: id(3), Edit: setLastName("Di")},
		customer.Upsert{Number: 5, GeneratedID: id(4), Edit: increment},
	)
	want := []struct {
		id      string
		number  int32
		version int64
		name    string
	}{
		{id(1), 1, 1, "Bo"},
		{existing.ID, 5, 2, "King"},
		{id(2), 6, 1, "Cy"},
		{id(3), 9, 1, "Di"},
		{existing.ID, 5, 3, "King"},
	}
	for i, w := range want {
		if c := got[i]; c.ID != w.id || c.Number != w.number || c.Version != w.version || c.LastName != w.name {
			t.Errorf("entry %d: got %#v, want %+v", i, c, w)
		}
		if i != 1 { // entry 4 updates it again
			s.wantCustomer(t, got[i])
		}
	}
}

func upsertEqual(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	for _, e := range []customer.Upsert{
		{ID: c.ID, Edit: setLastName("Ada")},
		{ID: c.ID, Number: 1, Edit: setLastName("Ada")},
		{Number: 1, GeneratedID: id(2), Edit: setLastName("Ada")},
	} {
		results, err := s.Upsert(t.Context(), "north", meta(5), []customer.Upsert{e})
		if err != nil || results[0].Err != nil || !results[0].Change.Empty() {
			t.Errorf("got %+v (%v), want an empty change", results, err)
		}
	}
	s.wantCustomer(t, c)
}

func upsertFault(t *testing.T, s *suite) {
	existing := s.create(t, "north", 5)
	tests := map[string]struct {
		entry customer.Upsert
		kind  fault.Kind
		path  string
	}{
		"the id exists":       {customer.Upsert{GeneratedID: existing.ID, Edit: setLastName("Cy")}, fault.Conflict, "id"},
		"the number exists":   {customer.Upsert{ID: id(90), Number: 5, Edit: setLastName("Cy")}, fault.Conflict, "number"},
		"the number differs":  {customer.Upsert{ID: existing.ID, Number: 6, Edit: setLastName("Cy")}, fault.Invalid, "number"},
		"an invalid creation": {customer.Upsert{GeneratedID: id(91), Edit: setLastName("")}, fault.Invalid, "lastName"},
		"an invalid edit":     {customer.Upsert{ID: existing.ID, Edit: setLastName("")}, fault.Invalid, "lastName"},
		"another version": {
			customer.Upsert{ID: existing.ID, Edit: customer.Precondition{Versions: []int64{7}}.Edit(setLastName("Cy"))}, fault.PreconditionFailed, "",
		},
	}
	n := int32(10)
	for name, tt := range tests {
		n += 10
		t.Run(name, func(t *testing.T) {
			results, err := s.Upsert(t.Context(), "north", meta(5), []customer.Upsert{
				{ID: id(n), Number: n, Edit: setLastName("Bo")},
				tt.entry,
				{ID: id(n + 1), Number: n + 1, Edit: setLastName("Di")},
			})
			if err != nil {
				t.Fatal(err)
			}
			wantFault(t, results[1].Err, tt.kind, tt.path)
			if results[1].Change != (customer.Change{}) {
				t.Errorf("got %#v, want no change", results[1].Change)
			}
			for _, i := range []int{0, 2} {
				if results[i].Err != nil {
					t.Fatalf("another entry: %v", results[i].Err)
				}
				s.wantCustomer(t, results[i].Change.After)
			}
		})
	}
	s.wantCustomer(t, existing)
	s.wantNoCustomer(t, customer.ByID("north", id(90)), id(90))
	s.wantNoCustomer(t, customer.ByID("north", id(91)), id(91))
}

func upsertFails(t *testing.T, s *suite) {
	existing := s.create(t, "north", 5)
	broken := errors.New("broken on purpose")
	results, err := s.Upsert(t.Context(), "north", meta(5), []customer.Upsert{
		{ID: id(1), Edit: setLastName("Bo")},
		{ID: existing.ID, Edit: setLastName("King")},
		{ID: id(2), Edit: func(*customer.Customer) error { return broken }},
		{ID: id(3), Edit: setLastName("Cy")},
	})
	if !errors.Is(err, broken) || results != nil {
		t.Errorf("got %+v (%v), want %v", results, err, broken)
	}
	s.wantCustomer(t, existing)
	for n := int32(1); n <= 3; n++ {
		s.wantNoCustomer(t, customer.ByID("north", id(n)), id(n))
	}
}

func upsertSeesEarlierEntries(t *testing.T, s *suite) {
	got := s.upsert(t, "north",
		customer.Upsert{ID: id(1), Number: 4, Edit: setLastName("Bo")},
		customer.Upsert{ID: id(1), Edit: increment},
		customer.Upsert{Number: 4, GeneratedID: id(2), Edit: increment},
		customer.Upsert{GeneratedID: id(3), Edit: setLastName("Cy")},
	)
	if last := got[2]; last.ID != id(1) || last.Version != 3 || last.FirstName != "2" {
		t.Errorf("got %#v, want version 3 of %s", last, id(1))
	}
	s.wantCustomer(t, got[2])
	if got[3].Number != 5 {
		t.Errorf("next number: got %d, want 5", got[3].Number)
	}
	s.wantCustomer(t, got[3])
}

func upsertUsesNextNumber(t *testing.T, s *suite) {
	got := s.upsert(t, "north",
		customer.Upsert{GeneratedID: id(1), Edit: setLastName("Bo")},
		customer.Upsert{GeneratedID: id(2), Number: 40, Edit: setLastName("Cy")},
		customer.Upsert{GeneratedID: id(3), Edit: setLastName("Di")},
	)
	for i, want := range []int32{1, 40, 41} {
		if got[i].Number != want {
			t.Errorf("entry %d: got number %d, want %d", i, got[i].Number, want)
		}
	}
}

func upsertFillsGaps(t *testing.T, s *suite) {
	got := s.upsert(t, "north",
		customer.Upsert{GeneratedID: id(1), Number: math.MaxInt32, Edit: setLastName("Bo")},
		customer.Upsert{GeneratedID: id(2), Number: 2, Edit: setLastName("Cy")},
		customer.Upsert{GeneratedID: id(3), Edit: setLastName("Di")},
		customer.Upsert{GeneratedID: id(4), Number: 4, Edit: setLastName("Ed")},
		customer.Upsert{GeneratedID: id(5), Edit: setLastName("Flo")},
		customer.Upsert{GeneratedID: id(6), Edit: setLastName("Gus")},
	)
	for i, want := range []int32{math.MaxInt32, 2, 1, 4, 3, 5} {
		if got[i].Number != want {
			t.Errorf("entry %d: got number %d, want %d", i, got[i].Number, want)
		}
		s.wantCustomer(t, got[i])
	}
}

func emptyUpsert(t *testing.T, s *suite) {
	if results, err := s.Upsert(t.Context(), "north", meta(0), nil); err != nil || len(results) != 0 {
		t.Errorf("got %+v (%v), want nothing", results, err)
	}
}
