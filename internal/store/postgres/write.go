package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// A write changes the rows of one tenant. All writes of a tenant that arrive while a transaction is
// in progress share the next one: it locks the tenant's row, loads the rows that the writes need,
// runs the writes on them in memory, and sends all statements at once. The lock orders the writes of
// all servers, so that the numbers of changes have the order of their commits.
type write struct {
	needs needs
	fn    func(*tx) error // may run twice; when it returns a fault it must not have saved anything
	fault error
}

// needs are the rows that a write reads: customers by id or number, and idempotency records by key
// (of any actor).
type needs struct {
	ids     []string
	numbers []int32
	keys    []string
}

func needsOf(ref customer.Ref, idem *customer.Idempotency) needs {
	var n needs
	if ref.ID != "" {
		n.ids = []string{ref.ID}
	} else {
		n.numbers = []int32{ref.Number}
	}
	n.addKey(idem)
	return n
}

func (n *needs) addKey(idem *customer.Idempotency) {
	if idem != nil {
		n.keys = append(n.keys, idem.Key)
	}
}

// addEntry adds the rows that would be in conflict with the entry, or that it updates.
func (n *needs) addEntry(e customer.Upsert) {
	for _, id := range []string{e.ID, e.GeneratedID} {
		if id != "" {
			n.ids = append(n.ids, id)
		}
	}
	if e.Number != 0 {
		n.numbers = append(n.numbers, e.Number)
	}
}

func (n *needs) add(other needs) {
	n.ids = append(n.ids, other.ids...)
	n.numbers = append(n.numbers, other.numbers...)
	n.keys = append(n.keys, other.keys...)
}

// write runs fn in a transaction of the tenant and returns when it is durable.
func (s *Store) write(ctx context.Context, tenant string, n needs, fn func(*tx) error) error {
	if ctx.Err() != nil {
		return timeoutError(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, context.DeadlineExceeded)
	defer cancel()
	return s.writes.do(ctx, tenant, &write{needs: n, fn: fn})
}

// runBatch runs the writes in one transaction or, if that fails, each in its own.
func (s *Store) runBatch(tenant string, batch []*item[*write]) {
	err := s.commitBatch(tenant, batch)
	if err != nil && len(batch) > 1 && !fault.IsFault(err) {
		for i := range batch {
			s.runBatch(tenant, batch[i:i+1])
		}
		return
	}
	for _, it := range batch {
		if it.err = err; err == nil {
			it.err = it.value.fault
		}
	}
}

func (s *Store) commitBatch(tenant string, batch []*item[*write]) error {
	start := time.Now()
	err := s.withRetry(context.Background(), func(ctx context.Context) error {
		options := pgx.TxOptions{IsoLevel: pgx.ReadCommitted} // the lock does the rest
		return pgx.BeginTxFunc(ctx, s.pool, options, func(db pgx.Tx) error { return runWrites(ctx, db, tenant, batch) })
	})
	if err == nil && s.onCommit != nil {
		s.onCommit(len(batch), time.Since(start))
	}
	return err
}

func runWrites(ctx context.Context, db pgx.Tx, tenant string, batch []*item[*write]) error {
	t := newTx(ctx, db, tenant)
	var all needs
	for _, it := range batch {
		all.add(it.value.needs)
	}
	if err := t.load(all); err != nil {
		return err
	}
	for _, it := range batch {
		err := runSafely(t, it.value)
		if err != nil && !fault.IsFault(err) {
			return err
		}
		it.value.fault = err
	}
	return t.flush()
}

// runSafely returns a panic as an error, because the other writes of the batch are not to blame.
func runSafely(t *tx, w *write) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("write: %w", fault.FromPanic(v))
		}
	}()
	return w.fn(t)
}

// errVersionConflict is the error of an update of a record that something other than a Kartotek
// server has changed. Nothing was written.
var errVersionConflict = errors.New("the record has another version")
