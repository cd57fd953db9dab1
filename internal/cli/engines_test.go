package cli_test

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/store/pgtest"
	"kartotek/internal/store/postgres"
	ours "kartotek/internal/store/sqlite"
	"kartotek/internal/store/storetest"
)

// location is a store on one of the engines.
type location struct {
	flag string // --store=URL
	open func(t *testing.T) storetest.Store
}

var engines = map[string]func(*testing.T) location{"sqlite": atSQLite, "postgres": atPostgres}

// onEachEngineInTurn runs a test that measures time with a new store on each engine.
func onEachEngineInTurn(t *testing.T, test func(*testing.T, location)) {
	for name, at := range engines {
		t.Run(name, func(t *testing.T) { test(t, at(t)) })
	}
}

// onEachEngine runs the test with a new store on each engine.
func onEachEngine(t *testing.T, test func(*testing.T, location)) {
	for name, at := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, at(t))
		})
	}
}

func atSQLite(t *testing.T) location { return sqliteLocation(filepath.Join(t.TempDir(), "k.db")) }

// sqliteLocation is a SQLite file. Opening it checks its integrity.
func sqliteLocation(file string) location {
	return location{"--store=sqlite:" + file, func(t *testing.T) storetest.Store {
		wantIntegrity(t, file)
		s, err := ours.Open(t.Context(), file, ours.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}}
}

func atPostgres(t *testing.T) location {
	dsn := pgtest.Shared(t).Database(t, t.TempDir(), func(dsn string) (io.Closer, error) {
		return postgres.Open(t.Context(), dsn, postgres.Options{})
	})
	return location{"--store=" + dsn, func(t *testing.T) storetest.Store { return openPostgres(t, dsn) }}
}

func openPostgres(t *testing.T, dsn string) storetest.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), dsn, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func wantIntegrity(t *testing.T, file string) {
	t.Helper()
	conn, err := sqlite.OpenConn(file, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := query(t, conn, "PRAGMA integrity_check"); len(got) != 1 || got[0] != "ok" {
		t.Errorf("integrity_check: got %q", got)
	}
}

func query(t *testing.T, conn *sqlite.Conn, sql string) []string {
	t.Helper()
	var rows []string
	err := sqlitex.ExecuteTransient(conn, sql, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		var cells []string
		for i := range stmt.ColumnCount() {
			cells = append(cells, stmt.ColumnText(i))
		}
		rows = append(rows, strings.Join(cells, "|"))
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
