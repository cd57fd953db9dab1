package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"zombiezen.com/go/sqlite"
)

// createFile creates an empty file that only its owner can read, because it will hold personal
// data. SQLite gives its log and its lock file the same mode. It does not open a file that exists:
// closing it would drop the locks that this process holds on it.
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// openTimeout is how long Open waits for another process to release the file.
const openTimeout = 10 * time.Second

// openWriter opens the connection that writes, and migrates the file to the newest schema.
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
	conn.SetBusyTimeout(0) // retryBusy waits instead
	if err := retryBusy(openTimeout, func() error { return migrate(ctx, conn) }); err != nil {
		return err
	}
	if err := checkWritable(conn); err != nil {
		return err
	}
	return setPragmas(conn,
		"synchronous = FULL", // a commit is on the disk when it returns
		"foreign_keys = ON",
		"cache_size = -2000", // KiB
		// The checkpointer copies the log into the file. If it falls behind, the writer does so
		// itself before the log has 256 MiB.
		"wal_autocheckpoint = 65536",
		"journal_size_limit = 67108864", // a log that a slow reader made longer is cut to this size
	)
}

// checkWritable returns an error for a file that can only be read, which SQLite opens all the same.
// A lock that another process holds proves that the file can be written.
func checkWritable(conn *sqlite.Conn) error {
	err := execSQL(conn, deleteNothing)
	if err != nil && !isBusy(err) {
		return fmt.Errorf("check that the file is writable: %w", err)
	}
	return nil
}

// deleteNothing needs write permission. (BEGIN IMMEDIATE does not.)
const deleteNothing = `
	DELETE FROM idempotency_records
	WHERE FALSE`

// prepareReader makes a connection read only. It is opened for writing because a reader writes to
// the lock file.
func prepareReader(conn *sqlite.Conn) error {
	conn.SetBusyTimeout(5 * time.Second) // while another process recovers the log
	// The page cache, in KiB, has room for the inner pages of the indexes. The rest is in the cache of
	// the operating system.
	return setPragmas(conn, "query_only = ON", "cache_size = -500")
}
