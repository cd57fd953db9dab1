package sqlite

import (
	"fmt"
	"sync/atomic"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// checkpointer moves the log's pages into the file beside the writer, on a
// connection of its own, so that nobody waits for it. Under constant writes it
// never catches up with the log's end, where alone the log can begin anew; when
// the log is long, the writer itself moves the little that is left.
type checkpointer struct {
	conn    *sqlite.Conn
	disk    *disk
	every   int           // checkpointRecords, or a test's
	longLog int           // longLog, or a test's
	written int           // records since the last pass was due; the writer's own
	wake    chan struct{} // has room for one
	long    atomic.Bool   // whether the log is to begin anew
	stopped chan struct{} // closed when the goroutine has ended
}

const (
	// checkpointRecords is how many records are written between two passes. Each
	// takes two or three pages; of those that many records share, fewer passes
	// would move fewer, and take longer.
	checkpointRecords = 2000

	// longLog is at how many pages the log begins anew: 32 MiB.
	longLog = 8192
)

// startCheckpointer starts the goroutine that moves pages. It ends when stop is
// called.
func startCheckpointer(conn *sqlite.Conn, disk *disk) *checkpointer {
	c := &checkpointer{
		conn:    conn,
		disk:    disk,
		every:   checkpointRecords,
		longLog: longLog,
		wake:    make(chan struct{}, 1),
		stopped: make(chan struct{}),
	}
	go c.loop()
	return c
}

// stop waits for a pass to end. The writer must have stopped before.
func (c *checkpointer) stop() {
	close(c.wake)
	<-c.stopped
}

func (c *checkpointer) loop() {
	defer close(c.stopped)
	for range c.wake {
		// A pass that fails leaves the log as it is, and the next one tries again.
		// When none succeeds the disk is in trouble, of which the writer tells.
		pages, err := checkpoint(c.conn, "PASSIVE")
		if err == nil && pages >= c.longLog && c.disk.wait() == nil {
			c.long.Store(true)
		}
	}
}

// follow is told by the writer of each commit, and how many records it wrote.
func (c *checkpointer) follow(writer *sqlite.Conn, records int) {
	if c.long.Swap(false) {
		// While readers need the old log it cannot begin anew. It then does after a
		// later pass.
		_, _ = checkpoint(writer, "RESTART") // as in loop
	}
	if c.written += records; c.written < c.every {
		return
	}
	select {
	case c.wake <- struct{}{}:
		c.written = 0
	default: // the last pass is still under way
	}
}

// checkpoint returns how many pages the log has.
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
