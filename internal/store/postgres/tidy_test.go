package postgres

import "testing"

// TestKeysDoNotWaitForLong has PostgreSQL count the pages of keys that wait to be put
// into their index.
func TestKeysDoNotWaitForLong(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	fill(t, s, 1)
	run(t, s, "CREATE EXTENSION pgstattuple")
	pending := func(index string) (pages int) {
		t.Helper()
		if err := s.pool.QueryRow(t.Context(), "SELECT pending_pages FROM pgstatginindex($1)", index).Scan(&pages); err != nil {
			t.Fatal(err)
		}
		return pages
	}
	if pending("customers_keys") == 0 {
		t.Fatal("nothing waits")
	}
	if _, err := rename(t, s, 1, "King"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the keys to be in their index", func() bool { return pending("customers_keys") == 0 })
	waitFor(t, "what puts them there to end", func() (ended bool) {
		const running = "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query = $1"
		if err := s.pool.QueryRow(t.Context(), running, tidyKeys).Scan(&ended); err != nil {
			t.Fatal(err)
		}
		return ended
	})
	if err := call(t, s, 1, "22 33 44 55"); err != nil {
		t.Fatal(err)
	}
	if pending("phones_digits") == 0 || pending("customers_keys") != 0 {
		t.Error("a phone waits for the index of keys, or does not wait")
	}
	waitFor(t, "the phones to be in their index", func() bool { return pending("phones_digits") == 0 })
}
