package postgres

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// call runs fn, which talks to the database, for at most the store's patience: again
// when other calls were in its way, so that nothing came of it. It tells in a fault
// what an error says of the database.
func (s *Store) call(ctx context.Context, fn func(context.Context) error) error {
	if ctx.Err() != nil {
		return gaveUp(ctx)
	}
	s.calling.Add(1)
	defer s.calling.Add(-1)
	within, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	err := fn(within)
	for attempt := 1; passes(err) && attempt < attempts; attempt++ {
		pause(within, attempt)
		err = fn(within)
	}
	switch {
	case err == nil || fault.IsFault(err):
		return err
	case ctx.Err() != nil:
		return gaveUp(ctx)
	case within.Err() != nil:
		return gaveUp(within)
	case passes(err):
		return fmt.Errorf("%w: %w", fault.New(fault.Unavailable, "too many others are writing the same"), err)
	}
	return outage(err)
}

// attempts is how often a call is tried.
const attempts = 10

// write is call for fn that writes. When it returns a fault it must not have
// committed anything.
func (s *Store) write(ctx context.Context, fn func(context.Context) error) error {
	start := time.Now()
	err := s.call(ctx, fn)
	if err == nil {
		s.committed(1, start)
	}
	return err
}

// committed tells that so many writes shared a commit.
func (s *Store) committed(writes int, start time.Time) {
	if s.onCommit != nil {
		s.onCommit(writes, time.Since(start))
	}
}

// errMovedOn is what becomes of a change of a record that has another version
// than the one before it. Nothing was written.
var errMovedOn = errors.New("the record is at another version")

// passes reports whether nothing was written, since others were in the way or the
// connection was not there, and all may be well the next time.
func passes(err error) bool {
	const serialization, deadlock = "40001", "40P01"
	return errors.Is(err, errMovedOn) || hasCode(err, serialization, deadlock) ||
		err != nil && !fault.IsFault(err) && !isConnecting(err) && pgconn.SafeToRetry(err)
}

// pause waits before the next attempt: at random, and about twice as long as
// before the last.
func pause(ctx context.Context, attempt int) {
	timer := time.NewTimer(rand.N(time.Millisecond << attempt))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// outage is a fault when the error says that the database is not there, or cannot
// do what it should, for now. Of a commit that it broke off nobody knows whether it
// counts, unless the disk was full: then nothing was written.
func outage(err error) error {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		text := ""
		switch {
		case answer.Code == "53100":
			return fmt.Errorf("%w: %w", fault.New(fault.StorageFull, "the database's disk is full"), err)
		case answer.Code == "25006":
			text = "the database can only be read"
		case answer.Code == "57014":
			text = "the database did not answer in time"
		case strings.HasPrefix(answer.Code, "08"), strings.HasPrefix(answer.Code, "57P"), strings.HasPrefix(answer.Code, "53"):
			text = "the database is not available"
		default:
			return err
		}
		return fmt.Errorf("%w: %w", fault.New(fault.Unavailable, "%s", text), err)
	}
	var network net.Error
	if isConnecting(err) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err) {
		return fmt.Errorf("%w: %w", fault.New(fault.Unavailable, "the database is not available"), err)
	}
	return err
}

// isConnecting reports whether no connection could be made.
func isConnecting(err error) bool {
	var connecting *pgconn.ConnectError
	return errors.As(err, &connecting)
}

// gaveUp is the error of a call whose context was done before the answer came.
func gaveUp(ctx context.Context) error {
	return fmt.Errorf("%w: %w", fault.New(fault.Unavailable, "the store did not answer in time"), context.Cause(ctx))
}

// turns let those who write the same in one after the other: each would find that
// the one before came first, and try again. Some customers share a turn.
type turns struct {
	seed maphash.Seed
	of   []chan struct{} // has room for one
}

func newTurns() turns {
	t := turns{maphash.MakeSeed(), make([]chan struct{}, 1024)}
	for i := range t.of {
		t.of[i] = make(chan struct{}, 1)
	}
	return t
}

// in is fn in the turn of what the ref names: a customer, or without id and number
// whatever customers a tenant gets. The calls of this server come one after the other;
// those of others fn itself must stand.
func (t turns) in(ref customer.Ref, fn func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		done, err := t.take(ctx, ref)
		if err != nil {
			return err
		}
		defer done()
		return fn(ctx)
	}
}

// take waits for the turn of what the ref names. done gives it back.
func (t turns) take(ctx context.Context, ref customer.Ref) (done func(), err error) {
	turn := t.turn(ref)
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (t turns) turn(ref customer.Ref) chan struct{} {
	return t.of[maphash.Comparable(t.seed, ref)%uint64(len(t.of))]
}
