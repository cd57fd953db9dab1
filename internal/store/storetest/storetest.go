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

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// Store is all that an engine implements.
type Store interface {
	customer.Store
	access.Credentials
	access.Registry
	Close() error // once more does nothing
}

// Engine is what the suite needs to know of a kind of store.
type Engine struct {
	// Open opens the store that lives in dir, which is an empty directory the
	// first time. The suite closes it, and may open it again after that.
	Open func(t testing.TB, dir string) Store

	// History reads what the store in dir has recorded of a customer, oldest
	// first.
	History func(t testing.TB, dir, tenant, id string) []Recorded
}

// Recorded is a change as it is kept.
type Recorded struct {
	Seq       int64 // the later the commit, the higher
	Version   int64
	Event     string
	Actor     string
	Contract  string
	RequestID string
	At        time.Time
	Fields    string // JSON: each path with its values before and after
}

// Run holds the engine to the promises of customer.Store, access.Credentials and
// access.Registry. Each test has a store of its own.
func Run(t *testing.T, e Engine) {
	tests := map[string]func(*testing.T, *subject){}
	maps.Copy(tests, customerTests)
	maps.Copy(tests, putTests)
	maps.Copy(tests, accessTests)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, e))
		})
	}
}

// subject is a store under test.
type subject struct {
	Store
	engine Engine
	t      *testing.T // whose store it is
	dir    string
}

// tb is what tests share with properties.
type tb interface {
	rapid.TB
	Context() context.Context
}

func open(t *testing.T, e Engine) *subject {
	dir := t.TempDir()
	s := &subject{e.Open(t, dir), e, t, dir}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// reopen closes the store and opens it again.
func (s *subject) reopen() {
	s.t.Helper()
	if err := s.Close(); err != nil {
		s.t.Fatalf("close: %v", err)
	}
	s.Store = s.engine.Open(s.t, s.dir)
}

func (s *subject) history(tenant, id string) []Recorded {
	s.t.Helper()
	return s.engine.History(s.t, s.dir, tenant, id)
}

// put puts entries, all of which must be taken.
func (s *subject) put(t tb, tenant string, entries ...customer.Entry) []customer.Customer {
	t.Helper()
	results, err := s.Put(t.Context(), tenant, signature(0), entries)
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
func (s *subject) create(t tb, tenant string, n int32) customer.Customer {
	t.Helper()
	return s.put(t, tenant, customer.Entry{ID: id(n), Number: n, Edit: named("Ada")})[0]
}

// wantRecord reports unless the store has exactly c, by id and by number, and a
// history that leads to it.
func (s *subject) wantRecord(t tb, c customer.Customer) {
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
func (s *subject) wantNoRecord(t tb, ref customer.Ref, id string) {
	t.Helper()
	if c, err := s.Find(t.Context(), ref); !fault.Is(err, fault.Missing) || c != (customer.Customer{}) {
		t.Errorf("find %+v: got %#v (%v), want a Missing fault", ref, c, err)
	}
	if rows := s.history(ref.Tenant, id); len(rows) != 0 {
		t.Errorf("history of %s: got %+v, want none", id, rows)
	}
}

// wantHistory reports unless the customer's history has each version once and in
// the order of the commits, and its fields, played from the first, lead to c.
func (s *subject) wantHistory(t tb, c customer.Customer) {
	t.Helper()
	rows := s.history(c.Tenant, c.ID)
	if int64(len(rows)) != c.Version {
		t.Fatalf("history: got %d changes, want %d", len(rows), c.Version)
	}
	state := map[string]any{}
	for i, row := range rows {
		if row.Version != int64(i)+1 {
			t.Errorf("history: change %d has version %d", i+1, row.Version)
		}
		if i > 0 && row.Seq <= rows[i-1].Seq {
			t.Errorf("history: version %d has seq %d, after %d", row.Version, row.Seq, rows[i-1].Seq)
		}
		play(t, state, row)
	}
	want := map[string]any{}
	for _, f := range customer.Diff(customer.Customer{}, c) {
		want[f.Path] = decoded(f.After)
	}
	if !maps.Equal(state, want) {
		t.Errorf("history played: got %v, want %v", state, want)
	}
	if last := rows[len(rows)-1]; !last.At.Equal(c.UpdatedAt) {
		t.Errorf("history: the last change was at %v, the record's at %v", last.At, c.UpdatedAt)
	}
}

// play applies a change to state, which must be what it was before.
func play(t tb, state map[string]any, row Recorded) {
	t.Helper()
	var fields map[string][2]any
	if err := json.Unmarshal([]byte(row.Fields), &fields); err != nil {
		t.Fatalf("version %d: fields %s: %v", row.Version, row.Fields, err)
	}
	if len(fields) == 0 {
		t.Errorf("version %d changes no field", row.Version)
	}
	for path, value := range fields {
		before, after := value[0], value[1]
		if before == false { // what every switch is at first
			before = nil
		}
		if before != state[path] {
			t.Errorf("version %d: %s before: got %v, want %v", row.Version, path, before, state[path])
		}
		state[path] = after
		if after == nil || after == false {
			delete(state, path)
		}
	}
}

// decoded is what JSON makes of a field's value.
func decoded(v any) any {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case time.Time:
		return v.Format("2006-01-02T15:04:05.000000Z")
	}
	return v
}

// id is the id of customer n.
func id(n int32) string { return fmt.Sprintf("018f3c5a-9b1e-7d3a-8c4b-%012x", n) }

// clock is a time, in seconds since the suite's beginning.
func clock(seconds int) time.Time {
	return time.Date(2025, 3, 1, 12, 0, seconds, 123456000, time.UTC)
}

func signature(seconds int) customer.Signature {
	return customer.Signature{Actor: "key:Ab3dE6gH", Contract: "native", RequestID: "r-1", At: clock(seconds)}
}

// named is an edit that sets the last name.
func named(name string) customer.Edit {
	return func(c *customer.Customer) error {
		c.LastName = name
		return nil
	}
}

// wantFault reports unless err is a fault of this kind, on this field if any.
func wantFault(t tb, err error, kind fault.Kind, path string) {
	t.Helper()
	f := fault.Of(err)
	if err == nil || f.Kind != kind {
		t.Errorf("got %v, want a fault of kind %s", err, kind)
		return
	}
	if path != "" && (len(f.Fields) != 1 || f.Fields[0].Path != path) {
		t.Errorf("got fields %+v, want %s", f.Fields, path)
	}
}
