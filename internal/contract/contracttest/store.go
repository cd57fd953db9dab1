package contracttest

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"kartotek/internal/store/pgtest"
	"kartotek/internal/store/postgres"
	"kartotek/internal/store/sqlite"
	"kartotek/internal/store/storetest"
)

// openStore opens a new store on the engine in KARTOTEK_TEST_STORE: sqlite (the default) or postgres.
// It is closed when the test ends.
func openStore(t testing.TB) (db storetest.Store) {
	t.Helper()
	var err error
	if os.Getenv("KARTOTEK_TEST_STORE") == "postgres" {
		dsn := pgtest.Shared(t).Database(t, t.TempDir(), func(dsn string) (io.Closer, error) {
			return postgres.Open(t.Context(), dsn, postgres.Options{})
		})
		db, err = postgres.Open(t.Context(), dsn, postgres.Options{})
	} else {
		db, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "k.db"), sqlite.Options{})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}
