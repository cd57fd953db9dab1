package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// block keeps the writer inside a write until release is called.
func block(t *testing.T, s *Store) (release func()) {
	t.Helper()
	entered, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := s.writer.run(t.Context(), "north", func(*tx) error {
			close(entered)
			<-leave
			return nil
		})
		if err != nil && !fault.Is(err, fault.Unavailable) {
			t.Errorf("hold the writer: %v", err)
		}
	})
	<-entered
	release = sync.OnceFunc(func() {
		close(leave)
		wg.Wait()
	})
	t.Cleanup(release)
	return release
}

// waitQueued returns when n writes are queued.
func waitQueued(t *testing.T, s *Store, n int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); s.Queued() != n; {
		if time.Now().After(deadline) {
			t.Fatalf("queued: got %d, want %d", s.Queued(), n)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestQueuedWritesShareCommits(t *testing.T) {
	var groups []int
	s, _ := start(t, Options{OnCommit: func(writes int, took time.Duration) {
		groups = append(groups, writes)
		if took <= 0 {
			t.Errorf("a commit took %v", took)
		}
	}})
	fill(t, s, 1)
	release := block(t, s)
	var wg sync.WaitGroup
	const waiting = maxBatch + 2
	for range waiting {
		wg.Go(func() { count(t, s, 1) })
	}
	waitQueued(t, s, waiting)
	release()
	wg.Wait()
	wantCount(t, s, waiting)
	if err := s.Close(); err != nil { // ends the goroutine that appends
		t.Fatal(err)
	}
	shared := slices.DeleteFunc(slices.Clone(groups), func(writes int) bool { return writes == 1 }) // such as a step of the index
	if want := []int{maxBatch, 2}; !slices.Equal(shared, want) {
		t.Errorf("commits: got %v writes, want %v among them", groups, want)
	}
}

func TestFullQueueOfATenantReturnsUnavailable(t *testing.T) {
	s, _ := start(t, Options{})
	fill(t, s, 1)
	release := block(t, s)
	var wg sync.WaitGroup
	for range maxTenantQueue {
		wg.Go(func() { count(t, s, 1) })
	}
	waitQueued(t, s, maxTenantQueue)
	if err := update(t, s, 1, addOne); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want unavailable", err)
	}
	wg.Go(func() {
		if err := s.writer.run(t.Context(), "south", func(*tx) error { return nil }); err != nil {
			t.Errorf("another tenant: got %v, want no error", err)
		}
	})
	waitQueued(t, s, maxTenantQueue+1)
	release()
	wg.Wait()
	wantCount(t, s, maxTenantQueue)
}

func TestQueueTakesWritesOfTenantsInTurn(t *testing.T) {
	q := newWriteQueue()
	tenants := map[*writeRequest]string{}
	add := func(tenant string, n int) {
		for range n {
			r := &writeRequest{}
			tenants[r] = tenant
			if err := q.add(tenant, r); err != nil {
				t.Fatalf("add: %v", err)
			}
		}
	}
	take := func(limit int) (order string) {
		for _, r := range q.take(nil, limit) {
			order += tenants[r]
		}
		return order
	}
	add("a", 6)
	add("b", 1)
	add("c", 2)
	first := take(4)
	add("b", 1)
	if order := first + " " + take(100); order != "abca cabaaa" {
		t.Errorf("got %s, want abca cabaaa", order)
	}
	for i := range maxQueue {
		add(fmt.Sprint("t", i%5), 1)
	}
	if err := q.add("u", &writeRequest{}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a full queue: got %v, want unavailable", err)
	}
	q.close()
	if err := q.add("a", &writeRequest{}); !errors.Is(err, errClosed) {
		t.Errorf("a closed queue: got %v, want %v", err, errClosed)
	}
	if got := len(q.take(nil, 2*maxQueue)); got != maxQueue {
		t.Errorf("a closed queue: took %d writes, want %d", got, maxQueue)
	}
	if got := len(q.take(nil, 1)); got != 0 {
		t.Errorf("a closed and empty queue: took %d writes, want none", got)
	}
}

func TestWriteCanceledInQueueIsSkipped(t *testing.T) {
	s, _ := start(t, Options{})
	fill(t, s, 1)
	release := block(t, s)
	left := errors.New("left")
	ctx, leave := context.WithCancelCause(t.Context())
	result := make(chan error)
	go func() {
		_, err := s.Update(ctx, customer.ByNumber("north", 1), customer.ChangeMeta{Actor: "test", At: time.Now()}, addOne, nil)
		result <- err
	}()
	waitQueued(t, s, 1)
	leave(left)
	if err := <-result; !errors.Is(err, left) || !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want unavailable for %v", err, left)
	}
	release()
	count(t, s, 1)
	wantCount(t, s, 1)
}

// TestSkippedWriteReturnsUnavailable reads the result that the caller may get before ctx.Done.
func TestSkippedWriteReturnsUnavailable(t *testing.T) {
	s, _ := start(t, Options{})
	ctx, leave := context.WithCancel(t.Context())
	leave()
	p := &writeRequest{ctx: ctx, result: make(chan error, 1), fn: func(*tx) error {
		t.Error("the write was not skipped")
		return nil
	}}
	if err := s.writer.queue.add("north", p); err != nil {
		t.Fatal(err)
	}
	if err := <-p.result; !fault.Is(err, fault.Unavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want unavailable for %v", err, context.Canceled)
	}
}

func TestWriteCanceledWhileRunningCompletes(t *testing.T) {
	s, _ := start(t, Options{})
	fill(t, s, 1)
	ctx, leave := context.WithCancel(t.Context())
	returned := make(chan struct{})
	err := s.writer.run(ctx, "north", func(tx *tx) error {
		leave()
		<-returned
		ch, err := tx.update(customer.ByNumber("north", 1), customer.ChangeMeta{Actor: "test", At: time.Now()}, addOne)
		if err != nil {
			return err
		}
		return tx.save(ch)
	})
	close(returned)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if err := s.writer.run(t.Context(), "north", func(*tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	wantCount(t, s, 1)
}

// TestFailedWriteDoesNotAffectBatch has one write of a batch fail after it has written.
func TestFailedWriteDoesNotAffectBatch(t *testing.T) {
	broken := errors.New("broken on purpose")
	tests := map[string]func(*tx) error{
		"by an error":      func(*tx) error { return broken },
		"by a panic":       func(*tx) error { panic(broken.Error()) },
		"by its statement": func(tx *tx) error { return execSQL(tx.conn, "INSERT INTO keys DEFAULT VALUES") },
		"by a rollback": func(tx *tx) error { // as SQLite does when the disk is full
			return errors.Join(execSQL(tx.conn, "ROLLBACK"), broken)
		},
	}
	for name, breakOff := range tests {
		t.Run(name, func(t *testing.T) {
			s, _ := start(t, Options{})
			fill(t, s, 2)
			release := block(t, s)
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() { count(t, s, 1) })
			}
			waitQueued(t, s, 5)
			wg.Go(func() {
				err := s.writer.run(t.Context(), "north", func(tx *tx) error {
					if err := execSQL(tx.conn, "UPDATE customers SET first_name = 'lost' WHERE number = 2"); err != nil {
						t.Error(err)
					}
					return breakOff(tx)
				})
				if err == nil || fault.IsFault(err) {
					t.Errorf("the guilty write: got %v, want its error", err)
				}
			})
			waitQueued(t, s, 6)
			for range 5 {
				wg.Go(func() { count(t, s, 1) })
			}
			waitQueued(t, s, 11)
			release()
			wg.Wait()
			wantCount(t, s, 10)
			if c, err := s.Find(t.Context(), customer.ByNumber("north", 2)); err != nil || c.FirstName != "0" {
				t.Errorf("its first statement: got %q (%v), want it undone", c.FirstName, err)
			}
		})
	}
}

func TestFailedCommitFailsWholeBatch(t *testing.T) {
	s, _ := start(t, Options{})
	fill(t, s, 1)
	release := block(t, s)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := update(t, s, 1, addOne); err == nil || fault.IsFault(err) {
			t.Errorf("the neighbour: got %v, want the error of the commit", err)
		}
	})
	waitQueued(t, s, 1)
	wg.Go(func() {
		err := s.writer.run(t.Context(), "north", func(tx *tx) error {
			return errors.Join(
				execSQL(tx.conn, "CREATE TABLE parent (id INTEGER PRIMARY KEY)"),
				execSQL(tx.conn, "CREATE TABLE child (parent REFERENCES parent DEFERRABLE INITIALLY DEFERRED)"), // to the commit
				execSQL(tx.conn, "INSERT INTO child VALUES (1)"),
			)
		})
		if err == nil || fault.IsFault(err) {
			t.Errorf("the cause: got %v, want the error of the commit", err)
		}
	})
	waitQueued(t, s, 2)
	release()
	wg.Wait()
	wantCount(t, s, 0)
	count(t, s, 1)
	wantCount(t, s, 1)
}

func TestCloseFinishesQueuedWrites(t *testing.T) {
	s, path := start(t, Options{})
	fill(t, s, 1)
	release := block(t, s)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { count(t, s, 1) })
	}
	waitQueued(t, s, 20)
	wg.Go(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	release()
	wg.Wait()
	again := open(t, path, Options{})
	wantCount(t, again, 20)
}
