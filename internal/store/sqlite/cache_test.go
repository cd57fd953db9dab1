package sqlite

import (
	"math"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
)

// TestNoSlowReaderPutsBackWhatIsGone goes through the moments at which a reader may
// have looked at the file.
func TestNoSlowReaderPutsBackWhatIsGone(t *testing.T) {
	t.Parallel()
	ref := customer.ByNumber("north", 1)
	at := func(version int64) record {
		return record{Customer: customer.Customer{Tenant: "north", ID: id(1), Number: 1, Version: version}}
	}
	tests := map[string]struct {
		look func(c *cache) uint64 // and what happens until the reader fills
		want int64                 // the version that is found then; 0 for none
	}{
		"nothing happened": {func(c *cache) uint64 { return c.look() }, 1},
		"a commit began": {func(c *cache) uint64 {
			looked := c.look()
			c.begin([]record{at(2)})
			return looked
		}, 0},
		"a commit was under way": {func(c *cache) uint64 {
			c.begin([]record{at(2)})
			return c.look()
		}, 0},
		"it ended meanwhile": {func(c *cache) uint64 {
			c.begin([]record{at(2)})
			looked := c.look()
			c.end([]record{at(2)})
			return looked
		}, 2},
		"it failed meanwhile": {func(c *cache) uint64 {
			c.begin([]record{at(2)})
			looked := c.look()
			c.end(nil)
			return looked
		}, 0},
		"another process committed": {func(c *cache) uint64 {
			looked := c.look()
			c.clear()
			return looked
		}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := newCache()
			if err != nil {
				t.Fatal(err)
			}
			defer c.close()
			c.fill(at(1), tt.look(c))
			if got, _ := c.find(ref); got.Version != tt.want {
				t.Errorf("got version %d, want %d", got.Version, tt.want)
			}
		})
	}
}

func TestRecordsAreRememberedByNumberAndByID(t *testing.T) {
	s, _ := start(t, Options{})
	fill(t, s, 2)
	for _, ref := range []customer.Ref{customer.ByNumber("north", 1), customer.ByID("north", id(1))} {
		if _, err := s.Find(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
		if r, ok := s.cache.find(ref); !ok || r.ID != id(1) || r.Row == 0 || r.Change == 0 {
			t.Errorf("%+v: got %#v, want it remembered with its row and change", ref, r)
		}
	}
	for _, ref := range []customer.Ref{customer.ByNumber("nort", 1), customer.ByNumber("south", 1), customer.ByID("south", id(1)), customer.ByNumber("north", math.MaxInt32)} {
		if r, ok := s.cache.find(ref); ok {
			t.Errorf("%+v: got %#v, want nothing", ref, r)
		}
	}
}

// TestARecordMayMoveInTheFile vacuums, which may give every record another row.
func TestARecordMayMoveInTheFile(t *testing.T) {
	s, path := start(t, Options{})
	fill(t, s, 3)
	moved := customer.ByNumber("north", 3)
	stale, ok := s.cache.find(moved)
	if !ok {
		t.Fatal("the record is not remembered")
	}
	foreign(t, path, func(conn *sqlite.Conn) error {
		return sqlitex.ExecuteScript(conn, `
			DELETE FROM customers WHERE number = 1;
			UPDATE customers SET rowid = rowid - 1;
			UPDATE customers SET last_name = 'King', version = version + 1 WHERE number = 2`, nil)
	})
	s.cache.fill(stale, s.cache.look()) // as if nobody had noticed
	for _, number := range []int32{3, 2} {
		if err := revise(t, s, number, addOne); err != nil {
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

func TestWhatAnotherProcessWritesShowsSoon(t *testing.T) {
	first, path := start(t, Options{})
	fill(t, first, 1)
	second := open(t, path, Options{})
	awaitVersion(t, second, 1)
	if err := revise(t, first, 1, addOne); err != nil {
		t.Fatal(err)
	}
	awaitVersion(t, second, 2)
}
