package postgres

import (
	"fmt"
	"testing"

	"kartotek/internal/customer"
)

// TestUpsertWithRepeatedCustomers creates and updates the same customers more than once.
func TestUpsertWithRepeatedCustomers(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	fill(t, s, 3)
	id := func(n int) string { return fmt.Sprintf("018f3c5a-9b1e-7d3a-8c4b-%012x", n) }
	results, err := s.Upsert(t.Context(), "north", byTest, []customer.Upsert{
		{Number: 1, Edit: named("King")},
		{ID: id(2), Edit: named("King")},
		{ID: id(9), Number: 9, Edit: named("Milbanke")},
		{ID: id(1), Edit: named("Byron")},
		{Number: 9, Edit: named("Noel")},
		{Number: 3, Edit: named("Lovelace")},
		{ID: id(1), Number: 2, Edit: named("Rejected")},
		{Number: 1, Edit: named("Byron")},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for _, r := range results {
		got = append(got, r.Change.After.Version)
	}
	if fmt.Sprint(got) != "[2 2 1 3 2 1 0 3]" || results[6].Err == nil || !results[5].Change.Empty() || !results[7].Change.Empty() {
		t.Errorf("got versions %v, and %v", got, results[6].Err)
	}
	for number, want := range map[int32]string{1: "Byron", 2: "King", 3: "Lovelace", 9: "Noel"} {
		c, err := s.Find(t.Context(), customer.ByNumber("north", number))
		if err != nil || c.LastName != want {
			t.Errorf("%d: got %q (%v), want %q", number, c.LastName, err, want)
		}
		history, err := s.Changes(t.Context(), "north", c.ID, c.Version+1, 10)
		if err != nil || len(history) != int(c.Version) {
			t.Errorf("%d at version %d: %d changes (%v)", number, c.Version, len(history), err)
		}
	}
}

// TestUpsertAndUpdatesOfTwoServers has one server upsert the customers that the other updates.
func TestUpsertAndUpdatesOfTwoServers(t *testing.T) {
	t.Parallel()
	s, dsn := start(t)
	const customers, upserts = 20, 15
	fill(t, s, customers)
	other := open(t, dsn)
	done := make(chan error)
	go func() {
		for n := range customers * upserts {
			number := int32(n%customers + 1)
			if err := setPhone(t, other, number, fmt.Sprintf("+47 22 33 %04d", n)); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for n := range upserts {
		var entries []customer.Upsert
		for number := range customers {
			entries = append(entries, customer.Upsert{Number: int32(number + 1), Edit: named(fmt.Sprint("King ", n))})
		}
		put(t, s, entries)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for number := range int32(customers) {
		c, err := s.Find(t.Context(), customer.ByNumber("north", number+1))
		if err != nil || c.Version != 1+2*upserts || c.LastName != fmt.Sprint("King ", upserts-1) {
			t.Errorf("%d: got %q at version %d (%v), want %d", number+1, c.LastName, c.Version, err, 1+2*upserts)
		}
		history, err := s.Changes(t.Context(), "north", c.ID, c.Version+1, 100)
		if err != nil {
			t.Fatal(err)
		}
		for i := range len(history) - 1 {
			if history[i].Seq <= history[i+1].Seq {
				t.Errorf("%d: version %d is in the feed before version %d", number+1, history[i].Version, history[i+1].Version)
			}
		}
	}
}
