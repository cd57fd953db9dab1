package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"

	"kartotek/internal/fault"
)

// writer owns the only connection that writes. Its goroutine takes all queued writes, runs them in
// one transaction, and returns to their callers when it is durable: one fsync serves all of them.
type writer struct {
	conn         *sqlite.Conn
	tx           *tx
	checkpointer *checkpointer
	checkFile    func() error // fails when the file was removed or replaced
	lastCheck    time.Time
	onCommit     func(writes int, took time.Duration)
	timeout      time.Duration             // writeTimeout, or that of a test
	commitStart  atomic.Pointer[time.Time] // of the commit in progress; nil if there is none
	queue        *writeQueue
	stopped      chan struct{} // closed when the goroutine has ended
}

// writeRequest is a queued write.
type writeRequest struct {
	ctx      context.Context
	timedOut atomic.Bool
	fn       func(*tx) error
	fault    error      // why it wrote nothing, if so
	result   chan error // has room for one, because the caller may have gone
}

// abandoned reports whether the caller no longer waits.
func (r *writeRequest) abandoned() bool { return r.timedOut.Load() || r.ctx.Err() != nil }

var errClosed = errors.New("the store is closed")

const (
	maxBatch = 128 // writes in a commit; larger batches add latency and little throughput

	// writeTimeout limits how long a write waits for its commit, and how long a commit may take
	// before further writes are rejected. A healthy disk needs milliseconds, a second at worst; most
	// clients and proxies give up after ten.
	writeTimeout = 5 * time.Second
)

// startWriter starts the goroutine. It ends when stop is called.
func startWriter(conn *sqlite.Conn, checkpointer *checkpointer, checkFile func() error, onCommit func(int, time.Duration)) *writer {
	w := &writer{
		conn:         conn,
		tx:           newTx(conn),
		checkpointer: checkpointer,
		checkFile:    checkFile,
		onCommit:     onCommit,
		timeout:      writeTimeout,
		queue:        newWriteQueue(),
		stopped:      make(chan struct{}),
	}
	go w.loop()
	return w
}

// stop finishes the queued writes and rejects others. It returns false if the writer was stopped
// before.
func (w *writer) stop() bool {
	first := w.queue.close()
	<-w.stopped
	return first
}

// run queues a write and returns when it is durable, or when it has failed and nothing of it
// remains. fn may run twice. If it returns a fault, it must not have written anything.
//
// A StorageFull fault means that the disk is full and nothing was written. After an Unavailable
// fault the outcome is unknown: the writer or its disk failed or did not respond in time. A write
// whose caller has gone, because ctx is done or writeTimeout is over, is skipped unless it is
// already running.
func (w *writer) run(ctx context.Context, tenant string, fn func(*tx) error) error {
	r := &writeRequest{ctx: ctx, fn: fn, result: make(chan error, 1)}
	if err := w.accepts(); err != nil {
		return err
	}
	if err := w.queue.add(tenant, r); err != nil {
		return err
	}
	timer := time.NewTimer(w.timeout)
	defer timer.Stop()
	select {
	case err := <-r.result:
		return err
	case <-ctx.Done():
		return timeoutError(ctx)
	case <-timer.C:
		r.timedOut.Store(true)
		return timeoutError(ctx)
	}
}

// accepts returns an error while the writer accepts no writes. While a commit is stalled, queued
// callers time out one by one, and further ones would wait in vain.
func (w *writer) accepts() error {
	if w.queue.isClosed() {
		return errClosed
	}
	if w.stalled() {
		return fault.New(fault.Unavailable, "the store is waiting for its disk or for another process")
	}
	return nil
}

// check returns an error while writes fail, without waiting for them.
func (w *writer) check() error {
	if err := w.accepts(); err != nil {
		return err
	}
	return w.checkFile()
}

func (w *writer) stalled() bool {
	start := w.commitStart.Load()
	return start != nil && time.Since(*start) > w.timeout
}

func (w *writer) loop() {
	defer close(w.stopped)
	batch := make([]*writeRequest, 0, maxBatch)
	for batch = w.queue.take(batch, maxBatch); len(batch) > 0; batch = w.queue.take(batch[:0], maxBatch) {
		w.commitBatch(batch)
		clear(batch) // release what the callers hold
	}
}

// commitBatch makes the batch durable, or returns an error to each caller. A write that fails
// halfway rolls the transaction back; then each write of the batch runs in a transaction of its own.
// (A savepoint for each write would avoid that, and make every write slower by a tenth.)
func (w *writer) commitBatch(batch []*writeRequest) {
	start := time.Now()
	w.commitStart.Store(&start)
	defer w.commitStart.Store(nil)
	if err := w.checkAfterPause(start); err != nil {
		respond(batch, err)
		return
	}
	if err := w.begin(batch); err != nil {
		respond(batch, err)
		return
	}
	if err := w.runBatch(batch); err != nil {
		err = w.rollback(err)
		if len(batch) == 1 {
			respond(batch, wrapDiskError(err))
			return
		}
		for i := range batch {
			w.commitBatch(batch[i : i+1])
		}
		return
	}
	if err := execSQL(w.conn, "COMMIT"); err != nil {
		respond(batch, wrapDiskError(w.rollback(fmt.Errorf("commit: %w", err))))
		return
	}
	respond(batch, nil)
	if w.onCommit != nil {
		w.onCommit(len(batch), time.Since(start))
	}
	w.checkpointer.afterCommit(w.conn, w.tx.changes)
}

// checkAfterPause checks the file unless the last check was a moment ago. A change that is written
// to a file that was removed or replaced would be lost at the next start.
func (w *writer) checkAfterPause(now time.Time) error {
	if now.Sub(w.lastCheck) < checkInterval {
		return nil
	}
	if err := w.checkFile(); err != nil {
		return err
	}
	w.lastCheck = now
	return nil
}

const checkInterval = 100 * time.Millisecond

// begin takes the write lock. While another process holds it, begin tries again: the callers time
// out one by one, and then the writer is stalled and rejects others. It gives up when the store is
// being closed and no caller is left.
func (w *writer) begin(batch []*writeRequest) error {
	for {
		err := execSQL(w.conn, "BEGIN IMMEDIATE")
		switch {
		case err == nil:
			return nil
		case !isBusy(err):
			return wrapDiskError(fmt.Errorf("begin: %w", err))
		case w.queue.isClosed() && !slices.ContainsFunc(batch, func(r *writeRequest) bool { return !r.abandoned() }):
			return fault.New(fault.Unavailable, "another process is writing")
		}
		backOff()
	}
}

// runBatch runs the writes up to the first that fails halfway.
func (w *writer) runBatch(batch []*writeRequest) error {
	if err := w.tx.begin(); err != nil {
		return err
	}
	for _, r := range batch {
		r.fault = nil
		if r.abandoned() {
			r.fault = timeoutError(r.ctx)
			continue
		}
		err := w.runSafely(r)
		if err != nil && !fault.IsFault(err) {
			return err
		}
		r.fault = err
	}
	return nil
}

// runSafely returns a panic as an error, because the other writes of the batch are not to blame.
func (w *writer) runSafely(r *writeRequest) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("write: %w", fault.FromPanic(v))
		}
	}()
	return r.fn(w.tx)
}

// rollback ends the transaction and returns the reason. After some errors, such as a full disk,
// SQLite has already ended it.
func (w *writer) rollback(reason error) error {
	if w.conn.AutocommitEnabled() {
		return reason
	}
	if err := execSQL(w.conn, "ROLLBACK"); err != nil {
		return errors.Join(reason, fmt.Errorf("roll back: %w", err))
	}
	return reason
}

// respond returns err to each caller or, if it is nil, the fault of the caller's own write.
func respond(batch []*writeRequest, err error) {
	for _, r := range batch {
		if err != nil {
			r.result <- err
			continue
		}
		r.result <- r.fault
	}
}
