// Package sqlite keeps customers, accounts and keys in one SQLite file. It alone
// knows SQLite: its SQL, its locks and its errors.
//
// One goroutine writes, and commits in one step whatever callers have asked for
// meanwhile; a few connections read beside it. Read store.go for the
// connections, writer.go for the commits, customer.go for the records.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// Store is one SQLite file. It is safe for concurrent use, also when another
// process has the file open.
type Store struct {
	writes      *sqlite.Conn // the writer's
	checkpoints *sqlite.Conn // the checkpointer's
	disk        *disk
	readers     *sqlitex.Pool

	cache        *cache
	checkpointer *checkpointer
	writer       *writer
	maker        *maker

	searchRows int // maxRows, or a test's

	// taken has, for tenants who have the highest number that there is, one up to
	// which all are taken. It is the writer's alone. A number that was rolled back
	// may stay free: it is only not the next one.
	taken map[string]int32
}

var (
	_ customer.Store            = (*Store)(nil)
	_ customer.IdempotencyStore = (*Store)(nil)
	_ access.Credentials        = (*Store)(nil)
	_ access.Registry           = (*Store)(nil)
)

// Options are what a store may be opened with.
type Options struct {
	// OnCommit is told, on the goroutine that writes, how many writes shared a
	// commit and how long it took. A write that found nothing to change counts
	// too. It may be nil.
	OnCommit func(writes int, took time.Duration)

	// LeaveIndex is for a caller who does not search: Open does not make what
	// searches read when the file lacks it. See [Store.Index].
	LeaveIndex bool

	// OnIndex is told now and then which part is done, when Open takes long
	// because it makes what searches read, for all customers. It may be nil.
	OnIndex func(part float64)
}

// readers is how many may read at once. Reading needs a processor, unless the file
// is not in memory: then some wait for the disk. More of them only cost memory.
var readers = max(4, runtime.GOMAXPROCS(0))

// Open opens the file at path, creates it when there is none, and brings it to
// the newest schema. A file that is not ours, or that a newer program has
// migrated, is refused.
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	if err := create(path); err != nil {
		return nil, err
	}
	s := &Store{maker: &maker{path: path}, searchRows: maxRows, taken: map[string]int32{}}
	if err := s.open(ctx, path, opts); err != nil {
		if f := diskFault(err); f != nil {
			err = fmt.Errorf("%s: %w", f.Text, err)
		}
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), s.closeFiles())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, path string, opts Options) (err error) {
	if s.writes, err = openWriter(ctx, path); err != nil {
		return err
	}
	if !opts.LeaveIndex {
		if err := s.maker.index(ctx, s.writes, opts.OnIndex); err != nil {
			return err
		}
	}
	if s.checkpoints, err = sqlite.OpenConn(path, sqlite.OpenReadWrite); err != nil {
		return err
	}
	if s.disk, err = openDisk(path); err != nil {
		return err
	}
	if s.cache, err = newCache(); err != nil {
		return err
	}
	s.readers, err = sqlitex.NewPool(path, sqlitex.PoolOptions{
		Flags:       sqlite.OpenReadWrite, // of the lock file; PrepareConn makes it read only
		PoolSize:    readers,
		PrepareConn: prepareReader,
	})
	if err != nil {
		return err
	}
	s.checkpointer = startCheckpointer(s.checkpoints, s.disk)
	s.writer = startWriter(s.writes, s.cache, s.checkpointer, opts.OnCommit)
	return nil
}

// closeFiles closes what open has opened. The writer's connection goes last of all:
// it moves the log into the file.
func (s *Store) closeFiles() (err error) {
	if s.readers != nil {
		err = s.readers.Close()
	}
	for _, conn := range []*sqlite.Conn{s.checkpoints, s.writes} {
		if conn != nil {
			err = errors.Join(err, conn.Close())
		}
	}
	if s.cache != nil {
		err = errors.Join(err, s.cache.close())
	}
	if s.disk != nil {
		err = errors.Join(err, s.disk.close())
	}
	return errors.Join(err, s.maker.release())
}

// create makes an empty file that only its owner may read, since it will hold
// personal data. SQLite gives its log and its lock file the same mode. It leaves
// a file that exists alone: closing it would drop the locks that this process
// holds on it.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

func openWriter(ctx context.Context, path string) (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	if err := prepareWriter(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func prepareWriter(ctx context.Context, conn *sqlite.Conn) error {
	defer conn.SetInterrupt(conn.SetInterrupt(ctx.Done()))
	conn.SetBusyTimeout(0) // whileBusy waits better
	if err := whileBusy(lockPatience, func() error { return migrate(ctx, conn) }); err != nil {
		return err
	}
	if err := tryToWrite(conn); err != nil {
		return err
	}
	return pragmas(conn,
		"synchronous = FULL", // a commit is on the disk when it returns
		"foreign_keys = ON",
		"cache_size = -2000", // KiB
		// The checkpointer moves the log into the file. Should it not get to, the
		// writer does so itself before the log has 256 MiB.
		"wal_autocheckpoint = 65536",
		"journal_size_limit = 67108864", // to which a log is cut that a slow reader made longer
	)
}

// tryToWrite is an error for a file that can only be read, which SQLite opens all
// the same. A lock that another process holds is as good as a yes.
func tryToWrite(conn *sqlite.Conn) error {
	err := execute(conn, writeNothing)
	if err != nil && !isBusy(err) {
		return fmt.Errorf("try to write: %w", err)
	}
	return nil
}

// writeNothing needs the right to write. (BEGIN IMMEDIATE needs none: it only
// reads when that is all that the file allows.)
const writeNothing = `
	DELETE FROM receipts
	WHERE FALSE`

func prepareReader(conn *sqlite.Conn) error {
	conn.SetBusyTimeout(5 * time.Second) // while another process recovers the log
	// In KiB: enough for the inner pages, since records are remembered elsewhere.
	return pragmas(conn, "query_only = ON", "cache_size = -500")
}

func pragmas(conn *sqlite.Conn, settings ...string) error {
	for _, setting := range settings {
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA "+setting, nil); err != nil {
			return fmt.Errorf("set %s: %w", setting, err)
		}
	}
	return nil
}

// integer is the one value of a query's one row; 0 for NULL.
func integer(conn *sqlite.Conn, query string) (n int64, err error) {
	err = sqlitex.Execute(conn, query, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		n = stmt.ColumnInt64(0)
		return nil
	}})
	return n, err
}

// Close finishes the writes that are queued and closes the file. Calls that come
// later get an error.
func (s *Store) Close() error {
	if !s.writer.stop() {
		return nil // closed before
	}
	s.checkpointer.stop()
	return s.closeFiles()
}

// Ping returns an error unless the store can read and its writer answers. That a
// full disk or one that fails refuses what others write is such an answer.
func (s *Store) Ping(ctx context.Context) error {
	if _, err := read(ctx, s, schemaVersion); err != nil {
		return err
	}
	err := s.writer.run(ctx, func(*sqlite.Conn) error { return nil })
	if diskFault(err) != nil {
		return nil
	}
	return err
}

// Queued is the number of writes that wait for their turn.
func (s *Store) Queued() int { return len(s.writer.queue) }

// read runs fn on a connection that can only read.
func read[T any](ctx context.Context, s *Store, fn func(*sqlite.Conn) (T, error)) (T, error) {
	var zero T
	conn, err := s.readers.Take(ctx)
	if err != nil && ctx.Err() != nil {
		return zero, gaveUp(ctx)
	}
	if err != nil {
		return zero, err
	}
	defer s.readers.Put(conn)
	got, err := fn(conn)
	if sqlite.ErrCode(err) == sqlite.ResultInterrupt && ctx.Err() != nil {
		return zero, gaveUp(ctx)
	}
	return got, err
}

// write runs fn in the writer's transaction and returns once it is durable. fn
// may run twice. The promises of [writer.run] are its own.
func write[T any](ctx context.Context, s *Store, fn func(*sqlite.Conn) (T, error)) (T, error) {
	var got T
	err := s.writer.run(ctx, func(conn *sqlite.Conn) (err error) {
		got, err = fn(conn)
		return err
	})
	if err != nil {
		var zero T
		return zero, err // and got is not read: fn may be running still
	}
	return got, nil
}

// gaveUp is the error of a call whose context was done, or whose patience ended,
// before the answer came.
func gaveUp(ctx context.Context) error {
	f := fault.New(fault.Unavailable, "the store did not answer in time")
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w: %w", f, cause)
	}
	return f
}
