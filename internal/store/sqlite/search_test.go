package sqlite

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
)

// found are the numbers of the customers of north that a search finds, page by
// page, and how many pages it takes.
func found(t *testing.T, s *Store, q customer.Query) (numbers []int32, pages int) {
	t.Helper()
	for page := (customer.Page{More: true}); page.More; pages++ {
		before := page.Next
		var err error
		page, err = s.Search(t.Context(), "north", q, before, 20)
		if err != nil {
			t.Fatal(err)
		}
		if page.More && page.Next.Compare(before) <= 0 {
			t.Fatalf("page %d does not go on from the one before", pages+1)
		}
		for _, c := range page.Customers {
			numbers = append(numbers, c.Number)
		}
	}
	return numbers, pages
}

func TestSearchGivesUpAfterManyRows(t *testing.T) {
	s, _ := start(t, Options{})
	fill(t, s, 300) // all are Lovelace, with the same phone
	s.searchRows = 50
	rare := func(c *customer.Customer) error {
		c.FirstName, c.NationalID = "Zoë", "rare"
		c.ConfirmedAt = c.CreatedAt
		return nil
	}
	for _, n := range []int32{7, 250} {
		if err := revise(t, s, n, rare); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		query customer.Query
		want  []int32
	}{
		"no index knows so few digits": {customer.Query{Phone: "45", Name: "zo"}, []int32{7, 250}},
		"nobody":                       {customer.Query{Phone: "99"}, nil},
		"two lists that never meet":    {customer.Query{Name: "lovelace ada"}, nil},
	} {
		if got, _ := found(t, s, tt.query); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
	if _, pages := found(t, s, customer.Query{Phone: "99"}); pages < 300/50 {
		t.Errorf("got %d pages, want no page that looks at all rows", pages)
	}
}

func TestARarePhoneNarrowsACommonName(t *testing.T) {
	s, _ := start(t, Options{})
	fill(t, s, 300)
	s.searchRows = 50
	err := revise(t, s, 250, func(c *customer.Customer) error {
		c.Phone = "+32 9 876 54 32"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"lovelace 098765432", "098765432 love", "love ada@ 5432"} {
		got, pages := found(t, s, customer.Query{Words: words})
		if !slices.Equal(got, []int32{250}) || pages > 2 {
			t.Errorf("%s: got %v on %d pages, want customer 250 on one or two", words, got, pages)
		}
	}
}

// TestFilesAreIndexedAnew has a file that an earlier program left, at some point
// of its own indexing.
func TestFilesAreIndexedAnew(t *testing.T) {
	want := []int32{1, 2, 3, 4, 5}
	for name, spoil := range map[string]func(*testing.T, *sqlite.Conn){
		"keys of another version": func(t *testing.T, conn *sqlite.Conn) {
			change(t, conn, "UPDATE search SET keys = 'old'")
			change(t, conn, "UPDATE search_state SET keys_version = -1")
		},
		"not indexed": func(t *testing.T, conn *sqlite.Conn) {
			change(t, conn, dropEntries)
			change(t, conn, dropTerms)
			change(t, conn, dropPieces)
			change(t, conn, "UPDATE search_state SET keys_version = 0")
		},
		"half indexed": func(t *testing.T, conn *sqlite.Conn) {
			change(t, conn, "DELETE FROM search WHERE number > 2")
			change(t, conn, "UPDATE search_state SET (tenant, id) = ('north', '"+id(2)+"')")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, path := start(t, Options{})
			fill(t, s, len(want))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			foreign(t, path, func(conn *sqlite.Conn) error {
				spoil(t, conn)
				return nil
			})
			s = open(t, path, Options{})
			for _, q := range []customer.Query{{Words: "love"}, {Words: "ada@"}, {Words: "021234567"}, {Words: "1000"}} {
				if got, _ := found(t, s, q); !slices.Equal(got, want) {
					t.Errorf("%+v: got %v, want %v", q, got, want)
				}
			}
		})
	}
}

func change(t *testing.T, conn *sqlite.Conn, query string) {
	t.Helper()
	if err := sqlitex.ExecuteTransient(conn, query, nil); err != nil {
		t.Fatal(err)
	}
}

// TestIndexForgetsNothingAndKeepsNothing holds what is left of an index after
// changes to one that is made anew.
func TestIndexForgetsNothingAndKeepsNothing(t *testing.T) {
	s, _ := start(t, Options{})
	fill(t, s, 20)
	for i := range int32(200) {
		n := 1 + i*7%20
		if err := revise(t, s, n, func(c *customer.Customer) error {
			switch i % 5 {
			case 0:
				c.LastName = fmt.Sprintf("Name%d Other", i%3)
			case 1:
				c.Phone = []string{"", "+32 2 123 45 67", "123456"}[i%3]
			case 2:
				c.Mobile, c.Email = "", fmt.Sprintf("a%d@example.com", i)
			case 3:
				c.Address.PostalCode = []string{"", "9000"}[i%2]
			case 4:
				c.Address.Country = []string{"", "NO"}[i%2]
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	breaksOff := []customer.Upsert{{ID: id(99), Number: 99, Edit: ada}, {ID: id(1), Edit: func(*customer.Customer) error { panic("on purpose") }}}
	if _, err := s.Upsert(t.Context(), "north", customer.ChangeMeta{Actor: "test", At: time.Now()}, breaksOff); err == nil {
		t.Fatal("got no error of an edit that panics")
	}
	if err := revise(t, s, 1, ada); err != nil {
		t.Fatal(err)
	}
	changed := contents(t, s)
	if err := s.writer.run(t.Context(), func(conn *sqlite.Conn) error { return setIndexVersion(conn, 0) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Index(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if anew := contents(t, s); changed != anew {
		t.Errorf("after changes:\n%s\nmade anew:\n%s", changed, anew)
	}
}

// contents are all rows that searches read.
func contents(t *testing.T, s *Store) string {
	t.Helper()
	if err := s.follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines, err := write(t.Context(), s, func(conn *sqlite.Conn) (lines []string, err error) {
		if err := execute(conn, "CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab (main, pieces, instance)"); err != nil {
			return nil, err
		}
		for _, query := range []string{
			"SELECT tenant || '|' || last_name || '|' || first_name || '|' || id || '|' || number || '|' || keys FROM search",
			"SELECT tenant || '|' || term || '|' || last_name || '|' || first_name || '|' || id || '|' || coalesce(rest, '') FROM terms",
			"SELECT term || '|' || doc FROM temp.vocabulary",
		} {
			err = sqlitex.ExecuteTransient(conn, query, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
				lines = append(lines, stmt.ColumnText(0))
				return nil
			}})
			if err != nil {
				return nil, err
			}
		}
		return lines, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
