// Package storetest is the behaviour that every store promises, as one suite of
// tests. It sees a store through the ports of the domain alone, so that it can
// hold all engines to the same.
//
// Read storetest.go for what an engine brings, then the file of the port.
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

// Store is all that an engine implements.
type Store interface {
	customer.Store
	customer.IdempotencyStore
	access.Credentials
	access.Registry
	// Secret is one of those that all servers on the store share.
	Secret(ctx context.Context, name string) ([]byte, error)
	Close() error // once more does nothing
}

// Open opens the store that lives in dir, which is an empty directory the first
// time. The suite opens it again after closing it, and also while it is open, as
// another process would. It closes each.
type Open func(t testing.TB, dir string) Store

// Run holds the engine to the promises of its ports. Each test has a store of its
// own. A record that one open store has written may be read through another as it
// was up to lag before; in everything else they act as one.
func Run(t *testing.T, lag time.Duration, engine Open) {
	tests := map[string]func(*testing.T, *suite){}
	maps.Copy(tests, updateTests)
	maps.Copy(tests, createTests)
	maps.Copy(tests, upsertTests)
	maps.Copy(tests, historyTests)
	maps.Copy(tests, idempotencyTests)
	maps.Copy(tests, serviceTests)
	maps.Copy(tests, accessTests)
	maps.Copy(tests, searchTests)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, openSuite(t, lag, engine))
		})
	}
}

// subject is a store under test.
type suite struct {
	Store
	engine Open
	lag    time.Duration
	t      *testing.T // whose store it is
	dir    string
}

// tb is what tests share with properties.
type tb interface {
	rapid.TB
	Context() context.Context
}

func openSuite(t *testing.T, lag time.Duration, engine Open) *suite {
	dir := t.TempDir()
	s := &suite{engine(t, dir), engine, lag, t, dir}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// reopen closes the store and opens it again.
func (s *suite) reopen() {
	s.t.Helper()
	if err := s.Close(); err != nil {
		s.t.Fatalf("close: %v", err)
	}
	s.Store = s.engine(s.t, s.dir)
}

// beside opens the store a second time, as another process does. It is closed
// with the test.
func (s *suite) openAgain() Store {
	s.t.Helper()
	other := s.engine(s.t, s.dir)
	s.t.Cleanup(func() {
		if err := other.Close(); err != nil {
			s.t.Errorf("close: %v", err)
		}
	})
	return other
}

// put puts entries, all of which must be taken.
func (s *suite) upsert(t tb, tenant string, entries ...customer.Upsert) []customer.Customer {
	t.Helper()
	results, err := s.Upsert(t.Context(), tenant, meta(0), entries)
	if err != nil || len(results) != len(entries) {
		t.Fatalf("put: got %d results (%v), want %d", len(results), err, len(entries))
	}
	list := make([]customer.Customer, len(results))
	for i, r := range results {
		if r.Err != nil {
			t.Fatalf("put entry %d: %v", i, r.Err)
		}
		list[i] = r.Change.After
	}
	return list
}

// create makes customer n of the tenant: with that id and that number.
func (s *suite) create(t tb, tenant string, n int32) customer.Customer {
	t.Helper()
	return s.upsert(t, tenant, customer.Upsert{ID: id(n), Number: n, Edit: setLastName("Ada")})[0]
}

// wantRecord reports unless the store has exactly c, by id and by number, and a
// history that leads to it.
func (s *suite) wantCustomer(t tb, c customer.Customer) {
	t.Helper()
	for _, ref := range []customer.Ref{customer.ByID(c.Tenant, c.ID), customer.ByNumber(c.Tenant, c.Number)} {
		if got, err := s.Find(t.Context(), ref); err != nil || got != c {
			t.Errorf("find %+v: got %#v (%v), want %#v", ref, got, err, c)
		}
	}
	s.wantHistory(t, c)
}

// wantNoRecord reports when the store has a customer with this ref, or a history
// of one with this id.
func (s *suite) wantNoCustomer(t tb, ref customer.Ref, id string) {
	t.Helper()
	if c, err := s.Find(t.Context(), ref); !fault.Is(err, fault.NotFound) || c != (customer.Customer{}) {
		t.Errorf("find %+v: got %#v (%v), want a Missing fault", ref, c, err)
	}
	if changes := s.history(t, ref.Tenant, id); len(changes) != 0 {
		t.Errorf("history of %s: got %+v, want none", id, changes)
	}
}

// id is the id of customer n.
func id(n int32) string { return fmt.Sprintf("018f3c5a-9b1e-7d3a-8c4b-%012x", n) }

// clock is a time, in seconds since the suite's beginning.
func timeAt(seconds int) time.Time {
	return time.Date(2025, 3, 1, 12, 0, seconds, 123456000, time.UTC)
}

func meta(seconds int) customer.ChangeMeta {
	return customer.ChangeMeta{Actor: "key:Ab3dE6gH", Contract: "native", RequestID: "r-1", At: timeAt(seconds)}
}

// named is an edit that sets the last name.
func setLastName(name string) customer.Edit {
	return func(c *customer.Customer) error {
		c.LastName = name
		return nil
	}
}

// wantFault reports unless err is a fault of this kind, on this field if any.
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
