package sqlite

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/fault"
)

// TestFullDiskRejectsWritesAndKeepsData lets the file not grow.
func TestFullDiskRejectsWritesAndKeepsData(t *testing.T) {
	s, _ := start(t, Options{})
	fill(t, s, 1)
	setMax := func(pages string) {
		t.Helper()
		if err := s.writer.run(t.Context(), "north", func(tx *tx) error {
			return sqlitex.ExecuteTransient(tx.conn, "PRAGMA max_page_count = "+pages, nil)
		}); err != nil {
			t.Fatal(err)
		}
	}
	setMax("1") // SQLite makes it what the file has now
	var err error
	done := 0
	for ; err == nil && done < 1000; done++ {
		err = update(t, s, 1, addOne)
	}
	if !fault.Is(err, fault.StorageFull) || sqlite.ErrCode(err) != sqlite.ResultFull {
		t.Fatalf("got %v after %d writes, want storage-full with SQLite's reason", err, done)
	}
	wantCount(t, s, done-1)

	release := block(t, s)
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() {
			if err := update(t, s, 1, addOne); !fault.Is(err, fault.StorageFull) {
				t.Errorf("one of a group: got %v, want storage-full", err)
			}
		})
	}
	waitQueued(t, s, 5)
	if err := s.Ping(t.Context()); err != nil { // without waiting for the queued writes
		t.Errorf("ping: got %v, want none", err)
	}
	release()
	group.Wait()
	wantCount(t, s, done-1)

	setMax("1000000")
	count(t, s, 1)
	wantCount(t, s, done)
}

// TestDiskErrorsBecomeFaults distinguishes errors after which nothing was written.
func TestDiskErrorsBecomeFaults(t *testing.T) {
	tests := map[sqlite.ResultCode]fault.Kind{
		sqlite.ResultFull:             fault.StorageFull,
		sqlite.ResultIOErrSHMSize:     fault.Unavailable,
		sqlite.ResultIOErrWrite:       fault.Unavailable,
		sqlite.ResultIOErrFsync:       fault.Unavailable,
		sqlite.ResultReadOnly:         fault.Unavailable,
		sqlite.ResultReadOnlyRecovery: fault.Unavailable,
		sqlite.ResultCantOpen:         fault.Unavailable,
		sqlite.ResultCorrupt:          fault.Internal,
		sqlite.ResultConstraintUnique: fault.Internal,
	}
	for code, want := range tests {
		err := wrapDiskError(fmt.Errorf("commit: %w", code.ToError()))
		if got := fault.From(err).Kind; got != want || sqlite.ErrCode(err) != code {
			t.Errorf("%v: got %s with %v, want %s with the code", code, got, sqlite.ErrCode(err), want)
		}
	}
}

// TestHungWriteTimesOutOthers blocks one write, as a hung fsync does.
func TestHungWriteTimesOutOthers(t *testing.T) {
	s, _ := start(t, Options{})
	fill(t, s, 1)
	s.writer.timeout = 500 * time.Millisecond
	release := block(t, s)
	const queued = 20
	var waiting sync.WaitGroup
	for range queued {
		waiting.Go(func() {
			began := time.Now()
			if err := update(t, s, 1, addOne); !fault.Is(err, fault.Unavailable) {
				t.Errorf("got %v, want unavailable", err)
			}
			if took := time.Since(began); took < s.writer.timeout {
				t.Errorf("a caller gave up after %v, want %v", took, s.writer.timeout)
			}
		})
	}
	waitQueued(t, s, queued)
	waiting.Wait()

	if err := update(t, s, 1, addOne); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a late caller: got %v, want unavailable", err)
	}
	if got := s.Queued(); got != queued {
		t.Errorf("queued: got %d, want %d: further writes are rejected", got, queued)
	}
	if err := s.Ping(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("ping: got %v, want unavailable", err)
	}
	wantCount(t, s, 0) // is read meanwhile

	release()
	waitQueued(t, s, 0)
	waitReady(t, s)
	wantCount(t, s, 0) // nothing of those who left
	count(t, s, 1)
	wantCount(t, s, 1)
}

// waitReady returns when the writer accepts writes again.
func waitReady(t *testing.T, s *Store) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); s.Ping(t.Context()) != nil; {
		if time.Now().After(deadline) {
			t.Fatal("the writer does not answer again")
		}
		time.Sleep(time.Millisecond)
	}
}

// lock takes the write lock of the file, as another process would.
func lock(t *testing.T, path string) (unlock func()) {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := execSQL(conn, "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := execSQL(conn, "ROLLBACK"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLockOfAnotherProcessReturnsUnavailable(t *testing.T) {
	s, path := start(t, Options{})
	fill(t, s, 1)
	s.writer.timeout = 50 * time.Millisecond
	unlock := lock(t, path)
	for range 3 { // the first waits, and the others are not let in
		if err := update(t, s, 1, addOne); !fault.Is(err, fault.Unavailable) {
			t.Errorf("got %v, want unavailable", err)
		}
	}
	if got := s.Queued(); got != 0 {
		t.Errorf("queued: got %d, want none", got)
	}
	unlock()
	waitReady(t, s)
	count(t, s, 1)
	wantCount(t, s, 1)
}

func TestCloseDoesNotWaitForLockOfAnotherProcess(t *testing.T) {
	s, path := start(t, Options{})
	fill(t, s, 1)
	s.writer.timeout = 50 * time.Millisecond
	unlock := lock(t, path)
	defer unlock()
	if err := update(t, s, 1, addOne); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want unavailable", err)
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Errorf("close: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the store does not close")
	}
}

// TestCommitsSurviveFailedCheckpoint lets no file grow, so that what the log holds
// cannot be moved into the database. The limit is the whole process's, so the test
// runs itself in another.
func TestCommitsSurviveFailedCheckpoint(t *testing.T) {
	if os.Getenv("TEST_LIMITS_ITSELF") == "" {
		again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		again.Env = append(os.Environ(), "TEST_LIMITS_ITSELF=1")
		if out, err := again.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ) // so that a write fails, and not the process
	s, path := start(t, Options{})
	fill(t, s, 100)
	cutLog(t, path)
	if err := s.writer.run(t.Context(), "north", func(tx *tx) error {
		_, err := pragma(tx.conn, "wal_autocheckpoint = 4") // so that the writer does it, with its commits
		return err
	}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	unlimited := limitFiles(t, uint64(info.Size()))

	done := 0
	for ; err == nil && done < 1000; done++ {
		err = update(t, s, 1, addOne)
	}
	if !fault.Is(err, fault.Unavailable) || sqlite.ErrCode(err) != sqlite.ResultIOErrWrite {
		t.Fatalf("got %v after %d writes, want unavailable with SQLite's reason", err, done)
	}
	done--
	if done < 5 {
		t.Errorf("got %d commits, want them to go on without a checkpoint", done)
	}
	wantCount(t, s, done)
	if _, err := checkpoint(s.checkpointConn, "PASSIVE"); sqlite.ErrCode(err) != sqlite.ResultIOErrWrite {
		t.Errorf("a checkpoint: got %v, want SQLite's reason", err)
	}

	unlimited()
	count(t, s, 5)
	wantCount(t, s, done+5)
	cutLog(t, path)
}

// cutLog copies all of the log into the file.
func cutLog(t *testing.T, path string) {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		pages, err := checkpoint(conn, "TRUNCATE")
		if err == nil && pages == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("got %d pages left in the log (%v), want none", pages, err)
		}
	}
}

// limitFiles limits the size of all files of this process.
func limitFiles(t *testing.T, bytes uint64) (unlimited func()) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	set := func(limit uint64) {
		t.Helper()
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: before.Max}); err != nil {
			t.Fatal(err)
		}
	}
	set(bytes)
	return func() { set(before.Cur) }
}
