package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"kartotek/internal/fault"
	"kartotek/internal/store/layout"
)

// maxAttempts is how often withRetry runs a function.
const maxAttempts = 10

// withRetry runs fn, which queries the database, for at most the store's timeout. It runs fn again
// after an error that another attempt may avoid, and returns a fault for an error that tells of the
// state of the database. When fn returns a fault it must not have committed anything.
func (s *Store) withRetry(ctx context.Context, fn func(context.Context) error) error {
	if ctx.Err() != nil {
		return timeoutError(ctx)
	}
	s.calls.Add(1)
	defer s.calls.Add(-1)
	within, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err := fn(within)
	for attempt := 1; isRetryable(err) && attempt < maxAttempts; attempt++ {
		backOff(within, attempt)
		err = fn(within)
	}
	if hasCode(err, dataCorrupted, indexCorrupted) {
		s.corrupt.Store(true)
	}
	switch {
	case err == nil || fault.IsFault(err):
		return err
	case ctx.Err() != nil:
		return timeoutError(ctx)
	case within.Err() != nil:
		return timeoutError(within)
	case isRetryable(err):
		return fmt.Errorf("%w: %w", fault.New(fault.Unavailable, "too many concurrent updates"), err)
	}
	return classifyError(err)
}

// readRows returns the rows of a query.
func readRows[T any](ctx context.Context, s *Store, scan func(layout.Row) (T, error), query string, args ...any) (list []T, err error) {
	if slices.ContainsFunc(args, isInvalidText) {
		return nil, nil // no row has it
	}
	err = s.withRetry(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (T, error) { return scan(row{r}) })
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

func isInvalidText(arg any) bool {
	s, ok := arg.(string)
	return ok && !isValidText(s)
}

// execRows runs a statement and returns the number of rows that it wrote.
func (s *Store) execRows(ctx context.Context, query string, args ...any) (rows int, err error) {
	err = s.withRetry(ctx, func(ctx context.Context) error {
		tag, err := s.pool.Exec(ctx, query, args...)
		rows = int(tag.RowsAffected())
		return err
	})
	return rows, err
}

const dataCorrupted, indexCorrupted = "XX001", "XX002"

// isRetryable reports whether nothing was written and another attempt may succeed.
func isRetryable(err error) bool {
	const serialization, deadlock = "40001", "40P01"
	return errors.Is(err, errVersionConflict) || hasCode(err, serialization, deadlock) ||
		err != nil && !fault.IsFault(err) && !isConnectError(err) && pgconn.SafeToRetry(err)
}

// backOff waits before the next attempt: a random time, which doubles on average.
func backOff(ctx context.Context, attempt int) {
	timer := time.NewTimer(rand.N(time.Millisecond << attempt))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// classifyError returns a fault for an error that tells that the database is not available. After an
// interrupted commit the outcome is unknown, unless the disk is full: then nothing was written.
func classifyError(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		text := ""
		switch {
		case pg.Code == "53100":
			return fmt.Errorf("%w: %w", fault.New(fault.StorageFull, "the disk of the database is full"), err)
		case pg.Code == "25006":
			text = "the database is read only"
		case pg.Code == "57014":
			text = "the database did not respond in time"
		case strings.HasPrefix(pg.Code, "08"), strings.HasPrefix(pg.Code, "57P"), strings.HasPrefix(pg.Code, "53"):
			text = "the database is not available"
		default:
			return err
		}
		return fmt.Errorf("%w: %w", fault.New(fault.Unavailable, "%s", text), err)
	}
	var network net.Error
	if isConnectError(err) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err) {
		return fmt.Errorf("%w: %w", fault.New(fault.Unavailable, "the database is not available"), err)
	}
	return err
}

func isConnectError(err error) bool {
	var connect *pgconn.ConnectError
	return errors.As(err, &connect)
}

// hasCode reports whether PostgreSQL returned one of these error codes.
func hasCode(err error, codes ...string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && slices.Contains(codes, pg.Code)
}

// timeoutError is the error of a call whose context is done.
func timeoutError(ctx context.Context) error {
	return fmt.Errorf("%w: %w", fault.New(fault.Unavailable, "the store did not respond in time"), context.Cause(ctx))
}
