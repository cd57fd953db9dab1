package postgres

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"kartotek/internal/customer"
	"kartotek/internal/store/pgtest"
	"kartotek/internal/store/storetest"
)

// start opens a store on a new database. It is closed with the test.
func start(t *testing.T) (s *Store, dsn string) {
	t.Helper()
	dsn = testDatabase(t, t.TempDir())
	return open(t, dsn), dsn
}

func open(t *testing.T, dsn string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dsn, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// run runs a statement.
func run(t *testing.T, s *Store, sql string) {
	t.Helper()
	if _, err := s.pool.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// fill creates customers 1 to n of tenant north.
func fill(t *testing.T, s *Store, n int) {
	t.Helper()
	entries := make([]customer.Upsert, n)
	for i := range entries {
		entries[i] = customer.Upsert{GeneratedID: fmt.Sprintf("018f3c5a-9b1e-7d3a-8c4b-%012x", i+1), Number: int32(i + 1), Edit: named("Lovelace")}
	}
	put(t, s, entries)
}

// put upserts customers of tenant north, without errors.
func put(t *testing.T, s *Store, entries []customer.Upsert) {
	t.Helper()
	results, err := s.Upsert(t.Context(), "north", byTest, entries)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

var byTest = customer.ChangeMeta{Actor: "test", At: time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)}

func named(name string) customer.Edit {
	return func(c *customer.Customer) error {
		c.LastName = name
		return nil
	}
}

func rename(t *testing.T, s *Store, number int32, name string) (customer.Change, error) {
	t.Helper()
	return s.Update(t.Context(), customer.ByNumber("north", number), byTest, named(name), nil)
}

// setPhone sets the phone of a customer of tenant north.
func setPhone(t *testing.T, s *Store, number int32, phone string) error {
	t.Helper()
	_, err := s.Update(t.Context(), customer.ByNumber("north", number), byTest, func(c *customer.Customer) error {
		c.Phone = phone
		return nil
	}, nil)
	return err
}

// TestReleasedMigrationsNeverChange has their SHA-256 hashes. Add a line for a new migration; do not
// change the others after a release.
func TestReleasedMigrationsNeverChange(t *testing.T) {
	t.Parallel()
	storetest.WantMigrations(t, schema, map[string]string{
		"schema/0001_customers.sql": "9a4eee78c802a22598f8cf88d0e8dc1aecb6a15ebc6bbc72c0b14db2cc1c4a23",
	})
}

func TestConcurrentOpensMigrateOnce(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t, "fsync=off").DSN("postgres") // which has nothing yet
	const servers = 8
	stores := make([]*Store, servers)
	var starting sync.WaitGroup
	for i := range stores {
		starting.Go(func() { stores[i] = open(t, dsn) })
	}
	starting.Wait()
	fill(t, stores[0], 1)
	for _, s := range stores {
		if c, err := s.Find(t.Context(), customer.ByNumber("north", 1)); err != nil || c.LastName != "Lovelace" {
			t.Errorf("got %#v (%v)", c, err)
		}
	}
	var times int
	if err := stores[0].pool.QueryRow(t.Context(), "SELECT count(*) FROM goose_db_version WHERE version_id = 1").Scan(&times); err != nil || times != 1 {
		t.Errorf("the migration ran %d times (%v)", times, err)
	}
}

func TestNewerSchemaIsRejected(t *testing.T) {
	t.Parallel()
	s, dsn := start(t)
	run(t, s, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9, true)")
	newer, err := Open(t.Context(), dsn, Options{})
	if err == nil {
		newer.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "needs a newer program") {
		t.Errorf("got %v, want that it needs a newer program", err)
	}
}

func TestAsynchronousCommitIsRejected(t *testing.T) {
	t.Parallel()
	dsn := testDatabase(t, t.TempDir())
	if s, err := Open(t.Context(), dsn+"&synchronous_commit=off", Options{}); err == nil || !strings.Contains(err.Error(), "synchronous_commit is off") {
		if err == nil {
			s.Close()
		}
		t.Errorf("got %v, want that synchronous_commit is off", err)
	}
}

func TestErrorsHidePassword(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{
		"postgres://u:hemmelig@127.0.0.1:1/k?connect_timeout=1",
		"postgres://u:hemmelig@[::1/k",
		"postgres://u:hemmelig@127.0.0.1:1/k?sslmode=nonsense",
	} {
		s, err := Open(t.Context(), dsn, Options{})
		if err == nil {
			s.Close()
			t.Fatalf("%s was opened", dsn)
		}
		if strings.Contains(err.Error(), "hemmelig") {
			t.Errorf("got %v", err)
		}
	}
}
