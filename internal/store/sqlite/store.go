// Package sqlite stores customers, accounts and keys in one SQLite file.
//
// One goroutine writes, and commits all queued writes together; a few connections read in parallel.
// Read store.go for the connections, writer.go for the commits, tx.go for what a change writes,
// customers.go for the records, search.go for searches and list.go for lists.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/store/layout"
)

// Store is one SQLite file. It is safe for concurrent use, also when another process has the file
// open.
type Store struct {
	layout.SmallTables

	writerConn     *sqlite.Conn
	checkpointConn *sqlite.Conn
	file           *syncFile
	readers        *sqlitex.Pool

	checkpointer *checkpointer
	writer       *writer
	phoneRegion  string
	corrupt      atomic.Bool // a call has failed because the file is damaged
}

var (
	_ customer.Store            = (*Store)(nil)
	_ customer.IdempotencyStore = (*Store)(nil)
	_ access.Credentials        = (*Store)(nil)
	_ access.Registry           = (*Store)(nil)
)

// Options are the options of Open.
type Options struct {
	// OnCommit receives the number of writes in each commit and its duration, on the goroutine that
	// writes. A write that changed nothing counts too. It may be nil.
	OnCommit func(writes int, took time.Duration)

	// PhoneRegion is the country (ISO 3166-1 alpha-2) of phones without a country code, of
	// customers without a country. It may be empty.
	PhoneRegion string
}

// readers is the number of connections that read. A read needs a processor, or waits for the disk
// when the file is not in memory; more connections only need more memory.
var readers = max(4, runtime.GOMAXPROCS(0))

// Open opens the file at path, creates it if there is none, and migrates it to the newest schema.
// It rejects a file that is not a Kartotek database, or that a newer version has migrated.
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	if err := createFile(path); err != nil {
		return nil, err
	}
	s := &Store{phoneRegion: opts.PhoneRegion}
	s.SmallTables = layout.NewSmallTables(s.queryAny, s.exec)
	if err := s.open(ctx, path, opts); err != nil {
		if f := classifyDiskError(err); f != nil {
			err = fmt.Errorf("%s: %w", f.Text, err)
		}
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), s.closeFiles())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, path string, opts Options) (err error) {
	if s.writerConn, err = openWriter(ctx, path); err != nil {
		return err
	}
	if s.checkpointConn, err = sqlite.OpenConn(path, sqlite.OpenReadWrite); err != nil {
		return err
	}
	if s.file, err = openSyncFile(path); err != nil {
		return err
	}
	s.readers, err = sqlitex.NewPool(path, sqlitex.PoolOptions{
		Flags:       sqlite.OpenReadWrite, // see prepareReader
		PoolSize:    readers,
		PrepareConn: prepareReader,
	})
	if err != nil {
		return err
	}
	if err := s.openReaders(ctx); err != nil {
		return err
	}
	s.checkpointer = startCheckpointer(s.checkpointConn, s.file)
	checkFile := func() error {
		if s.file.isAt(path) {
			return nil
		}
		return fault.New(fault.Unavailable, "the file of the store was removed or replaced: restart the server")
	}
	s.writer = startWriter(s.writerConn, s.checkpointer, checkFile, opts.OnCommit)
	return nil
}

// openReaders opens all connections that read, because the file at the path may be replaced later.
func (s *Store) openReaders(ctx context.Context) error {
	for range readers {
		conn, err := s.readers.Take(ctx)
		if err != nil {
			return err
		}
		defer s.readers.Put(conn)
	}
	return nil
}

// closeFiles closes what open has opened. The writer's connection is the last one: closing it
// copies the log into the file.
func (s *Store) closeFiles() (err error) {
	if s.readers != nil {
		err = s.readers.Close()
	}
	for _, conn := range []*sqlite.Conn{s.checkpointConn, s.writerConn} {
		if conn != nil {
			err = errors.Join(err, conn.Close())
		}
	}
	if s.file != nil {
		err = errors.Join(err, s.file.close())
	}
	return err
}

// Close finishes the queued writes and closes the file. Later calls return an error.
func (s *Store) Close() error {
	if !s.writer.stop() {
		return nil // closed before
	}
	s.checkpointer.stop()
	return s.closeFiles()
}

// Ping returns an error unless the store can read and accepts writes, or after a call has failed
// because the file is damaged. It does not wait for other writes. A full or failing disk is not an
// error of Ping: reads still work.
func (s *Store) Ping(ctx context.Context) error {
	if s.Corrupt() {
		return errors.New("the file of the store is damaged")
	}
	if _, err := read(ctx, s, schemaVersion); err != nil {
		return err
	}
	return s.writer.check()
}

// Queued is the number of queued writes.
func (s *Store) Queued() int { return s.writer.queue.len() }

// Corrupt reports whether a call has failed because the file is damaged.
func (s *Store) Corrupt() bool { return s.corrupt.Load() }

// checkCorrupt remembers an error that tells of a damaged file.
func (s *Store) checkCorrupt(err error) {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultCorrupt, sqlite.ResultNotADB:
		s.corrupt.Store(true)
	}
}

// read runs fn on a connection that can only read.
func read[T any](ctx context.Context, s *Store, fn func(*sqlite.Conn) (T, error)) (T, error) {
	var zero T
	conn, err := s.readers.Take(ctx)
	if err != nil && ctx.Err() != nil {
		return zero, timeoutError(ctx)
	}
	if err != nil {
		return zero, err
	}
	defer s.readers.Put(conn)
	result, err := fn(conn)
	s.checkCorrupt(err)
	if sqlite.ErrCode(err) == sqlite.ResultInterrupt && ctx.Err() != nil {
		return zero, timeoutError(ctx)
	}
	return result, err
}

// readRows returns the rows of a query.
func readRows[T any](ctx context.Context, s *Store, scan func(*sqlite.Stmt) (T, error), query string, args ...any) ([]T, error) {
	return read(ctx, s, func(conn *sqlite.Conn) ([]T, error) { return queryRows(conn, scan, query, args...) })
}

// write runs fn in the writer's transaction and returns when it is durable. fn may run twice; see
// writer.run.
func write[T any](ctx context.Context, s *Store, tenant string, fn func(*tx) (T, error)) (T, error) {
	var result T
	err := s.writer.run(ctx, tenant, func(tx *tx) (err error) {
		result, err = fn(tx)
		return err
	})
	if err != nil {
		s.checkCorrupt(err)
		var zero T
		return zero, err // without reading result: fn may still be running
	}
	return result, nil
}

func (s *Store) queryAny(ctx context.Context, scan func(layout.Row) (any, error), query string, args ...any) ([]any, error) {
	return readRows(ctx, s, scanner(scan), query, args...)
}

// exec runs a statement in the writer's transaction and returns the number of rows that it wrote.
func (s *Store) exec(ctx context.Context, query string, args ...any) (rows int, err error) {
	return write(ctx, s, "", func(tx *tx) (int, error) {
		err := execSQL(tx.conn, query, args...)
		return tx.conn.Changes(), err
	})
}
