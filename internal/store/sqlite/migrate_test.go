package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/store/storetest"
)

// TestReleasedMigrationsNeverChange has their SHA-256 hashes. Add a line for a new migration; do not
// change the others after a release.
func TestReleasedMigrationsNeverChange(t *testing.T) {
	storetest.WantMigrations(t, schema, map[string]string{
		"schema/0001_customers.sql": "1dc50fc272f0ad543aabfc99aaa0961b0f6745809be1833789916c319d16654b",
	})
}

func TestOtherFilesAreRejectedUnchanged(t *testing.T) {
	tests := map[string]struct {
		make func(t *testing.T, path string)
		want string
	}{
		"another program's": {script("CREATE TABLE notes (t); PRAGMA application_id = 7"), errOtherDatabase.Error()},
		"no program's":      {script("CREATE TABLE notes (t)"), errOtherDatabase.Error()},
		"an empty one with another program's mark": {script("PRAGMA application_id = 7"), errOtherDatabase.Error()},
		"a newer program's": {
			script(fmt.Sprintf("CREATE TABLE notes (t); PRAGMA application_id = %d; PRAGMA user_version = 9999", appID)),
			"needs a newer program",
		},
		"no database":  {text(strings.Repeat("no database ", 1000)), errOtherDatabase.Error()},
		"a short text": {text("no database"), errOtherDatabase.Error()},
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
		makeFile(t, path, func(conn *sqlite.Conn) error {
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

// makeFile creates a file without this package.
func makeFile(t *testing.T, path string, fill func(*sqlite.Conn) error) {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(fill(conn), conn.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestConcurrentOpensMigrateOnce(t *testing.T) {
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
