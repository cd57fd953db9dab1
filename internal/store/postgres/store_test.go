package postgres

import (
	"context"
	"io"
	"testing"
	"time"

	"kartotek/internal/store/pgtest"
	"kartotek/internal/store/storetest"
)

// TestStore runs the suite with each way of talking to PostgreSQL.
func TestStore(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]string{
		"Default": "",
		// As through a pooler that lends connections by the transaction: no statement is prepared
		// for a later one.
		"SerializableAndPooled": "&default_transaction_isolation=serializable&default_query_exec_mode=exec",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t testing.TB, dir string) storetest.Store {
				s, err := Open(context.Background(), testDatabase(t, dir)+settings, Options{}) // the caller closes it
				if err != nil {
					t.Fatal(err)
				}
				s.timeout = time.Minute // other tests share the machine and the server
				return s
			})
		})
	}
}

// testDatabase returns the database for a directory, which it creates the first time.
func testDatabase(t testing.TB, dir string) (dsn string) {
	t.Helper()
	return pgtest.Shared(t).Database(t, dir, func(dsn string) (io.Closer, error) {
		return Open(t.Context(), dsn, Options{})
	})
}
