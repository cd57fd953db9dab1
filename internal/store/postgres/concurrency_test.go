package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// waitFor waits until a condition holds.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for start := time.Now(); !holds(); time.Sleep(time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			t.Fatalf("timeout while waiting for %s", what)
		}
	}
}

// lockTenantRow locks tenant north until the test calls unlock.
func lockTenantRow(t *testing.T, s *Store) (unlock func()) {
	t.Helper()
	tx, err := s.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SELECT FROM tenants WHERE tenant = 'north' FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	unlock = sync.OnceFunc(func() {
		if err := tx.Rollback(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(unlock) // closing the store waits for the connection
	return unlock
}

// waitRunning waits until a write waits for the lock of the tenant.
func waitRunning(t *testing.T, s *Store) {
	t.Helper()
	waitFor(t, "the first write to run", func() bool { return s.calls.Load() == 1 && s.writes.queued() == 0 })
}

func TestConcurrentWritesShareTransactions(t *testing.T) {
	t.Parallel()
	dsn := testDatabase(t, t.TempDir())
	var mu sync.Mutex
	var commits []int
	s, err := Open(t.Context(), dsn, Options{OnCommit: func(writes int, took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		commits = append(commits, writes)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fill(t, s, 3)
	commits = nil
	unlock := lockTenantRow(t, s)
	var writers sync.WaitGroup
	update := func(n int) {
		writers.Go(func() {
			if _, err := rename(t, s, int32(n%3+1), fmt.Sprint("King ", n)); err != nil {
				t.Error(err)
			}
		})
	}
	update(0)
	waitRunning(t, s)
	for n := range 20 {
		update(n)
	}
	waitFor(t, "the others to be queued", func() bool { return s.writes.queued() == 20 })
	unlock()
	writers.Wait()
	if want := []int{1, 20}; !slices.Equal(commits, want) {
		t.Errorf("got commits of %v writes, want %v", commits, want)
	}
}

func TestFailedWriteDoesNotAffectBatch(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	s.timeout = time.Minute
	fill(t, s, 2)
	broken := errors.New("broken on purpose")
	for name, fail := range map[string]customer.Edit{
		"an error":                func(*customer.Customer) error { return broken },
		"a panic":                 func(*customer.Customer) error { panic("broken on purpose") },
		"a fault":                 func(*customer.Customer) error { return fault.New(fault.Invalid, "broken on purpose") },
		"an error of a statement": named("\x00"),
	} {
		unlock := lockTenantRow(t, s)
		before, err := s.Find(t.Context(), customer.ByNumber("north", 1))
		if err != nil {
			t.Fatal(err)
		}
		var writers sync.WaitGroup
		run := func(number int32, edit customer.Edit, wantErr bool) {
			writers.Go(func() {
				_, err := s.Update(t.Context(), customer.ByNumber("north", number), byTest, edit, nil)
				if (err != nil) != wantErr {
					t.Errorf("%s: customer %d: got error %v", name, number, err)
				}
			})
		}
		const updates = 5
		run(1, named(name), false)
		waitRunning(t, s)
		for i := range updates - 1 {
			run(1, named(fmt.Sprint(name, i)), false)
		}
		run(2, fail, true)
		waitFor(t, "the writes to be queued", func() bool { return s.writes.queued() == updates })
		unlock()
		writers.Wait()
		after, err := s.Find(t.Context(), customer.ByNumber("north", 1))
		if err != nil || after.Version != before.Version+updates {
			t.Errorf("%s: got version %d (%v), want %d", name, after.Version, err, before.Version+updates)
		}
	}
}

func TestFullQueueReturnsUnavailable(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	fill(t, s, 1)
	s.timeout = time.Minute
	unlock := lockTenantRow(t, s)
	var writers sync.WaitGroup
	write := func() {
		if err := setPhone(t, s, 1, "+47 22 33 44 55"); err != nil {
			t.Error(err)
		}
	}
	writers.Go(write)
	waitRunning(t, s)
	for range maxQueue {
		writers.Go(write)
	}
	waitFor(t, "a full queue", func() bool { return s.writes.queued() == maxQueue })
	if err := setPhone(t, s, 1, "+47 22 33 44 56"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want unavailable", err)
	}
	unlock()
	writers.Wait()
}

// TestUpdateOfAnotherProgramIsNotLost changes a row outside Kartotek while an update is in progress.
func TestUpdateOfAnotherProgramIsNotLost(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	fill(t, s, 1)
	interfere := true
	_, err := s.Update(t.Context(), customer.ByNumber("north", 1), byTest, func(c *customer.Customer) error {
		if interfere {
			interfere = false
			run(t, s, "UPDATE customers SET first_name = 'Ada', version = version + 1")
		}
		c.LastName = "King"
		return nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Find(t.Context(), customer.ByNumber("north", 1))
	if err != nil || c.FirstName != "Ada" || c.LastName != "King" || c.Version != 3 {
		t.Errorf("got %q %q at version %d (%v), want Ada King at 3", c.FirstName, c.LastName, c.Version, err)
	}
}

func TestFeedMissesNoChange(t *testing.T) {
	t.Parallel()
	dsn := testDatabase(t, t.TempDir())
	feedMissesNoChange(t, open(t, dsn), open(t, dsn))
}

// feedMissesNoChange has twelve writers on two servers, which create and update customers, and two
// followers of the feed. It runs for KARTOTEK_TEST_FEED, a duration, or 2 seconds.
func feedMissesNoChange(t *testing.T, servers ...*Store) {
	t.Helper()
	duration := 2 * time.Second
	if setting := os.Getenv("KARTOTEK_TEST_FEED"); setting != "" {
		var err error
		if duration, err = time.ParseDuration(setting); err != nil {
			t.Fatal(err)
		}
	}
	const updated = 8
	fill(t, servers[0], updated)
	var written atomic.Int64
	written.Store(updated)
	var writers, followers sync.WaitGroup
	end := time.Now().Add(duration)
	for w := range 12 {
		s := servers[w%len(servers)]
		writers.Go(func() {
			for n := 0; time.Now().Before(end); n++ {
				if err := writeOne(t, s, w, n, updated); err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
				written.Add(1)
			}
		})
	}
	stopped := make(chan struct{})
	for _, s := range servers {
		followers.Go(func() { follow(t, s, stopped, &written) })
	}
	writers.Wait()
	close(stopped)
	followers.Wait()
	t.Logf("%d changes", written.Load())
}

// writeOne creates a customer, or updates one with an idempotency key.
func writeOne(t *testing.T, s *Store, writer, n, customers int) error {
	meta := customer.ChangeMeta{Actor: "test", At: time.Now()}
	if n%3 == 0 {
		id := fmt.Sprintf("018f3c5a-9b1e-7d3a-9c4b-%04x%08x", writer, n)
		_, err := s.Create(t.Context(), "north", meta, customer.Upsert{ID: id, Edit: named("New")}, nil)
		return err
	}
	key := fmt.Sprintf("%d-%d", writer, n)
	idem := &customer.Idempotency{Key: key, Digest: key, Respond: func(customer.Change) ([]byte, error) { return []byte(key), nil }}
	_, err := s.Update(t.Context(), customer.ByNumber("north", int32((writer+n)%customers+1)), meta, named(key), idem)
	return err
}

// follow reads the feed until the writers have stopped, and then checks that it had every change in
// order.
func follow(t *testing.T, s *Store, stopped chan struct{}, written *atomic.Int64) {
	var seen, last int64
	versions := map[string]int64{}
	for done := false; ; {
		select {
		case <-stopped:
			done = true
		default:
		}
		changes, err := s.Feed(t.Context(), "north", last, 100)
		if err != nil {
			t.Error(err)
			return
		}
		for _, r := range changes {
			if r.Seq <= last || r.Version != versions[r.CustomerID]+1 {
				t.Errorf("got seq %d after %d, and version %d after %d", r.Seq, last, r.Version, versions[r.CustomerID])
				return
			}
			last, versions[r.CustomerID] = r.Seq, r.Version
			seen++
		}
		if done && len(changes) == 0 {
			break
		}
	}
	if want := written.Load(); seen != want {
		t.Errorf("got %d changes, want %d", seen, want)
	}
}
