package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"

	"kartotek/internal/fault"
)

// writer owns the one connection that writes. Its goroutine takes all writes
// that have queued up, runs them in one transaction, and answers their callers
// once it is durable: the disk is waited for once, not once for each.
type writer struct {
	conn         *sqlite.Conn
	index        *index
	cache        *cache
	checkpointer *checkpointer
	seq          int64    // of the newest change
	changed      []record // by the transaction
	foreign      int64    // data_version: moves when another process commits
	onCommit     func(writes int, took time.Duration)
	patience     time.Duration // lockPatience, or a test's
	queue        chan *pending
	stopped      chan struct{} // closed when the goroutine has ended

	mu     sync.RWMutex // so that nobody sends on a closed queue
	closed bool
}

// pending is a write that waits for its turn, and then for its commit.
type pending struct {
	ctx    context.Context
	do     func(*sqlite.Conn) error
	fault  error      // why it wrote nothing, when it did not
	answer chan error // has room, so that nobody waits for a caller who left
}

const (
	maxQueue = 1024 // writes; a caller beyond them is better off trying again
	maxGroup = 128  // writes in a commit; larger groups make callers wait, and gain little

	lockPatience = 10 * time.Second     // until another process lets go of the file
	maxPause     = 2 * time.Millisecond // between two tries

	// foreignLag is for how long a record may be read as it was before another
	// process changed it.
	foreignLag = 100 * time.Millisecond
)

// startWriter starts the goroutine that writes. It ends when stop is called.
func startWriter(conn *sqlite.Conn, cache *cache, checkpointer *checkpointer, onCommit func(int, time.Duration)) *writer {
	w := &writer{
		conn:         conn,
		index:        newIndex(conn),
		cache:        cache,
		checkpointer: checkpointer,
		onCommit:     onCommit,
		patience:     lockPatience,
		queue:        make(chan *pending, maxQueue),
		stopped:      make(chan struct{}),
	}
	go w.loop()
	return w
}

// stop lets the queued writes finish, and no others in. It returns false when
// the writer was stopped before.
func (w *writer) stop() bool {
	w.mu.Lock()
	first := !w.closed
	if first {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.stopped
	return first
}

// run queues a write and returns when it is durable, or when it failed and
// nothing of it remains. do may run twice. When it returns a fault it must not
// have written anything.
//
// A write whose ctx is done before its turn is skipped. Once its turn has come it
// is finished, though the caller no longer waits: a Busy fault that wraps the
// cause of ctx leaves open whether it was written.
func (w *writer) run(ctx context.Context, do func(*sqlite.Conn) error) error {
	p := &pending{ctx: ctx, do: do, answer: make(chan error, 1)}
	if err := w.enqueue(p); err != nil {
		return err
	}
	select {
	case err := <-p.answer:
		return err
	case <-ctx.Done():
		return gaveUp(ctx)
	}
}

func (w *writer) enqueue(p *pending) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return errors.New("the store is closed")
	}
	select {
	case w.queue <- p:
		return nil
	default:
		return fault.New(fault.Busy, "too many writes are waiting")
	}
}

func (w *writer) loop() {
	defer close(w.stopped)
	group := make([]*pending, 0, maxGroup)
	idle := time.NewTicker(foreignLag)
	defer idle.Stop()
	for {
		select {
		case p, ok := <-w.queue:
			if !ok {
				return
			}
			group = w.join(append(group[:0], p))
			w.commit(group)
			clear(group) // let go of what the callers hold
		case <-idle.C:
			w.lookAround()
		}
	}
}

// lookAround empties the cache when another process has committed, or might have.
func (w *writer) lookAround() {
	version, err := dataVersion(w.conn)
	if err != nil || version != w.foreign {
		w.cache.clear()
	}
	w.foreign = version
}

// dataVersion is a number that differs from the one before when another
// connection has committed in between.
func dataVersion(conn *sqlite.Conn) (version int64, err error) {
	stmt, err := conn.Prepare("PRAGMA data_version")
	if err != nil {
		return 0, err
	}
	if _, err := stmt.Step(); err != nil {
		return 0, err
	}
	return stmt.ColumnInt64(0), stmt.Reset()
}

// join adds the writes that are queued by now.
func (w *writer) join(group []*pending) []*pending {
	for len(group) < maxGroup {
		select {
		case p, ok := <-w.queue:
			if !ok {
				return group
			}
			group = append(group, p)
		default:
			return group
		}
	}
	return group
}

// commit makes the group durable, or answers each write with why it is not. A
// write that broke off halfway takes the transaction with it, so the group's
// writes are then run again, each in a transaction of its own. (A savepoint for
// each would save that, and cost every good write a tenth of its time.)
func (w *writer) commit(group []*pending) {
	start := time.Now()
	if err := w.begin(); err != nil {
		answer(group, err)
		return
	}
	if err := w.runAll(group); err != nil {
		err = w.rollback(err)
		if len(group) == 1 {
			answer(group, err)
			return
		}
		for i := range group {
			w.commit(group[i : i+1])
		}
		return
	}
	if err := w.makeDurable(); err != nil {
		answer(group, w.rollback(fmt.Errorf("commit: %w", err)))
		return
	}
	answer(group, nil)
	if w.onCommit != nil {
		w.onCommit(len(group), time.Since(start))
	}
	w.checkpointer.follow(w.conn, len(w.changed))
}

// makeDurable commits, and lets the cache know of it before anyone is answered.
func (w *writer) makeDurable() error {
	w.cache.begin(w.changed)
	err := execute(w.conn, "COMMIT")
	if err != nil {
		w.changed = nil
	}
	w.cache.end(w.changed)
	return err
}

// begin takes the lock for writing, which another process may hold.
func (w *writer) begin() error {
	err := whileBusy(w.patience, func() error {
		err := execute(w.conn, "BEGIN IMMEDIATE")
		w.lookAround()
		return err
	})
	if isBusy(err) {
		return fault.New(fault.Busy, "another process is writing")
	}
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}

// runAll runs the writes, up to the first that breaks off halfway, and then what
// the index has put off until it has seen all of them.
func (w *writer) runAll(group []*pending) error {
	w.index.reset()
	w.changed = w.changed[:0]
	var err error
	if w.seq, err = lastSeq(w.conn); err != nil {
		return err
	}
	for _, p := range group {
		p.fault = nil
		if p.ctx.Err() != nil {
			p.fault = gaveUp(p.ctx)
			continue
		}
		err := w.runOne(p)
		if err != nil && !isFault(err) {
			return err
		}
		p.fault = err
	}
	return w.index.flush()
}

// runOne turns a panic into an error, since it is one caller's.
func (w *writer) runOne(p *pending) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("write: %w", fault.Panicked(r))
		}
	}()
	return p.do(w.conn)
}

// rollback ends the transaction for this reason. After some errors, such as a
// full disk, SQLite has ended it already.
func (w *writer) rollback(reason error) error {
	if w.conn.AutocommitEnabled() {
		return reason
	}
	if err := execute(w.conn, "ROLLBACK"); err != nil {
		return errors.Join(reason, fmt.Errorf("roll back: %w", err))
	}
	return reason
}

// answer tells each caller err or, when that is nil, the fault of its own write.
func answer(group []*pending, err error) {
	for _, p := range group {
		if err != nil {
			p.answer <- err
			continue
		}
		p.answer <- p.fault
	}
}

// isFault reports whether err is a fault. A write that returns one has written
// nothing.
func isFault(err error) bool {
	_, ok := errors.AsType[*fault.Fault](err)
	return ok
}

// whileBusy runs fn until it gets the lock that another process holds, or
// patience ends. Its pauses are short and random: SQLite's own grow to 100 ms,
// and a busy process lets go of the lock for less.
func whileBusy(patience time.Duration, fn func() error) error {
	for deadline := time.Now().Add(patience); ; {
		err := fn()
		if !isBusy(err) || time.Now().After(deadline) {
			return err
		}
		time.Sleep(rand.N(maxPause))
	}
}

func isBusy(err error) bool { return sqlite.ErrCode(err).ToPrimary() == sqlite.ResultBusy }

// execute runs a statement without parameters or rows.
func execute(conn *sqlite.Conn, query string) error {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return err
	}
	_, err = stmt.Step()
	return err
}
