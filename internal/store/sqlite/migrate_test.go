package sqlite

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitemigration"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
	"kartotek/internal/store/storetest"
)

// TestReleasedMigrationsNeverChange holds their SHA-256 hashes. Add a line with a
// new migration; change none.
func TestReleasedMigrationsNeverChange(t *testing.T) {
	storetest.WantMigrations(t, schema, map[string]string{
		"schema/0001_customers.sql": "7f772d66ffaf058887ff7e16f182d1db6bb849e5c3e15af2c8dd441984577539",
		"schema/0002_native.sql":    "684f6dcf648f6a72a088b03b6b4f012072e227a5ee94846e371c769d5e6c791f",
		"schema/0003_search.sql":    "2bf666a0f275c10743e36920550546593d62e7408ea0059343f1a45b49e0fecf",
		"schema/0004_history.sql":   "6148c45e3b0ef33fb690d03189dde106d7b166ed23102a513c979f1cda698ae3",
		"schema/0005_merges.sql":    "fdab860b20f58c78bb734ee72beb966069c2b1702c00205d3baa38890d2e4061",
		"schema/0006_starts.sql":    "3ea3ba72b1305fa0ce4bfbdf76e8d5b1bcbcf015c987be3c92721f045f090b27",
	})
}

// plainRow is a customer as every schema takes it.
const plainRow = `INSERT INTO customers (tenant, id, number, version, kind, last_name, address_editable,
		broadband, district_heating, grid, power, created_at, updated_at)
		VALUES ('north', '018f3c5a-9b1e-7d3a-8c4b-000000000001', 1, 1, 'person', 'Lovelace', 0, 0, 0, 0, 0, 0, 0)`

func TestEveryReleasedSchemaIsMigrated(t *testing.T) {
	scripts, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= len(scripts); n++ {
		path := filepath.Join(t.TempDir(), "test.db")
		released := sqlitemigration.Schema{AppID: appID, Migrations: scripts[:n]}
		foreign(t, path, func(conn *sqlite.Conn) error {
			return errors.Join(sqlitemigration.Migrate(t.Context(), conn, released), sqlitex.ExecuteTransient(conn, plainRow, nil))
		})
		s, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatalf("schema %d: %v", n, err)
		}
		c, err := s.Find(t.Context(), customer.ByNumber("north", 1))
		if err != nil || c.ID != id(1) || c.LastName != "Lovelace" {
			t.Errorf("schema %d: got %#v (%v)", n, c, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestHistoryOutlivesItsIndex migrates changes that an index kept together.
func TestHistoryOutlivesItsIndex(t *testing.T) {
	scripts, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "test.db")
	foreign(t, path, func(conn *sqlite.Conn) error {
		return errors.Join(
			sqlitemigration.Migrate(t.Context(), conn, sqlitemigration.Schema{AppID: appID, Migrations: scripts[:3]}),
			sqlitex.ExecuteScript(conn, plainRow+`;
				UPDATE customers SET version = 3, last_name = 'King';
				INSERT INTO customers (tenant, id, number, version, kind, address_editable, broadband, district_heating, grid, power, created_at, updated_at)
				SELECT 'south', id, number, 1, kind, 0, 0, 0, 0, 0, 0, 0 FROM customers;
				INSERT INTO changes (seq, tenant, customer_id, version, event, actor, at, fields)
				SELECT column1, column2, id, column3, 'customer.updated', 'test', 0, '{}'
				FROM customers, (VALUES (1, 'north', 1), (5, 'south', 1), (6, 'north', 2), (9, 'north', 3)) WHERE tenant = column2`, nil))
	})
	s := open(t, path, Options{})
	if err := revise(t, s, 1, func(c *customer.Customer) error {
		c.LastName = "Byron"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for tenant, want := range map[string]string{"north": "[[10 4] [9 3] [6 2] [1 1]]", "south": "[[5 1]]"} {
		changes, err := s.Changes(t.Context(), tenant, id(1), math.MaxInt64, 10)
		var got [][2]int64
		for _, c := range changes {
			got = append(got, [2]int64{c.Seq, c.Version})
		}
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: got changes %v (%v), want %s", tenant, got, err, want)
		}
	}
	if got, err := s.Changes(t.Context(), "north", id(1), 4, 2); err != nil || len(got) != 2 || got[0].Version != 3 || got[1].Version != 2 {
		t.Errorf("from the middle: got %+v (%v), want versions 3 and 2", got, err)
	}
}

func TestFilesThatAreNotOursAreRefusedUntouched(t *testing.T) {
	tests := map[string]struct {
		make func(t *testing.T, path string)
		want string
	}{
		"another program's": {script("CREATE TABLE notes (t); PRAGMA application_id = 7"), errForeign.Error()},
		"nobody's":          {script("CREATE TABLE notes (t)"), errForeign.Error()},
		"an empty one with another program's mark": {script("PRAGMA application_id = 7"), errForeign.Error()},
		"a newer program's": {
			script(fmt.Sprintf("CREATE TABLE notes (t); PRAGMA application_id = %d; PRAGMA user_version = 9999", appID)),
			"needs a newer program",
		},
		"no database":  {text(strings.Repeat("no database ", 1000)), errForeign.Error()},
		"a short text": {text("no database"), errForeign.Error()},
		"not even a file": {func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "unable to open"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "test.db")
			tt.make(t, path)
			before, _ := os.ReadFile(path) // a folder has no bytes
			_, err := Open(t.Context(), path, Options{})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want %q with the path", err, tt.want)
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("the file was changed")
			}
		})
	}
}

func script(sql string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		foreign(t, path, func(conn *sqlite.Conn) error {
			for statement := range strings.SplitSeq(sql, ";") {
				if err := sqlitex.ExecuteTransient(conn, statement, nil); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

func text(s string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// foreign makes a file without this package.
func foreign(t *testing.T, path string, fill func(*sqlite.Conn) error) {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(fill(conn), conn.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestConcurrentOpeningsMigrateOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	results := make(chan error)
	for range 8 {
		go func() {
			s, err := Open(t.Context(), path, Options{})
			if err == nil {
				err = s.Close()
			}
			results <- err
		}()
	}
	for range 8 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}
