package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// PutOffIndex lets the customers that are put from now on wait for [Store.Index]
// until searches find them, if the store has none yet: to index many at once, in
// their order, takes a fifth of the time. Meanwhile searches are Busy, those of
// other processes as well. It does so too for a store whose index was put off
// before and never made. Otherwise it does nothing, and returns false.
func (s *Store) PutOffIndex(ctx context.Context) (bool, error) {
	held, err := s.maker.tryHold()
	if err != nil || !held { // another process makes the index, and finds what this one writes
		return false, err
	}
	putOff, err := write(ctx, s, func(conn *sqlite.Conn) (bool, error) {
		state, err := findIndexState(conn)
		if err != nil || !state.done() {
			return err == nil, err
		}
		if some, err := hasCustomers(conn); err != nil || some {
			return false, err
		}
		return true, setIndexVersion(conn, 0)
	})
	if err != nil || !putOff {
		return false, errors.Join(err, s.maker.release())
	}
	return true, nil
}

// Index makes what searches read, or waits until another process has done so. It
// returns at once when that is there already. tell, which may be nil, hears now and
// then which part is done, when that takes long.
func (s *Store) Index(ctx context.Context, tell func(part float64)) (err error) {
	defer func() { err = errors.Join(err, s.maker.release()) }()
	state, err := read(ctx, s, findIndexState)
	if err != nil || state.done() {
		return err
	}
	conn, err := openWriter(ctx, s.maker.path)
	if err != nil {
		return err
	}
	return errors.Join(s.maker.index(ctx, conn, tell), conn.Close())
}

// maker is this process's right to make the index of a file, which one process
// has at a time.
type maker struct {
	path string // of the file

	mu   sync.Mutex
	lock *sqlite.Conn // nil while the right is not held
}

// index makes what searches read, unless that is there.
func (m *maker) index(ctx context.Context, conn *sqlite.Conn, tell func(part float64)) error {
	state, err := findIndexState(conn)
	if err != nil || state.done() {
		return err
	}
	if err := m.hold(ctx, tell); err != nil {
		return err
	}
	if state, err = findIndexState(conn); err == nil && !state.done() { // nobody has made it meanwhile
		err = rebuild(ctx, conn, tell)
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		err = fmt.Errorf("index customers: %w", err)
	}
	return errors.Join(err, m.release())
}

// makerSuffix ends the name of an empty file beside the store, on which SQLite's
// lock is the right: it ends with the process, however that ends.
const makerSuffix = "-index"

// makerPause is between two looks whether another process still has the right.
const makerPause = 20 * time.Millisecond

// hold waits until no other process has the right, and tells when it must.
func (m *maker) hold(ctx context.Context, tell func(part float64)) error {
	for waited := false; ; waited = true {
		held, err := m.tryHold()
		if err != nil || held {
			return err
		}
		if !waited && tell != nil {
			tell(0)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(makerPause):
		}
	}
}

// tryHold reports whether this process has the right now.
func (m *maker) tryHold() (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lock != nil {
		return true, nil
	}
	lock, err := tryLock(m.path + makerSuffix)
	if err != nil {
		return false, fmt.Errorf("lock index: %w", err)
	}
	m.lock = lock
	return lock != nil, nil
}

// tryLock returns a connection that holds the lock on a file until it is closed,
// or nil when there is one already. A lock on a file that was removed meanwhile, by
// who had it before, is none.
func tryLock(path string) (*sqlite.Conn, error) {
	lock, found, err := openLock(path)
	if err != nil {
		return nil, err
	}
	lock.SetBusyTimeout(0)
	err = pragmas(lock, "journal_mode = MEMORY") // and no other file beside this one
	if err == nil {
		err = execute(lock, "BEGIN EXCLUSIVE")
	}
	if err == nil && isStill(path, found) {
		return lock, nil
	}
	if isBusy(err) {
		err = nil
	}
	return nil, errors.Join(err, lock.Close())
}

// openLock opens a file that it makes when there is none. It tries again when that
// is removed under its hands.
func openLock(path string) (lock *sqlite.Conn, found fs.FileInfo, err error) {
	for range 5 {
		if err := create(path); err != nil {
			return nil, nil, err
		}
		if found, err = os.Stat(path); err != nil {
			continue
		}
		if lock, err = sqlite.OpenConn(path, sqlite.OpenReadWrite); err == nil {
			return lock, found, nil
		}
	}
	return nil, nil, err
}

// isStill reports whether the path leads to the file that was found there. A new
// one may have its number, but not its time.
func isStill(path string, found fs.FileInfo) bool {
	now, err := os.Stat(path)
	return err == nil && os.SameFile(found, now) && found.ModTime().Equal(now.ModTime())
}

func (m *maker) release() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lock == nil {
		return nil
	}
	_ = os.Remove(m.path + makerSuffix) // a system that cannot remove an open file keeps it
	err := m.lock.Close()
	m.lock = nil
	return err
}

func hasCustomers(conn *sqlite.Conn) (some bool, err error) {
	err = sqlitex.Execute(conn, selectAnyCustomer, &sqlitex.ExecOptions{ResultFunc: func(*sqlite.Stmt) error {
		some = true
		return nil
	}})
	return some, err
}

const selectAnyCustomer = `
	SELECT 1
	FROM customers
	LIMIT 1`
