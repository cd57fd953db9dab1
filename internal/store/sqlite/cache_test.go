package sqlite

import (
	"math"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
)

// TestSlowReaderDoesNotCacheOldVersion has commits at each moment of a read.
func TestSlowReaderDoesNotCacheOldVersion(t *testing.T) {
	t.Parallel()
	ref := customer.ByNumber("north", 1)
	at := func(version int64) record {
		return record{Customer: customer.Customer{Tenant: "north", ID: id(1), Number: 1, Version: version}}
	}
	tests := map[string]struct {
		read func(c *cache) (generation uint64) // up to the call of addIfCurrent
		want int64                              // the cached version after it; 0 for none
	}{
		"nothing happened": {func(c *cache) uint64 { return look(c) }, 1},
		"a commit began": {func(c *cache) uint64 {
			generation := look(c)
			c.beginCommit([]record{at(2)})
			return generation
		}, 0},
		"a commit was under way": {func(c *cache) uint64 {
			c.beginCommit([]record{at(2)})
			return look(c)
		}, 0},
		"it ended meanwhile": {func(c *cache) uint64 {
			c.beginCommit([]record{at(2)})
			generation := look(c)
			c.endCommit([]record{at(2)})
			return generation
		}, 2},
		"it failed meanwhile": {func(c *cache) uint64 {
			c.beginCommit([]record{at(2)})
			generation := look(c)
			c.endCommit(nil)
			return generation
		}, 0},
		"another process committed": {func(c *cache) uint64 {
			generation := look(c)
			c.clear()
			return generation
		}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCache()
			c.addIfCurrent(at(1), tt.read(c))
			if got, _, _ := c.find(ref); got.Version != tt.want {
				t.Errorf("got version %d, want %d", got.Version, tt.want)
			}
		})
	}
}

// look returns the current generation.
func look(c *cache) uint64 {
	_, generation, _ := c.find(customer.Ref{})
	return generation
}

func TestCacheFindsRecordsByNumberAndByID(t *testing.T) {
	s, _ := start(t, Options{})
	fill(t, s, 2)
	for _, ref := range []customer.Ref{customer.ByNumber("north", 1), customer.ByID("north", id(1))} {
		if _, err := s.Find(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
		if r, _, ok := s.cache.find(ref); !ok || r.ID != id(1) || r.row == 0 || r.change == 0 {
			t.Errorf("%+v: got %#v, want it cached with its row and change", ref, r)
		}
	}
	for _, ref := range []customer.Ref{customer.ByNumber("nort", 1), customer.ByNumber("south", 1), customer.ByID("south", id(1)), customer.ByNumber("north", math.MaxInt32)} {
		if r, _, ok := s.cache.find(ref); ok {
			t.Errorf("%+v: got %#v, want nothing", ref, r)
		}
	}
}

// TestVacuumMayRenumberRows changes rowids, as a VACUUM may.
func TestVacuumMayRenumberRows(t *testing.T) {
	s, path := start(t, Options{})
	fill(t, s, 3)
	moved := customer.ByNumber("north", 3)
	stale, _, ok := s.cache.find(moved)
	if !ok {
		t.Fatal("the record is not cached")
	}
	makeFile(t, path, func(conn *sqlite.Conn) error {
		return sqlitex.ExecuteScript(conn, `
			DELETE FROM customers WHERE number = 1;
			UPDATE customers SET rowid = rowid - 1;
			UPDATE customers SET last_name = 'King', version = version + 1 WHERE number = 2`, nil)
	})
	s.cache.addIfCurrent(stale, look(s.cache)) // as if the change had not been noticed
	for _, number := range []int32{3, 2} {
		if err := update(t, s, number, addOne); err != nil {
			t.Fatal(err)
		}
	}
	for number, want := range map[int32]string{2: "King", 3: "Lovelace"} {
		found, err := s.Find(t.Context(), customer.ByNumber("north", number))
		if err != nil || found.FirstName != "1" || found.LastName != want {
			t.Errorf("customer %d: got %q %q (%v), want 1 %s", number, found.FirstName, found.LastName, err, want)
		}
	}
}

func TestWritesOfAnotherProcessAreVisible(t *testing.T) {
	first, path := start(t, Options{})
	fill(t, first, 1)
	second := open(t, path, Options{})
	awaitVersion(t, second, 1)
	if err := update(t, first, 1, addOne); err != nil {
		t.Fatal(err)
	}
	awaitVersion(t, second, 2)
}
