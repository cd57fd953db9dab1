package sqlite

import (
	"fmt"
	"sync/atomic"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// checkpointer copies pages from the write-ahead log into the file in the background, on a
// connection of its own. Under constant writes it never reaches the end of the log, which is where
// the log can restart; when the log is long, the writer itself copies the few pages that are left.
type checkpointer struct {
	conn         *sqlite.Conn
	file         *syncFile
	every        int // changes between two passes
	restartPages int // log length at which the log restarts

	changes    int // since the last pass was requested; only the writer uses it
	wake       chan struct{}
	restartDue atomic.Bool
	stopped    chan struct{} // closed when the goroutine has ended
}

const (
	// checkpointEvery is the number of changes between two passes. A change writes two or three
	// pages. Many changes share pages, so fewer passes copy fewer pages, but take longer.
	checkpointEvery = 2000

	// restartPages is 32 MiB.
	restartPages = 8192
)

// startCheckpointer starts the goroutine. It ends when stop is called.
func startCheckpointer(conn *sqlite.Conn, file *syncFile) *checkpointer {
	c := &checkpointer{
		conn:         conn,
		file:         file,
		every:        checkpointEvery,
		restartPages: restartPages,
		wake:         make(chan struct{}, 1),
		stopped:      make(chan struct{}),
	}
	go c.loop()
	return c
}

// stop waits for the pass in progress. The writer must have stopped before.
func (c *checkpointer) stop() {
	close(c.wake)
	<-c.stopped
}

func (c *checkpointer) loop() {
	defer close(c.stopped)
	for range c.wake {
		// A pass that fails leaves the log as it is, and the next one tries again. If all fail,
		// so do the writes, and these report it.
		pages, err := checkpoint(c.conn, "PASSIVE")
		if err == nil && pages >= c.restartPages && c.file.sync() == nil {
			c.restartDue.Store(true)
		}
	}
}

// afterCommit counts the changes of a commit, and restarts the log or requests a pass when it is
// time.
func (c *checkpointer) afterCommit(writer *sqlite.Conn, changes int) {
	if c.restartDue.Swap(false) {
		// The log cannot restart while readers need it; a later pass tries again.
		_, _ = checkpoint(writer, "RESTART")
	}
	if c.changes += changes; c.changes < c.every {
		return
	}
	select {
	case c.wake <- struct{}{}:
		c.changes = 0
	default: // the last pass is still running
	}
}

// checkpoint returns the length of the log in pages.
func checkpoint(conn *sqlite.Conn, mode string) (pages int, err error) {
	err = sqlitex.Execute(conn, "PRAGMA wal_checkpoint("+mode+")", &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error {
			pages = stmt.ColumnInt(1)
			return nil
		},
	})
	if err != nil {
		return 0, fmt.Errorf("checkpoint: %w", err)
	}
	return pages, nil
}
