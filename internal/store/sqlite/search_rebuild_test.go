package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// crowd puts customers of two tenants, who share numbers and some of their names.
// From the same seed come the same customers.
func crowd(t *testing.T, s *Store, seed uint64) {
	t.Helper()
	for _, tenant := range []string{"north", "south"} {
		dice := rand.New(rand.NewPCG(seed, 1))
		one := func(list ...string) string { return list[dice.IntN(len(list))] }
		var entries []customer.Upsert
		for range 400 {
			n := 1 + dice.IntN(600)
			c := customer.Customer{
				FirstName: one("", "Kari", "Åse", "Jean-Pierre", "Zoë"), LastName: one("Müller", "Muller", "O’Brien", "Lovelace"),
				Email: one("", "kari@example.com", fmt.Sprintf("a%d@example.com", n)), Phone: one("", "+32 2 123 45 67", fmt.Sprintf("%08d", n)),
				Mobile: one("", "601 234 567"),
			}
			c.Address.PostalCode, c.Address.Country = one("", "9000", "SW1A 1AA"), one("", "BE", "NO")
			entries = append(entries, customer.Upsert{ID: id(n), Number: int32(n), Edit: func(to *customer.Customer) error {
				to.FirstName, to.LastName, to.Email, to.Phone, to.Mobile, to.Address = c.FirstName, c.LastName, c.Email, c.Phone, c.Mobile, c.Address
				return nil
			}})
		}
		results, err := s.Upsert(t.Context(), tenant, customer.ChangeMeta{Actor: "test", At: time.Now()}, entries)
		for _, r := range results {
			err = errors.Join(err, r.Err)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// crowded is what searches read after crowd in the ordinary way.
func crowded(t *testing.T, seeds ...uint64) string {
	t.Helper()
	s, _ := start(t, Options{})
	for _, seed := range seeds {
		crowd(t, s, seed)
	}
	return contents(t, s)
}

func TestIndexThatIsPutOffIsTheSame(t *testing.T) {
	s, path := start(t, Options{})
	server := open(t, path, Options{})
	if putOff, err := s.PutOffIndex(t.Context()); !putOff || err != nil {
		t.Fatalf("got %v (%v), want it put off", putOff, err)
	}
	crowd(t, s, 1)
	crowd(t, server, 2)
	for _, store := range []*Store{s, server} {
		if _, err := store.Search(t.Context(), "north", customer.Query{}, customer.Position{}, 1); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a search before the index: got %v, want a Busy fault", err)
		}
	}
	if got := contents(t, s); got != "" {
		t.Errorf("changes before the index wrote\n%s", got)
	}
	if err := s.Index(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	crowd(t, server, 3)
	if got, want := contents(t, s), crowded(t, 1, 2, 3); got != want {
		t.Errorf("put off:\n%s\nin the ordinary way:\n%s", got, want)
	}
	if numbers, _ := found(t, server, customer.Query{Words: "lovelace"}); len(numbers) == 0 {
		t.Error("a search after the index: found nobody")
	}
}

func TestIndexOfAStoreWithCustomersIsNotPutOff(t *testing.T) {
	s, _ := start(t, Options{})
	fill(t, s, 1)
	if putOff, err := s.PutOffIndex(t.Context()); putOff || err != nil {
		t.Fatalf("got %v (%v), want it left as it is", putOff, err)
	}
	if got, _ := found(t, s, customer.Query{Words: "love"}); !slices.Equal(got, []int32{1}) {
		t.Errorf("got %v, want customer 1", got)
	}
}

// TestChangesWhileTheIndexIsMadeAreFound has another process change customers
// before each phase.
func TestChangesWhileTheIndexIsMadeAreFound(t *testing.T) {
	s, path := start(t, Options{})
	crowd(t, s, 0)
	seeds := []uint64{0}
	err := phased(t, path, len(phases), func(phase int) {
		crowd(t, s, uint64(phase))
		seeds = append(seeds, uint64(phase))
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := contents(t, s), crowded(t, seeds...); got != want {
		t.Errorf("changed meanwhile:\n%s\nin the ordinary way:\n%s", got, want)
	}
}

func TestChangesAreReplayedAsTheyWere(t *testing.T) {
	s, _ := start(t, Options{})
	fill(t, s, 1)
	count(t, s, 4)
	for v, want := range map[versions][2]string{
		{before: 0, after: 1}: {"", "0"},
		{before: 0, after: 3}: {"", "2"},
		{before: 1, after: 3}: {"0", "2"},
		{before: 4, after: 5}: {"3", "4"},
	} {
		ch, err := read(t.Context(), s, func(conn *sqlite.Conn) (customer.Change, error) {
			return v.change(conn, customer.ByID("north", id(1)))
		})
		got := [2]string{ch.Before.FirstName, ch.After.FirstName}
		if err != nil || got != want || ch.Before.Version != v.before || ch.After.Version != v.after {
			t.Errorf("%+v: got %q, versions %d and %d (%v), want %q", v, got, ch.Before.Version, ch.After.Version, err, want)
		}
	}
}

// TestAnyBreakIsFinishedByTheNextOpening breaks the making of an index off after
// each phase.
func TestAnyBreakIsFinishedByTheNextOpening(t *testing.T) {
	want := crowded(t, 1, 2)
	for n := range phases {
		s, path := start(t, Options{})
		if putOff, err := s.PutOffIndex(t.Context()); !putOff || err != nil {
			t.Fatalf("got %v (%v), want it put off", putOff, err)
		}
		crowd(t, s, 1)
		if err := s.Close(); err != nil { // which is all that is left of a process
			t.Fatal(err)
		}
		if err := phased(t, path, n, func(int) {}); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		crowd(t, s, 2)
		if got := contents(t, s); got != want {
			t.Errorf("after %d phases:\n%s\nwithout a break:\n%s", n, got, want)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// phased goes through the first phases of making the index.
func phased(t *testing.T, path string, n int, before func(phase int)) error {
	t.Helper()
	conn, err := openWriter(t.Context(), path)
	if err != nil {
		return err
	}
	b := &builder{conn: conn, tenants: map[string]int64{}}
	err = b.open(t.Context())
	for i := 0; i < n && err == nil; i++ {
		before(i)
		err = phases[i](b)
	}
	return errors.Join(err, b.close(), conn.Close())
}

func TestOpenWaitsForWhoeverMakesTheIndex(t *testing.T) {
	s, path := start(t, Options{})
	if putOff, err := s.PutOffIndex(t.Context()); !putOff || err != nil {
		t.Fatalf("got %v (%v), want it put off", putOff, err)
	}
	fill(t, s, 3)
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	told := 0
	if other, err := Open(soon, path, Options{OnIndex: func(float64) { told++ }}); !errors.Is(err, context.DeadlineExceeded) || told != 1 {
		t.Errorf("got %v (%v), told %d times, want it to wait and to tell that once", other, err, told)
	}
	other, err := Open(t.Context(), path, Options{LeaveIndex: true})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if putOff, err := other.PutOffIndex(t.Context()); putOff || err != nil {
		t.Fatalf("got %v (%v), want it left to the other", putOff, err)
	}
	done := make(chan error, 1)
	go func() { done <- other.Index(t.Context(), nil) }()
	if err := s.Index(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got, _ := found(t, other, customer.Query{Words: "love"}); !slices.Equal(got, []int32{1, 2, 3}) {
		t.Errorf("got %v, want customers 1 to 3", got)
	}
}

func TestIndexingIsGivenUpWithItsContext(t *testing.T) {
	s, path := start(t, Options{})
	fill(t, s, 3*aheadCustomers)
	foreign(t, path, func(conn *sqlite.Conn) error {
		change(t, conn, "UPDATE customers SET rowid = 20000 WHERE number = 1") // looks like many
		return setIndexVersion(conn, 0)
	})
	ctx, cancel := context.WithCancel(t.Context())
	if err := s.Index(ctx, func(float64) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want %v", err, context.Canceled)
	}
	parts := 0
	err := s.Index(t.Context(), func(part float64) {
		parts++
		if part <= 0 || part > 1 {
			t.Errorf("got part %v, want one of 0 to 1", part)
		}
	})
	if err != nil || parts == 0 {
		t.Errorf("got %v, told %d times, want it to be made, and told", err, parts)
	}
	if got, _ := found(t, s, customer.Query{Words: "love"}); len(got) != 3*aheadCustomers {
		t.Errorf("found %d, want %d", len(got), 3*aheadCustomers)
	}
}

func TestOneProcessMakesTheIndex(t *testing.T) {
	path := t.TempDir() + "/test.db"
	var making atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				m := &maker{path: path}
				if err := m.hold(t.Context(), nil); err != nil {
					t.Error(err)
				}
				if making.Add(1) != 1 {
					t.Error("two make the index")
				}
				time.Sleep(time.Millisecond)
				making.Add(-1)
				if err := m.release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
