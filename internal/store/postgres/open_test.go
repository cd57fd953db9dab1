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

// start opens a new store, which ends with the test.
func start(t *testing.T) (s *Store, dsn string) {
	t.Helper()
	dsn = testDatabase(t, t.TempDir())
	return open(t, dsn), dsn
}

// eachWay runs a test with the statements that one database is sent, and with those
// that Citus is.
func eachWay(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Helper()
	for name, sharded := range map[string]bool{"together": false, "apart": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := start(t)
			s.sharded = sharded
			test(t, s)
		})
	}
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

// fill makes customers 1 to n of tenant north.
func fill(t *testing.T, s *Store, n int) {
	t.Helper()
	entries := make([]customer.Upsert, n)
	for i := range entries {
		entries[i] = customer.Upsert{GeneratedID: fmt.Sprintf("018f3c5a-9b1e-7d3a-8c4b-%012x", i+1), Number: int32(i + 1), Edit: named("Lovelace")}
	}
	put(t, s, entries)
}

// put imports customers into tenant north, all of whom it wants to be taken.
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

// call gives a customer of tenant north a phone.
func call(t *testing.T, s *Store, number int32, phone string) error {
	t.Helper()
	_, err := s.Update(t.Context(), customer.ByNumber("north", number), byTest, func(c *customer.Customer) error {
		c.Phone = phone
		return nil
	}, nil)
	return err
}

// TestReleasedMigrationsNeverChange holds their SHA-256 hashes. Add a line with a
// new migration; change none.
func TestReleasedMigrationsNeverChange(t *testing.T) {
	t.Parallel()
	storetest.WantMigrations(t, schema, map[string]string{
		"schema/0001_customers.sql": "94df004b814161a432c2c1041035d2edd12817d397acee2f0ff2246195eb4097",
		"schema/0002_phones.sql":    "5d2805d4b20aa0b07d84e0ce31d2639a6bc71b1b78dcbe9ce4be60a449316c99",
	})
}

func TestServersThatStartAtOnceMigrateOnce(t *testing.T) {
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

// TestServersAreReplacedOneByOne has a newer program add to the schema, which an
// older one goes on to use, and is started on; and then take away what that needs.
func TestServersAreReplacedOneByOne(t *testing.T) {
	t.Parallel()
	old, dsn := start(t)
	fill(t, old, 2)
	use := func(s *Store, name string) {
		t.Helper()
		if _, err := rename(t, s, 1, name); err != nil {
			t.Error(err)
		}
		page, err := s.Search(t.Context(), "north", customer.Query{Name: name}, customer.Position{}, 10)
		if err != nil || len(page.Customers) != 1 {
			t.Errorf("got %d customers of the name %s (%v)", len(page.Customers), name, err)
		}
		if _, err := s.Feed(t.Context(), "north", 0, 10); err != nil {
			t.Error(err)
		}
	}
	use(old, "Byron")
	run(t, old, `
		ALTER TABLE customers ADD COLUMN nickname TEXT, ADD COLUMN score INTEGER NOT NULL DEFAULT 0;
		ALTER TABLE changes ADD COLUMN reason TEXT;
		CREATE TABLE marks (tenant TEXT);
		INSERT INTO goose_db_version (version_id, is_applied) VALUES (3, true)`)
	use(old, "King")
	use(open(t, dsn), "Noel")
	run(t, old, "UPDATE compatibility SET oldest = 3")
	if s, err := Open(t.Context(), dsn, Options{}); err == nil || !strings.Contains(err.Error(), "needs a newer program") {
		if err == nil {
			s.Close()
		}
		t.Errorf("got %v, want that it needs a newer program", err)
	}
}

func TestCommitsThatAreAnsweredTooEarlyAreRefused(t *testing.T) {
	t.Parallel()
	dsn := testDatabase(t, t.TempDir())
	if s, err := Open(t.Context(), dsn+"&synchronous_commit=off", Options{}); err == nil || !strings.Contains(err.Error(), "synchronous_commit is off") {
		if err == nil {
			s.Close()
		}
		t.Errorf("got %v, want that synchronous_commit is off", err)
	}
}

func TestErrorsHideThePassword(t *testing.T) {
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

// TestTheFeedGoesOnAfterARestore has changes that another cluster numbered, which
// had written much more.
func TestTheFeedGoesOnAfterARestore(t *testing.T) {
	t.Parallel()
	before, dsn := start(t)
	fill(t, before, 2)
	const last = 1 << 50
	run(t, before, fmt.Sprintf("UPDATE changes SET seq = %d + number", int64(last)))
	s := open(t, dsn)
	again := open(t, dsn)
	for i, s := range []*Store{s, again, s} {
		if _, err := rename(t, s, 1, fmt.Sprint("King", i)); err != nil {
			t.Fatal(err)
		}
	}
	var versions []int64
	for began := time.Now(); len(versions) < 4 && time.Since(began) < 20*time.Second; { // other tests hold it up
		changes, err := s.Feed(t.Context(), "north", last+1, 10)
		if err != nil {
			t.Fatal(err)
		}
		versions = versions[:0]
		for _, r := range changes {
			versions = append(versions, r.Version)
		}
	}
	if fmt.Sprint(versions) != "[1 2 3 4]" {
		t.Errorf("got versions %v, want those of customer 2 and then of 1", versions)
	}
}
