package postgres

import "testing"

// TestKeysDoNotWaitForLong has PostgreSQL count the pages of keys that wait to be put
// into their index.
func TestKeysDoNotWaitForLong(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	fill(t, s, 1)
	run(t, s, "CREATE EXTENSION pgstattuple")
	pending := func() (pages int) {
		t.Helper()
		if err := s.pool.QueryRow(t.Context(), "SELECT pending_pages FROM pgstatginindex('customers_keys')").Scan(&pages); err != nil {
			t.Fatal(err)
		}
		return pages
	}
	if pending() == 0 {
		t.Fatal("nothing waits")
	}
	if _, err := rename(t, s, 1, "King"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the keys to be in their index", func() bool { return pending() == 0 })
}
