package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	store "kartotek/internal/store/sqlite"
)

const (
	customers = 50
	changes   = 200
)

var operator = access.Actor{Tenant: "t", Name: "operator", Customers: access.AllCustomers(), Scopes: access.Scopes()}

// Kartotek and the writer here make the same changes to files that are alike.
func TestWriterLeavesSameRowsAsKartotek(t *testing.T) {
	t.Parallel()
	ours, theirs := newFile(t), newFile(t)
	edits := someEdits()

	use(t, theirs, func(service *customer.Service) {
		for _, e := range edits {
			set := func(c *customer.Customer) error {
				c.Phone, c.Address.Line = e.phone, e.line
				return nil
			}
			if _, err := service.Update(t.Context(), operator, customer.ByNumber("t", e.number), set, nil); err != nil {
				t.Fatal(err)
			}
		}
	})
	change(t, ours, edits)

	for _, query := range []string{
		"SELECT number, version, phone, address_line, email, last_change FROM customers ORDER BY number",
		"SELECT seq, previous, tenant, customer_id, version, event, fields FROM changes ORDER BY seq",
		"SELECT term, doc FROM temp.words ORDER BY term, doc", // of pieces
	} {
		got, want := dump(t, ours, query), dump(t, theirs, query)
		if len(want) < customers {
			t.Fatalf("%s: %d rows, want %d at least", query, len(want), customers)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", query, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestChangedCustomerIsFoundWithHistory(t *testing.T) {
	t.Parallel()
	file, edits := newFile(t), someEdits()
	change(t, file, edits)
	use(t, file, func(service *customer.Service) {
		last := edits[len(edits)-1]
		page, err := service.Search(t.Context(), operator, customer.Query{Phone: last.phone}, customer.Position{}, 10)
		if err != nil || len(page.Customers) != 1 || page.Customers[0].Number != last.number {
			t.Fatalf("search for the new phone: got %d customers and %v, want the one that has it", len(page.Customers), err)
		}
		found := page.Customers[0]
		if found.Address.Line != last.line || !found.UpdatedAt.After(found.CreatedAt) {
			t.Errorf("got %q of %v, want %q of later than %v", found.Address.Line, found.UpdatedAt, last.line, found.CreatedAt)
		}
		history, err := service.History(t.Context(), operator, customer.ByNumber("t", last.number), 0, 1)
		if err != nil || len(history) != 1 {
			t.Fatalf("history: got %d changes and %v, want one", len(history), err)
		}
		if got := history[0]; got.Version != found.Version || !got.Meta.At.Equal(found.UpdatedAt) ||
			len(got.Fields) != 2 || got.Fields[0].After != last.phone || got.Fields[1].After != last.line {
			t.Errorf("history: got version %d with %d fields, want version %d with both", got.Version, len(got.Fields), found.Version)
		}
	})
}

func TestRunCountsChanges(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	got, err := run(file, customers, 8, 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	made := len(dump(t, file, "SELECT seq FROM changes")) - customers
	if got.Changes == 0 || got.Changes != made || got.P50 <= 0 || got.P99 < got.P50 || got.Seconds < 0.02 {
		t.Errorf("got %+v, want the %d changes in the file", got, made)
	}
}

// someEdits touch some customers more than once, and a few in one transaction.
func someEdits() []edit {
	edits := make([]edit, changes)
	for i := range edits {
		edits[i] = edit{int32(1 + i*i%customers), fmt.Sprintf("+32 4%08d", 12_345_678+i*76_543), fmt.Sprintf("Kerkstraat %d \"bus\"", i)}
	}
	return edits
}

func change(t *testing.T, file string, edits []edit) {
	t.Helper()
	w, err := open(file)
	if err != nil {
		t.Fatal(err)
	}
	for batch := range slices.Chunk(edits, 16) {
		if err := w.commit(batch, manyMoves); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
}

// newFile is what an import leaves. One customer has no phone, one is of another
// country, and one has a last name beyond ASCII.
func newFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "k.db")
	entries := make([]customer.Upsert, customers)
	for i := range entries {
		n := i + 1
		entries[i] = customer.Upsert{
			ID:     fmt.Sprintf("00000000-0000-4000-8000-%012d", n),
			Number: int32(n),
			Edit: func(c *customer.Customer) error {
				c.LastName = fmt.Sprintf("%cames", 'A'+n%26)
				c.Email = fmt.Sprintf("c%d@example.com", n)
				c.Phone = fmt.Sprintf("09 22%05d", n*1234)
				c.Mobile = fmt.Sprintf("+32 47%07d", n*4321)
				c.Address = customer.Address{Line: "Dorpstraat 1", PostalCode: "9000", Country: "BE"}
				switch n {
				case 1:
					c.Phone, c.Address.Line = "", ""
				case 2:
					c.Address.Country, c.Locale = "", "nb-NO"
				case 3:
					c.LastName = "Ødegård"
				}
				return nil
			},
		}
	}
	use(t, file, func(service *customer.Service) {
		results, err := service.Upsert(t.Context(), operator, entries)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if r.Err != nil {
				t.Fatal(r.Err)
			}
		}
	})
	return file
}

func use(t *testing.T, file string, fn func(*customer.Service)) {
	t.Helper()
	s, err := store.Open(t.Context(), file, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fn(customer.New(s, s, time.Now, func() string { return "" }))
}

func dump(t *testing.T, file, query string) (rows []string) {
	t.Helper()
	conn, err := sqlite.OpenConn(file, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := sqlitex.ExecuteTransient(conn, "CREATE VIRTUAL TABLE temp.words USING fts5vocab (main, pieces, instance)", nil); err != nil {
		t.Fatal(err)
	}
	err = sqlitex.ExecuteTransient(conn, query, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		row := make([]string, stmt.ColumnCount())
		for i := range row {
			row[i] = stmt.ColumnText(i)
		}
		rows = append(rows, strings.Join(row, "|"))
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
