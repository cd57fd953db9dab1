package postgres

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

func TestChangesAreMadeTogether(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	s.lag = time.Minute // other tests have transactions
	const callers = 8
	fillApart(t, s, callers)
	var commits []int
	s.onCommit = func(writes int, _ time.Duration) { commits = append(commits, writes) }
	gather(t, &s.moves, callers, func(caller int) {
		number := int32(caller + 1)
		ch, err := rename(t, s, number, fmt.Sprint("King ", number))
		if err != nil || ch.After.Number != number || ch.After.Version != 2 {
			t.Errorf("%d: got %d at version %d (%v), want version 2", number, ch.After.Number, ch.After.Version, err)
		}
	})
	if !slices.Equal(commits, []int{callers}) {
		t.Errorf("got commits of %v, want one of %d", commits, callers)
	}
	feed, err := s.Feed(t.Context(), "north", births(t, s, callers), 100)
	if err != nil || len(feed) != callers {
		t.Fatalf("got %d changes (%v), want %d", len(feed), err, callers)
	}
	for _, r := range feed {
		if r.Version != 2 || r.Fields[0].After != fmt.Sprint("King ", r.Number) {
			t.Errorf("%d: got version %d and %v", r.Number, r.Version, r.Fields)
		}
		c, err := s.Find(t.Context(), customer.ByNumber("north", r.Number))
		if err != nil || c.LastName != fmt.Sprint("King ", r.Number) || c.ID != r.CustomerID {
			t.Errorf("%d: got %s %s (%v)", r.Number, c.ID, c.LastName, err)
		}
	}
}

// births is where n customers have been born in the feed.
func births(t *testing.T, s *Store, n int) (seq int64) {
	t.Helper()
	feed, err := s.Feed(t.Context(), "north", 0, n)
	if err != nil || len(feed) != n {
		t.Fatalf("got %d births (%v), want %d", len(feed), err, n)
	}
	return feed[n-1].Seq
}

// TestNobodyWaitsForAnothersCustomer has one customer of a group held by somebody
// else.
func TestNobodyWaitsForAnothersCustomer(t *testing.T) {
	t.Parallel()
	s, dsn := start(t)
	fillApart(t, s, 4)
	tx, err := open(t, dsn).pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SELECT FROM customers WHERE number = 1 FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	var free sync.WaitGroup
	free.Add(3)
	go func() {
		free.Wait()
		_ = tx.Rollback(t.Context())
	}()
	gather(t, &s.moves, 4, func(caller int) {
		ch, err := rename(t, s, int32(caller+1), "King")
		if err != nil || ch.After.Version != 2 {
			t.Errorf("%d: got version %d (%v), want 2", caller+1, ch.After.Version, err)
		}
		if caller > 0 {
			free.Done()
		}
	})
}

// TestARefusedChangeSpoilsNoOther has PostgreSQL refuse one of a group.
func TestARefusedChangeSpoilsNoOther(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	fillApart(t, s, 4)
	run(t, s, "ALTER TABLE customers ADD CHECK (number > 1 OR version = 1)")
	gather(t, &s.moves, 4, func(caller int) {
		_, err := rename(t, s, int32(caller+1), "King")
		if (err != nil) != (caller == 0) || fault.IsFault(err) {
			t.Errorf("%d: got %v", caller+1, err)
		}
	})
}

func TestCustomersAreFoundTogether(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	fill(t, s, 3)
	refs := []customer.Ref{
		customer.ByNumber("north", 3),
		customer.ByNumber("north", 1),
		customer.ByNumber("north", 3),
		customer.ByID("north", "018f3c5a-9b1e-7d3a-8c4b-000000000009"),
		customer.ByID("south", "018f3c5a-9b1e-7d3a-8c4b-000000000001"),
	}
	gather(t, &s.finds, len(refs), func(caller int) {
		c, err := s.Find(t.Context(), refs[caller])
		if want := refs[caller].Number; c.Number != want || (want == 0) != fault.Is(err, fault.NotFound) {
			t.Errorf("%+v: got %d (%v)", refs[caller], c.Number, err)
		}
	})
}
