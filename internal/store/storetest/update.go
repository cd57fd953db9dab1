package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// updateTests test Find and Update of customer.Store.
var updateTests = map[string]func(*testing.T, *suite){
	"AllFieldsAreStored":                  allFieldsAreStored,
	"UpdateIsFoundAndRecorded":            updateIsFoundAndRecorded,
	"EmptyEditWritesNothing":              emptyEdit,
	"FailedEditWritesNothing":             failedEdit,
	"PanickingEditDoesNotAffectOthers":    panickingEdit,
	"UnknownCustomerIsNotFound":           unknownCustomer,
	"IDsAreCaseSensitive":                 idsAreCaseSensitive,
	"TenantsAreIsolated":                  tenantsAreIsolated,
	"UpdatedAtNeverDecreases":             updatedAtNeverDecreases,
	"CanceledCallsWriteNothing":           canceledCalls,
	"ReopenedStoreHasAllChanges":          reopenedStore,
	"ClosedStoreReturnsErrors":            closedStore,
	"ConcurrentUpdatesAreAllKept":         concurrentUpdates,
	"ConcurrentUpdatesOfFieldsAreAllKept": concurrentFields,
	"ConcurrentUpsertsAndUpdatesAreKept":  concurrentUpsertsAndUpdates,
}

func updateIsFoundAndRecorded(t *testing.T, s *suite) {
	c := s.create(t, "north", 7)
	by := customer.ChangeMeta{Actor: "acc_kari", ActorName: "kari", Contract: "elw", RequestID: "r-2", At: timeAt(9)}
	ch, err := s.Update(t.Context(), customer.ByNumber("north", 7), by, setLastName("King"), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := c
	want.LastName, want.Version, want.UpdatedAt = "King", 2, timeAt(9)
	if ch.Before != c || ch.After != want || ch.Meta != by {
		t.Errorf("change: got %#v, want %#v after %#v", ch, want, c)
	}
	s.wantCustomer(t, want)

	s.wantNewestChange(t, ch)
	got := s.history(t, "north", c.ID)[1]
	wantFields := []customer.FieldChange{{Path: "lastName", Before: "Ada", After: "King"}}
	if got.Event != customer.EventUpdated || got.Meta != by || !slices.Equal(got.Fields, wantFields) {
		t.Errorf("recorded: got %+v, want %+v by %+v", got, wantFields, by)
	}
}

func emptyEdit(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	for _, edit := range []customer.Edit{setLastName("Ada"), setLastName(" Ada "), customer.Patch{}.Apply} {
		ch, err := s.Update(t.Context(), customer.ByID("north", c.ID), meta(5), edit, nil)
		if err != nil || !ch.Empty() || ch.After != c {
			t.Errorf("got %#v (%v), want an empty change", ch, err)
		}
	}
	s.wantCustomer(t, c)
}

func failedEdit(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	broken := errors.New("broken after the edit")
	tests := map[string]struct {
		edit customer.Edit
		want fault.Kind
	}{
		"a rule":          {setLastName(""), fault.Invalid},
		"a precondition":  {customer.Precondition{Versions: []int64{2}}.Edit(setLastName("King")), fault.PreconditionFailed},
		"an error":        {func(c *customer.Customer) error { return errors.Join(setLastName("King")(c), broken) }, fault.Internal},
		"the bookkeeping": {func(c *customer.Customer) error { c.Number++; return nil }, fault.Internal},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ch, err := s.Update(t.Context(), customer.ByID("north", c.ID), meta(5), tt.edit, nil)
			wantFault(t, err, tt.want, "")
			if ch != (customer.Change{}) {
				t.Errorf("got %#v, want no change", ch)
			}
		})
	}
	s.wantCustomer(t, c)
}

// panickingEdit accepts a panic of Update, or an error.
func panickingEdit(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	ref := customer.ByID("north", c.ID)
	update := func(edit customer.Edit) (err error) {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic: %v", r)
			}
		}()
		_, err = s.Update(t.Context(), ref, meta(5), edit, nil)
		return err
	}
	const each = 8
	var wg sync.WaitGroup
	for range each {
		wg.Go(func() {
			if err := update(func(*customer.Customer) error { panic("on purpose") }); err == nil {
				t.Error("a panicking edit returned no error")
			}
		})
		wg.Go(func() {
			if err := update(increment); err != nil {
				t.Errorf("an update beside a panicking edit: %v", err)
			}
		})
	}
	wg.Wait()
	c.FirstName, c.Version, c.UpdatedAt = strconv.Itoa(each), each+1, timeAt(5)
	s.wantCustomer(t, c)
}

func unknownCustomer(t *testing.T, s *suite) {
	s.create(t, "north", 1)
	for _, ref := range []customer.Ref{
		customer.ByID("north", id(2)),
		customer.ByID("north", "no id"),
		customer.ByNumber("north", 2),
		{Tenant: "north"},
		{Tenant: "north", ID: id(2), Number: 1}, // the id decides
	} {
		s.wantNoCustomer(t, ref, id(2))
		ch, err := s.Update(t.Context(), ref, meta(5), setLastName("King"), nil)
		if !fault.Is(err, fault.NotFound) || ch != (customer.Change{}) {
			t.Errorf("update %+v: got %#v (%v), want a NotFound fault", ref, ch, err)
		}
	}
}

func idsAreCaseSensitive(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	s.wantNoCustomer(t, customer.ByID("north", strings.ToUpper(c.ID)), strings.ToUpper(c.ID))
	s.wantNoCustomer(t, customer.ByID("NORTH", c.ID), c.ID)
}

func tenantsAreIsolated(t *testing.T, s *suite) {
	north, south := s.create(t, "north", 1), s.create(t, "south", 1)
	ch, err := s.Update(t.Context(), customer.ByID("south", south.ID), meta(5), setLastName("King"), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.wantCustomer(t, north)
	s.wantCustomer(t, ch.After)

	own := s.create(t, "south", 2)
	s.wantNoCustomer(t, customer.ByID("north", own.ID), own.ID)
	s.wantNoCustomer(t, customer.ByNumber("north", 2), own.ID)
	if next := s.upsert(t, "north", customer.Upsert{GeneratedID: id(3), Edit: setLastName("Bo")})[0]; next.Number != 2 {
		t.Errorf("next number of north: got %d, want 2", next.Number)
	}
}

func updatedAtNeverDecreases(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	ref := customer.ByID("north", c.ID)
	for i, seconds := range []int{9, 3, 12} { // the second has an earlier time
		ch, err := s.Update(t.Context(), ref, meta(seconds), setLastName(fmt.Sprint("King ", i)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := timeAt(max(9, seconds)); !ch.After.UpdatedAt.Equal(want) {
			t.Errorf("updated at: got %v, want %v", ch.After.UpdatedAt, want)
		}
		s.wantCustomer(t, ch.After)
	}
}

func canceledCalls(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	cause := errors.New("the caller has disconnected")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)

	_, err := s.Update(ctx, customer.ByID("north", c.ID), meta(5), setLastName("King"), nil)
	wantCause(t, "update", err, cause)
	_, err = s.Upsert(ctx, "north", meta(5), []customer.Upsert{{GeneratedID: id(2), Edit: setLastName("Bo")}})
	wantCause(t, "upsert", err, cause)
	_, err = s.Find(ctx, customer.ByID("north", c.ID))
	wantCause(t, "find", err, cause)

	s.create(t, "north", 3) // after everything that was queued before
	s.wantCustomer(t, c)
	s.wantNoCustomer(t, customer.ByID("north", id(2)), id(2))
}

func wantCause(t *testing.T, call string, err, cause error) {
	t.Helper()
	if !errors.Is(err, cause) {
		t.Errorf("%s: got %v, want %v", call, err, cause)
	}
}

func reopenedStore(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	ch, err := s.Update(t.Context(), customer.ByID("north", c.ID), meta(5), setLastName("King"), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.reopen()
	s.wantCustomer(t, ch.After)
	ch, err = s.Update(t.Context(), customer.ByID("north", c.ID), meta(6), setLastName("Lovelace"), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.wantCustomer(t, ch.After)
}

func closedStore(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	ref := customer.ByID("north", c.ID)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Find(t.Context(), ref); err == nil || fault.Is(err, fault.NotFound) {
		t.Errorf("find: got %v, want an error", err)
	}
	if _, err := s.Update(t.Context(), ref, meta(5), setLastName("King"), nil); err == nil || fault.Is(err, fault.NotFound) {
		t.Errorf("update: got %v, want an error", err)
	}
}

// increment increments the number in the first name, so that a lost update shows.
func increment(c *customer.Customer) error {
	count, _ := strconv.Atoi(c.FirstName) // empty at first: 0
	c.FirstName = strconv.Itoa(count + 1)
	return nil
}

func concurrentUpdates(t *testing.T, s *suite) {
	const writers, each = 64, 3
	c := s.create(t, "north", 1)
	ref := customer.ByID("north", c.ID)
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				ch, err := s.Update(t.Context(), ref, meta(5), increment, nil)
				if err != nil || ch.After.Version != ch.Before.Version+1 {
					t.Errorf("got %#v (%v), want the next version", ch, err)
				}
			}
		})
	}
	wg.Wait()
	c.FirstName, c.Version, c.UpdatedAt = strconv.Itoa(writers*each), writers*each+1, timeAt(5)
	s.wantCustomer(t, c)
}

// concurrentFields increments five fields at the same time: an update of one must not restore an old
// value of another.
func concurrentFields(t *testing.T, s *suite) {
	const writers, each = 8, 5 // of each field
	c := s.create(t, "north", 1)
	counters := []func(*customer.Customer) *string{
		func(c *customer.Customer) *string { return &c.FirstName },
		func(c *customer.Customer) *string { return &c.NationalID },
		func(c *customer.Customer) *string { return &c.OrganisationNumber },
		func(c *customer.Customer) *string { return &c.Address.Floor },
		func(c *customer.Customer) *string { return &c.Address.City },
	}
	var wg sync.WaitGroup
	for _, counter := range counters {
		for range writers {
			wg.Go(func() {
				for range each {
					_, err := s.Update(t.Context(), customer.ByID("north", c.ID), meta(5), func(c *customer.Customer) error {
						count, _ := strconv.Atoi(*counter(c)) // empty at first: 0
						*counter(c) = strconv.Itoa(count + 1)
						return nil
					}, nil)
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	for _, counter := range counters {
		*counter(&c) = strconv.Itoa(writers * each)
	}
	c.Version, c.UpdatedAt = int64(len(counters)*writers*each+1), timeAt(5)
	s.wantCustomer(t, c)
}

func concurrentUpsertsAndUpdates(t *testing.T, s *suite) {
	const writers, size = 8, 10
	c := s.create(t, "north", 1)
	var wg sync.WaitGroup
	made := make([][]customer.Customer, writers)
	for w := range int32(writers) {
		wg.Go(func() {
			entries := []customer.Upsert{{ID: c.ID, Edit: increment}}
			for i := range int32(size) {
				entries = append(entries, customer.Upsert{GeneratedID: id(100 + w*size + i), Edit: setLastName("Bo")})
			}
			made[w] = s.upsert(t, "north", entries...)[1:]
		})
		wg.Go(func() {
			if _, err := s.Update(t.Context(), customer.ByNumber("north", 1), meta(0), increment, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	c.FirstName, c.Version = strconv.Itoa(2*writers), 2*writers+1
	s.wantCustomer(t, c)
	numbers := map[int32]bool{}
	for _, list := range made {
		for _, c := range list {
			numbers[c.Number] = true
			s.wantCustomer(t, c)
		}
	}
	for n := int32(2); n < 2+writers*size; n++ {
		if !numbers[n] {
			t.Errorf("no customer got number %d", n)
		}
	}
}
