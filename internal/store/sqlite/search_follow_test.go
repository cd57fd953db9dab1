package sqlite

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
)

// wantPhone reports unless exactly these customers are found by the phone.
func wantPhone(t *testing.T, s *Store, phone string, numbers ...int32) {
	t.Helper()
	if got, _ := found(t, s, customer.Query{Phone: phone}); !slices.Equal(got, numbers) {
		t.Errorf("search for %s: got %v, want %v", phone, got, numbers)
	}
}

func setPhone(phone string) customer.Edit {
	return func(c *customer.Customer) error {
		c.Phone = phone
		return nil
	}
}

// breakOff changes a customer in a transaction that is rolled back.
func breakOff(t *testing.T, s *Store, number int32) {
	t.Helper()
	entries := []customer.Upsert{
		{Number: number, Edit: setPhone("+32 2 999 99 99")},
		{Number: number, Edit: func(*customer.Customer) error { panic("on purpose") }},
	}
	if _, err := s.Upsert(t.Context(), "north", customer.ChangeMeta{Actor: "test"}, entries); err == nil {
		t.Fatal("got no error of an edit that panics")
	}
}

// TestTheIndexFollowsWhoeverWrites has two stores write and search the same file in
// turns, and forget what they have to follow, as a process does that is killed.
func TestTheIndexFollowsWhoeverWrites(t *testing.T) {
	first, path := start(t, Options{})
	second := open(t, path, Options{})
	stores := []*Store{first, second}
	fill(t, first, 10)
	for i := range 1500 {
		s := stores[rand.IntN(2)]
		number, phone := 1+rand.Int32N(10), fmt.Sprintf("+32 2 %07d", i)
		edits := []customer.Edit{
			setPhone(phone), setPhone(phone), setPhone(phone), setPhone(""),
			func(c *customer.Customer) error { c.LastName = "Name" + strconv.Itoa(i); return nil },
			func(c *customer.Customer) error { c.NationalID = strconv.Itoa(i); return nil },
		}
		n := rand.IntN(len(edits))
		if err := revise(t, s, number, edits[n]); err != nil {
			t.Fatal(err)
		}
		if n < 2 && i%7 == 0 {
			wantPhone(t, stores[rand.IntN(2)], phone[len("+32 2 "):], number)
		}
		if i%20 == 0 {
			breakOff(t, s, number)
		}
		if i%200 == 0 {
			if err := s.writer.run(t.Context(), func(*sqlite.Conn) error { s.writer.follower.forget(); return nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	followed := contents(t, first)
	if err := first.writer.run(t.Context(), func(conn *sqlite.Conn) error { return setIndexVersion(conn, 0) }); err != nil {
		t.Fatal(err)
	}
	if err := first.Index(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if anew := contents(t, first); followed != anew {
		t.Errorf("followed:\n%s\nmade anew:\n%s", followed, anew)
	}
}

// TestNothingRolledBackIsFollowed has another store write as many changes as were
// rolled back.
func TestNothingRolledBackIsFollowed(t *testing.T) {
	first, path := start(t, Options{})
	second := open(t, path, Options{})
	fill(t, first, 2)
	breakOff(t, first, 1)
	if err := revise(t, second, 2, setPhone("+32 2 888 88 88")); err != nil {
		t.Fatal(err)
	}
	wantPhone(t, first, "8888888", 2)
	wantPhone(t, first, "1234567", 1)
}

// TestTheIndexFollowsWhatWasWrittenBefore opens a file whose last changes nobody
// has followed: more than are replayed at once.
func TestTheIndexFollowsWhatWasWrittenBefore(t *testing.T) {
	s, from := start(t, Options{})
	fill(t, s, 2*replayBatch)
	for _, number := range []int32{1, 2 * replayBatch} {
		if err := revise(t, s, number, setPhone(fmt.Sprintf("+32 2 %07d", number))); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "killed.db") // a copy of the file before anybody follows
	if err := s.writer.run(t.Context(), func(*sqlite.Conn) error { s.writer.follower.forget(); return nil }); err != nil {
		t.Fatal(err)
	}
	foreign(t, from, func(conn *sqlite.Conn) error {
		return sqlitex.ExecuteTransient(conn, "VACUUM INTO ?", &sqlitex.ExecOptions{Args: []any{path}})
	})
	again := open(t, path, Options{})
	wantPhone(t, again, "0000001", 1)
	wantPhone(t, again, "0001000", 2*replayBatch)
}

// TestThePartsOfTheIndexAreMerged follows each change alone. FTS5 itself would let
// there be 16 parts before it merged them all at once.
func TestThePartsOfTheIndexAreMerged(t *testing.T) {
	s, _ := start(t, Options{})
	fill(t, s, 1)
	for i := range 15 {
		if err := revise(t, s, 1, setPhone(fmt.Sprintf("+32 2 %07d", i))); err != nil {
			t.Fatal(err)
		}
		if err := s.follow(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for query, most := range map[string]int64{
		"SELECT count(DISTINCT id >> 37) FROM pieces_data WHERE id > 10": 6, // 1 is the averages, 10 the list of parts
		"SELECT v FROM pieces_config WHERE k = 'automerge'":              0,
	} {
		got, err := read(t.Context(), s, func(conn *sqlite.Conn) (int64, error) { return integer(conn, query) })
		if err != nil || got > most {
			t.Errorf("%s: got %d (%v), want at most %d", query, got, err, most)
		}
	}
}

func TestWhatCannotBeFollowedIsSearchedAsItIs(t *testing.T) {
	s, _ := start(t, Options{})
	fill(t, s, 1)
	wantPhone(t, s, "470123456", 1)
	if err := s.writer.run(t.Context(), func(conn *sqlite.Conn) error {
		return sqlitex.ExecuteTransient(conn, "PRAGMA max_page_count = 1", nil)
	}); err != nil {
		t.Fatal(err)
	}
	for i := 0; revise(t, s, 1, setPhone(fmt.Sprintf("+32 2 %07d", i))) == nil; i++ { // until there is no room
	}
	wantPhone(t, s, "470123456", 1)
}
