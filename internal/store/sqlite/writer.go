package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"

	"kartotek/internal/fault"
)

// writer owns the one connection that writes. Its goroutine takes all writes
// that have queued up, runs them in one transaction, and answers their callers
// once it is durable: the disk is waited for once, not once for each.
type writer struct {
	conn         *sqlite.Conn
	follower     follower
	updates      updates
	cache        *cache
	checkpointer *checkpointer
	changed      []record // by the transaction
	foreign      int64    // data_version: moves when another process commits
	onCommit     func(writes int, took time.Duration)
	patience     time.Duration             // maxWait, or a test's
	began        atomic.Pointer[time.Time] // when the commit under way did; nil between two
	queue        chan *pending
	stopped      chan struct{} // closed when the goroutine has ended

	mu     sync.RWMutex // so that nobody sends on a closed queue
	closed bool
}

// pending is a write that waits for its turn, and then for its commit.
type pending struct {
	ctx    context.Context
	late   atomic.Bool // whether its caller has waited long enough, and left
	do     func(*sqlite.Conn) error
	fault  error      // why it wrote nothing, when it did not
	answer chan error // has room, so that nobody waits for a caller who left
}

// left reports whether nobody waits for the write any more.
func (p *pending) left() bool { return p.late.Load() || p.ctx.Err() != nil }

const (
	maxQueue = 1024 // writes; a caller beyond them is better off trying again
	maxGroup = 128  // writes in a commit; larger groups make callers wait, and gain little

	// maxWait is how long a caller waits for its turn and its commit, and how long a
	// commit may take before nobody else is let in. A disk that works needs
	// milliseconds, and its worst hiccup a second or two; a client, or the proxy
	// before it, that hears nothing for ten is likely to have hung up.
	maxWait = 5 * time.Second

	lockPatience = 10 * time.Second     // of an Open, until another process lets go of the file
	maxPause     = 2 * time.Millisecond // between two tries

	// foreignLag is for how long a record may be read as it was before another
	// process changed it.
	foreignLag = 100 * time.Millisecond
)

// startWriter starts the goroutine that writes. It ends when stop is called.
func startWriter(conn *sqlite.Conn, cache *cache, checkpointer *checkpointer, onCommit func(int, time.Duration)) *writer {
	w := &writer{
		conn:         conn,
		updates:      updates{},
		cache:        cache,
		checkpointer: checkpointer,
		onCommit:     onCommit,
		patience:     maxWait,
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
// A StorageFull fault says that the disk has no room, and that nothing was written. A Busy
// fault leaves that open: the writer, or the disk below it, did not answer in time
// or failed. A write whose caller has left, because ctx was done or maxWait over, is
// skipped when its turn has not come; when it has, it is finished.
func (w *writer) run(ctx context.Context, do func(*sqlite.Conn) error) error {
	p := &pending{ctx: ctx, do: do, answer: make(chan error, 1)}
	if err := w.enqueue(p); err != nil {
		return err
	}
	overdue := time.NewTimer(w.patience)
	defer overdue.Stop()
	select {
	case err := <-p.answer:
		return err
	case <-ctx.Done():
		return gaveUp(ctx)
	case <-overdue.C:
		p.late.Store(true)
		return gaveUp(ctx)
	}
}

// enqueue lets nobody in while the writer is stuck: who waits already leaves one
// by one, and all others would only wait in vain.
func (w *writer) enqueue(p *pending) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return errors.New("the store is closed")
	}
	if w.stuck() {
		return fault.New(fault.Unavailable, "the store is waiting for its disk or for another process")
	}
	select {
	case w.queue <- p:
		return nil
	default:
		return fault.New(fault.Unavailable, "too many writes are waiting")
	}
}

// stuck reports whether a commit has taken longer than a caller waits.
func (w *writer) stuck() bool {
	began := w.began.Load()
	return began != nil && time.Since(*began) > w.patience
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
				w.follow(1)
				return
			}
			group = w.join(append(group[:0], p))
			w.commit(group)
			clear(group) // let go of what the callers hold
			w.follow(manyMoves)
		case <-idle.C:
			w.lookAround()
			w.follow(1)
		}
	}
}

// follow has the index follow the changes that it has not, when there are so many.
func (w *writer) follow(enough int) {
	if len(w.follower.moves) < enough {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), w.patience)
	defer cancel()
	p := &pending{ctx: ctx, answer: make(chan error, 1), do: func(conn *sqlite.Conn) error {
		_, err := w.follower.follow(conn)
		return err
	}}
	w.commit([]*pending{p})
	if err := <-p.answer; err != nil {
		w.follower.forget() // and tries again when somebody searches
	}
}

// lookAround empties the cache when another process has committed, or might have.
func (w *writer) lookAround() {
	version, err := integer(w.conn, dataVersion)
	if err != nil || version != w.foreign {
		w.cache.clear()
	}
	w.foreign = version
}

// dataVersion is a number that differs from the one before when another
// connection has committed in between.
const dataVersion = "PRAGMA data_version"

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
	w.began.Store(&start)
	defer w.began.Store(nil)
	if err := w.begin(group); err != nil {
		answer(group, err)
		return
	}
	if err := w.runAll(group); err != nil {
		err = w.rollback(err)
		w.follower.forget()
		if len(group) == 1 {
			answer(group, outage(err))
			return
		}
		for i := range group {
			w.commit(group[i : i+1])
		}
		return
	}
	if err := w.makeDurable(); err != nil {
		answer(group, outage(w.rollback(fmt.Errorf("commit: %w", err))))
		return
	}
	answer(group, nil)
	if w.onCommit != nil {
		w.onCommit(len(group), time.Since(start))
	}
	w.checkpointer.follow(w.conn, len(w.changed))
}

// makeDurable commits, and tells the cache and the follower before anyone is
// answered.
func (w *writer) makeDurable() error {
	w.cache.begin(w.changed)
	err := execute(w.conn, "COMMIT")
	if err != nil {
		w.cache.end(nil)
		w.follower.forget()
		return err
	}
	w.cache.end(w.changed)
	w.follower.committed()
	return nil
}

// begin takes the lock for writing. While another process holds it there is
// nothing to do but to try again: the group's callers leave one by one, and after
// them the writer is stuck, and lets nobody in. It gives up when all of them have
// left a store that is being closed.
func (w *writer) begin(group []*pending) error {
	for {
		err := execute(w.conn, "BEGIN IMMEDIATE")
		w.lookAround()
		switch {
		case err == nil:
			return nil
		case !isBusy(err):
			return outage(fmt.Errorf("begin: %w", err))
		case w.isClosed() && !slices.ContainsFunc(group, func(p *pending) bool { return !p.left() }):
			return fault.New(fault.Unavailable, "another process is writing")
		}
		pause()
	}
}

func (w *writer) isClosed() bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.closed
}

// runAll runs the writes, up to the first that breaks off halfway.
func (w *writer) runAll(group []*pending) error {
	w.changed = w.changed[:0]
	last, err := lastSeq(w.conn)
	if err != nil {
		return err
	}
	w.follower.begin(last)
	for _, p := range group {
		p.fault = nil
		if p.left() {
			p.fault = gaveUp(p.ctx) // should this reach the caller before it hears that ctx is done
			continue
		}
		err := w.runOne(p)
		if err != nil && !fault.IsFault(err) {
			return err
		}
		p.fault = err
	}
	return nil
}

// runOne turns a panic into an error, since it is one caller's.
func (w *writer) runOne(p *pending) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("write: %w", fault.FromPanic(r))
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

// outage is err with the fault that it is for a caller, when it tells how the disk
// is, and err itself when not.
func outage(err error) error {
	if f := diskFault(err); f != nil {
		return fmt.Errorf("%w: %w", f, err)
	}
	return err
}

// diskFault is what an error says of the disk, and nil when it says nothing of it.
//
// Without room for the log a commit breaks off before the mark that would make it
// count: nothing was written. After any other failure nobody knows. The mark may
// be on the disk when an fsync fails, or when the log's shared index cannot grow,
// and then a crash before the next commit brings the write back.
func diskFault(err error) *fault.Fault {
	code := sqlite.ErrCode(err)
	if code == sqlite.ResultIOErrSHMSize {
		return fault.New(fault.Unavailable, "the disk is full")
	}
	switch code.ToPrimary() {
	case sqlite.ResultFull:
		return fault.New(fault.StorageFull, "the disk is full")
	case sqlite.ResultReadOnly, sqlite.ResultIOErr, sqlite.ResultCantOpen:
		return fault.New(fault.Unavailable, "the disk cannot be written")
	}
	return nil
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
		pause()
	}
}

func pause() { time.Sleep(rand.N(maxPause)) }

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
