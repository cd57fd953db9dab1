package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// TestDatabaseErrorsBecomeFaults has the errors of an unavailable database, and others.
func TestDatabaseErrorsBecomeFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want fault.Kind
	}{
		{&pgconn.PgError{Code: "57P01"}, fault.Unavailable}, // it is being stopped
		{&pgconn.PgError{Code: "57P03"}, fault.Unavailable}, // it is starting
		{&pgconn.PgError{Code: "53300"}, fault.Unavailable}, // too many connections
		{&pgconn.PgError{Code: "08006"}, fault.Unavailable}, // a pooler has lost it
		{&pgconn.PgError{Code: "25006"}, fault.Unavailable}, // it is a standby
		{&pgconn.PgError{Code: "57014"}, fault.Unavailable}, // statement_timeout
		{&pgconn.PgError{Code: "53100"}, fault.StorageFull}, // the disk is full
		{&pgconn.PgError{Code: "23505"}, fault.Internal},
		{&pgconn.PgError{Code: "42601"}, fault.Internal},
		{io.ErrUnexpectedEOF, fault.Unavailable},
		{&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, fault.Unavailable},
		{errors.New("some defect"), fault.Internal},
	} {
		err := classifyError(fmt.Errorf("find customer: %w", tt.err))
		if got := fault.From(err).Kind; got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%v: got %s, want %s of the same error", tt.err, got, tt.want)
		}
	}
}

// TestCallsTimeOut uses all connections, and then locks a customer.
func TestCallsTimeOut(t *testing.T) {
	t.Parallel()
	dsn := testDatabase(t, t.TempDir())
	s, holder := open(t, dsn+"&pool_max_conns=1"), open(t, dsn)
	fill(t, s, 1)
	s.timeout = 200 * time.Millisecond
	unavailable := func(what string, call func() error) {
		t.Helper()
		began := time.Now()
		err := call()
		if !fault.Is(err, fault.Unavailable) || time.Since(began) > 3*time.Second {
			t.Errorf("%s: got %v after %v, want unavailable", what, err, time.Since(began))
		}
	}
	find := func() error {
		_, err := s.Find(t.Context(), customer.ByNumber("north", 1))
		return err
	}
	update := func() error {
		_, err := rename(t, s, 1, "King")
		return err
	}

	taken, err := s.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unavailable("find without a connection", find)
	unavailable("update without a connection", update)
	unavailable("ping without a connection", func() error { return s.Ping(t.Context()) })
	taken.Release()

	err = pgx.BeginFunc(t.Context(), holder.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), "SELECT FROM customers FOR UPDATE"); err != nil {
			return err
		}
		unavailable("update a locked customer", update)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the store to answer again", func() bool { return errors.Join(find(), update()) == nil })
}

// TestCanceledCallReturnsAtOnce cancels an update that waits for a lock.
func TestCanceledCallReturnsAtOnce(t *testing.T) {
	t.Parallel()
	s, dsn := start(t)
	fill(t, s, 1)
	canceled := errors.New("canceled by the caller")
	err := pgx.BeginFunc(t.Context(), open(t, dsn).pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), "SELECT FROM customers FOR UPDATE"); err != nil {
			return err
		}
		ctx, leave := context.WithCancelCause(t.Context())
		time.AfterFunc(50*time.Millisecond, func() { leave(canceled) })
		if _, err := s.Update(ctx, customer.ByNumber("north", 1), byTest, named("King"), nil); !errors.Is(err, canceled) {
			t.Errorf("got %v, want %v", err, canceled)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestQueuedCountsWaitingCalls has more calls than connections.
func TestQueuedCountsWaitingCalls(t *testing.T) {
	t.Parallel()
	s := open(t, testDatabase(t, t.TempDir())+"&pool_max_conns=1")
	fill(t, s, 1)
	taken, err := s.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var callers sync.WaitGroup
	for range 3 {
		callers.Go(func() { _, _ = s.Find(t.Context(), customer.ByNumber("north", 1)) }) // when its turn comes
	}
	for began := time.Now(); s.Queued() != 2; time.Sleep(time.Millisecond) { // one will have the connection
		if time.Since(began) > 3*time.Second {
			t.Fatalf("%d are queued, want 2", s.Queued())
		}
	}
	taken.Release()
	callers.Wait()
	if got := s.Queued(); got != 0 {
		t.Errorf("%d are queued afterwards", got)
	}
}

func TestDamagedDatabaseIsReported(t *testing.T) {
	t.Parallel()
	s := open(t, testDatabase(t, t.TempDir()))
	for _, tt := range []struct {
		code string
		want bool
	}{{"42601", false}, {"XX000", false}, {"XX001", true}} {
		_ = s.withRetry(t.Context(), func(context.Context) error { return &pgconn.PgError{Code: tt.code} }) // returns that error
		if err := s.Ping(t.Context()); (err != nil) != tt.want || s.Corrupt() != tt.want {
			t.Errorf("after %s: got %v, want an error: %t", tt.code, err, tt.want)
		}
	}
}
