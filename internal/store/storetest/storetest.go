// Package storetest is the test suite that every store must pass. It uses a store only through the
// ports of the domain, so that the same tests run on all engines.
//
// Read storetest.go for what an engine provides, then the file of each port.
package storetest

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// Store has all methods that an engine implements.
type Store interface {
	customer.Store
	customer.IdempotencyStore
	access.Credentials
	access.Registry
	// Secret returns a secret that all servers on the store share.
	Secret(ctx context.Context, name string) ([]byte, error)
	Close() error // has no effect on a closed store
}

// Open opens the store in dir, which is empty the first time. The suite also opens a store a second
// time, after closing it or while it is open, as another process would. The suite closes all stores.
type Open func(t testing.TB, dir string) Store

// Run runs all tests, each with its own store.
func Run(t *testing.T, engine Open) {
	tests := map[string]func(*testing.T, *suite){}
	maps.Copy(tests, createTests)
	maps.Copy(tests, updateTests)
	maps.Copy(tests, upsertTests)
	maps.Copy(tests, historyTests)
	maps.Copy(tests, idempotencyTests)
	maps.Copy(tests, linearizabilityTests)
	maps.Copy(tests, accessTests)
	maps.Copy(tests, searchTests)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, openSuite(t, engine))
		})
	}
}

// suite is the store of one test.
type suite struct {
	Store
	engine Open
	t      *testing.T
	dir    string
}

// tb has the methods that tests and property tests share.
type tb interface {
	rapid.TB
	Context() context.Context
}

func openSuite(t *testing.T, engine Open) *suite {
	dir := t.TempDir()
	s := &suite{engine(t, dir), engine, t, dir}
	s.closeAtEnd(func() error { return s.Close() }) // reopen replaces the store
	return s
}

func (s *suite) closeAtEnd(closeStore func() error) {
	s.t.Cleanup(func() {
		if err := closeStore(); err != nil {
			s.t.Errorf("close: %v", err)
		}
	})
}

// reopen closes the store and opens it again.
func (s *suite) reopen() {
	s.t.Helper()
	if err := s.Close(); err != nil {
		s.t.Fatalf("close: %v", err)
	}
	s.Store = s.engine(s.t, s.dir)
}

// openAgain opens the store a second time, as another process would.
func (s *suite) openAgain() Store {
	s.t.Helper()
	other := s.engine(s.t, s.dir)
	s.closeAtEnd(other.Close)
	return other
}

// upsert creates or updates a customer for each entry and returns their records.
func (s *suite) upsert(t tb, tenant string, entries ...customer.Upsert) []customer.Customer {
	t.Helper()
	results, err := s.Upsert(t.Context(), tenant, meta(0), entries)
	if err != nil || len(results) != len(entries) {
		t.Fatalf("upsert: got %d results (%v), want %d", len(results), err, len(entries))
	}
	list := make([]customer.Customer, len(results))
	for i, r := range results {
		if r.Err != nil {
			t.Fatalf("upsert: entry %d: %v", i, r.Err)
		}
		list[i] = r.Change.After
	}
	return list
}

// create creates a customer named Ada with the number n and the id for n.
func (s *suite) create(t tb, tenant string, n int32) customer.Customer {
	t.Helper()
	return s.upsert(t, tenant, customer.Upsert{ID: id(n), Number: n, Edit: setLastName("Ada")})[0]
}

// update updates a customer at the time 5.
func (s *suite) update(t tb, c customer.Customer, edit customer.Edit) customer.Change {
	t.Helper()
	ch, err := s.Update(t.Context(), customer.ByID(c.Tenant, c.ID), meta(5), edit, nil)
	if err != nil {
		t.Fatalf("update: %v", err)
	}
	return ch
}

// wantCustomer checks that the store finds exactly c, by id and by number, and that the history
// leads to it.
func (s *suite) wantCustomer(t tb, c customer.Customer) {
	t.Helper()
	for _, ref := range []customer.Ref{customer.ByID(c.Tenant, c.ID), customer.ByNumber(c.Tenant, c.Number)} {
		if got, err := s.Find(t.Context(), ref); err != nil || got != c {
			t.Errorf("find %+v: got %#v (%v), want %#v", ref, got, err, c)
		}
	}
	s.wantHistory(t, c)
}

// wantNoCustomer checks that the store has no customer with this ref and no history with this id.
func (s *suite) wantNoCustomer(t tb, ref customer.Ref, id string) {
	t.Helper()
	if c, err := s.Find(t.Context(), ref); !fault.Is(err, fault.NotFound) || c != (customer.Customer{}) {
		t.Errorf("find %+v: got %#v (%v), want a NotFound fault", ref, c, err)
	}
	if changes := s.history(t, ref.Tenant, id); len(changes) != 0 {
		t.Errorf("history of %s: got %+v, want none", id, changes)
	}
}

// id returns the id that tests give customer n.
func id(n int32) string { return fmt.Sprintf("018f3c5a-9b1e-7d3a-8c4b-%012x", n) }

// timeAt returns a time, in seconds from a fixed start.
func timeAt(seconds int) time.Time {
	return time.Date(2025, 3, 1, 12, 0, seconds, 123456000, time.UTC)
}

// actorID is the actor of all changes, unless a test sets another.
const actorID = "key_Ab3dE6gH"

// meta returns the metadata of a change at timeAt(seconds).
func meta(seconds int) customer.ChangeMeta {
	return customer.ChangeMeta{Actor: actorID, ActorName: "shop", Contract: "native", RequestID: "r-1", At: timeAt(seconds)}
}

func setLastName(name string) customer.Edit {
	return func(c *customer.Customer) error {
		c.LastName = name
		return nil
	}
}

// wantFault checks the kind of err and, unless path is empty, that it has this field only.
func wantFault(t tb, err error, kind fault.Kind, path string) {
	t.Helper()
	f := fault.From(err)
	if err == nil || f.Kind != kind {
		t.Errorf("got %v, want a fault of kind %s", err, kind)
		return
	}
	if path != "" && (len(f.Fields) != 1 || f.Fields[0].Path != path) {
		t.Errorf("got fields %+v, want %s", f.Fields, path)
	}
}
