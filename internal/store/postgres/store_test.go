package postgres

import (
	"context"
	"io"
	"testing"
	"time"

	"kartotek/internal/store/pgtest"
	"kartotek/internal/store/storetest"
)

// TestStore holds the store to what all promise, by each way in which a client may
// have to talk to PostgreSQL.
func TestStore(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		settings string
		sharded  bool
	}{
		"ReadCommitted": {"", false},
		"Serializable":  {"&default_transaction_isolation=serializable", false},
		// As through a pooler that lends connections by the transaction: no statement
		// is prepared for a later one.
		"Pooled": {"&default_query_exec_mode=exec", false},
		// With the statements that Citus is sent.
		"Apart": {"", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, 0, func(t testing.TB, dir string) storetest.Store {
				s, err := Open(context.Background(), testDatabase(t, dir)+tt.settings, Options{}) // whoever opens it closes it
				if err != nil {
					t.Fatal(err)
				}
				s.sharded = tt.sharded
				s.patience, s.lag = time.Minute, time.Minute // other tests share the machine, and the server
				return s
			})
		})
	}
}

// testDatabase is the database that stands for a directory.
func testDatabase(t testing.TB, dir string) (dsn string) {
	t.Helper()
	return pgtest.Shared(t).Database(t, dir, func(dsn string) (io.Closer, error) {
		return Open(t.Context(), dsn, Options{})
	})
}
