package sqlite

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
	"kartotek/internal/store/storetest"
)

// TestMain lets TestTwoProcessesLoseNothing start this program as the other one.
func TestMain(m *testing.M) {
	if path := os.Getenv("TEST_OTHER_PROCESS"); path != "" {
		os.Exit(otherProcess(path))
	}
	os.Exit(m.Run())
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t testing.TB, dir string) storetest.Store {
		s, err := Open(t.Context(), filepath.Join(dir, "test.db"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

// start opens a store in a file of its own and returns its path.
func start(t testing.TB, opts Options) (*Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	return open(t, path, opts), path
}

// open opens the store at path, also beside one that is open. It is closed with the
// test.
func open(t testing.TB, path string, opts Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// fill creates customers 1 to n of the tenant north.
func fill(t testing.TB, s *Store, n int) {
	t.Helper()
	entries := make([]customer.Upsert, n)
	for i := range entries {
		entries[i] = customer.Upsert{GeneratedID: id(i + 1), Edit: ada}
	}
	results, err := s.Upsert(t.Context(), "north", customer.ChangeMeta{Actor: "test", At: time.Now()}, entries)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

func id(n int) string { return fmt.Sprintf("018f3c5a-9b1e-7d3a-8c4b-%012x", n) }

func ada(c *customer.Customer) error {
	c.FirstName, c.LastName, c.Email = "0", "Lovelace", "ada@example.com"
	c.Phone, c.Mobile = "+32 2 123 45 67", "+32 470 12 34 56"
	c.Address = customer.Address{Line: "Rue de la Loi 16", PostalCode: "1000", City: "Brussel", Country: "BE"}
	c.Services.Grid, c.Services.Power = true, true
	return nil
}

// addOne increments the first name, which is a number.
func addOne(c *customer.Customer) error {
	n, err := strconv.Atoi(c.FirstName)
	c.FirstName = strconv.Itoa(n + 1)
	return err
}

// count increments customer 1 n times.
func count(t testing.TB, s *Store, n int) {
	for range n {
		if err := update(t, s, 1, addOne); err != nil {
			t.Errorf("revise: %v", err)
		}
	}
}

func update(t testing.TB, s *Store, number int32, edit customer.Edit) error {
	_, err := s.Update(t.Context(), customer.ByNumber("north", number), customer.ChangeMeta{Actor: "test", At: time.Now()}, edit, nil)
	return err
}

// wantCount checks that customer 1 was incremented n times.
func wantCount(t testing.TB, s *Store, n int) {
	t.Helper()
	c, err := s.Find(t.Context(), customer.ByNumber("north", 1))
	if err != nil || c.FirstName != strconv.Itoa(n) || c.Version != int64(n)+1 {
		t.Errorf("got count %s at version %d (%v), want %d at %d", c.FirstName, c.Version, err, n, n+1)
	}
}

// awaitVersion waits until the update of customer 1 by another process is visible, which the store
// promises within a second.
func awaitVersion(t testing.TB, s *Store, version int64) {
	t.Helper()
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if c, err := s.Find(t.Context(), customer.ByNumber("north", 1)); err == nil && c.Version == version {
			return
		}
	}
	t.Errorf("version %d does not show after a second", version)
}

func TestFilesAreReadableOnlyByOwner(t *testing.T) {
	s, path := start(t, Options{})
	fill(t, s, 1)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("test.db%s: got mode %v, want 0600", suffix, got)
		}
	}
}

func TestCloseLeavesOneFile(t *testing.T) {
	s, path := start(t, Options{})
	fill(t, s, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if names, err := filepath.Glob(path + "*"); err != nil || len(names) != 1 {
		t.Errorf("got files %v (%v), want the database alone", names, err)
	}
}

func TestOpenErrorNamesFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no such folder", "test.db")
	if _, err := Open(t.Context(), path, Options{}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want an error with the path", err)
	}
}

func TestConnectionSettings(t *testing.T) {
	s, _ := start(t, Options{})
	tests := []struct {
		name    string
		on      func(context.Context, *Store, func(*sqlite.Conn) (int64, error)) (int64, error)
		setting string
		want    int64
	}{
		{"a commit is on the disk", writerConn, "synchronous", 2},
		{"references are checked", writerConn, "foreign_keys", 1},
		{"the log is moved beside the writer", writerConn, "wal_autocheckpoint", 65536},
		{"the log is cut", writerConn, "journal_size_limit", 64 << 20},
		{"the writer waits by itself", writerConn, "busy_timeout", 0},
		{"the writer's memory is bounded", writerConn, "cache_size", -2000},
		{"readers only read", read[int64], "query_only", 1},
		{"readers wait", read[int64], "busy_timeout", 5000},
		{"the readers' memory is bounded", read[int64], "cache_size", -500},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.on(t.Context(), s, func(conn *sqlite.Conn) (int64, error) { return pragma(conn, tt.setting) })
			if err != nil || got != tt.want {
				t.Errorf("%s: got %d (%v), want %d", tt.setting, got, err, tt.want)
			}
		})
	}
}

// writerConn runs fn on the connection that writes.
func writerConn(ctx context.Context, s *Store, fn func(*sqlite.Conn) (int64, error)) (int64, error) {
	return write(ctx, s, "", func(tx *tx) (int64, error) { return fn(tx.conn) })
}

func pragma(conn *sqlite.Conn, setting string) (int64, error) {
	stmt, _, err := conn.PrepareTransient("PRAGMA " + setting)
	if err != nil {
		return 0, err
	}
	defer stmt.Finalize()
	return sqlitex.ResultInt64(stmt)
}

var parameter = regexp.MustCompile(`\?|\$[0-9]`)

func TestEveryStatementUsesAnIndex(t *testing.T) {
	s, _ := start(t, Options{})
	for _, query := range []string{
		selectByID, selectByNumber, updateAll.query, selectHighestNumber, selectNumbersFrom,
		layout.SelectAccount, layout.SelectAccounts, layout.RevokeAccount, layout.SelectKey, layout.SelectKeys, layout.RevokeKey,
		selectHistory, selectFeed, selectLastSeq, layout.SelectIdempotencyRecord, deleteExpiredRecords, layout.SelectSecret,
		selectTerms, deleteTerm, selectAfterNumber, selectNeverConfirmed, selectConfirmedBefore,
	} {
		plan, err := read(t.Context(), s, func(conn *sqlite.Conn) (plan []string, err error) {
			err = sqlitex.ExecuteTransient(conn, "EXPLAIN QUERY PLAN "+parameter.ReplaceAllString(query, "1"),
				&sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
					plan = append(plan, stmt.ColumnText(3))
					return nil
				}})
			return plan, err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range plan {
			byIndex := strings.HasPrefix(step, "SEARCH") && (strings.Contains(step, "INDEX") || strings.Contains(step, "PRIMARY KEY") ||
				query == selectLastSeq) // which is the end of the table
			walk := slices.Contains([]string{"CO-ROUTINE chain", "SETUP", "RECURSIVE STEP", "SCAN chain"}, step) // of one customer's changes
			if !byIndex && !walk && !strings.Contains(step, "SUBQUERY") {
				t.Errorf("%s: got plan %q, want searches by index alone", query, plan)
			}
		}
	}
}

func TestPingNeedsReaderAndWriter(t *testing.T) {
	s, _ := start(t, Options{})
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("open store: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err == nil {
		t.Error("closed store: got no error")
	}
}

func TestLogStaysBounded(t *testing.T) {
	s, path := start(t, Options{})
	fill(t, s, 200)
	const pages = 100 // instead of 8,192, so that the test is quick
	if err := s.writer.run(t.Context(), "north", func(*tx) error {
		s.checkpointer.every, s.checkpointer.restartPages = 20, pages
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for reader := range readers {
		wg.Go(func() {
			for i := range 3000 {
				if _, err := s.Find(t.Context(), customer.ByID("north", id((i+reader)%200+1))); err != nil {
					t.Errorf("find: %v", err)
				}
			}
		})
	}
	for range readers {
		wg.Go(func() { count(t, s, 500) })
	}
	wg.Wait()
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if got, limit := info.Size()/4096, int64(20*pages); got > limit {
		t.Errorf("the log has %d pages, want at most %d", got, limit)
	}
}

func TestTwoStoresOnOneFileLoseNothing(t *testing.T) {
	first, path := start(t, Options{})
	fill(t, first, 1)
	second := open(t, path, Options{})
	var wg sync.WaitGroup
	for _, s := range []*Store{first, second} {
		for range 4 {
			wg.Go(func() { count(t, s, 50) })
		}
	}
	wg.Wait()
	awaitVersion(t, first, 1+2*4*50)
	awaitVersion(t, second, 1+2*4*50)
	wantCount(t, first, 2*4*50)
	wantCount(t, second, 2*4*50)
}

const otherWrites = 200

func TestTwoProcessesLoseNothing(t *testing.T) {
	s, path := start(t, Options{})
	fill(t, s, 1)
	other := exec.Command(os.Args[0])
	other.Env = append(os.Environ(), "TEST_OTHER_PROCESS="+path)
	other.Stderr = os.Stderr
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { count(t, s, 100) })
	}
	wg.Wait()
	if err := other.Wait(); err != nil {
		t.Errorf("the other process: %v", err)
	}
	awaitVersion(t, s, 1+otherWrites+4*100)
	wantCount(t, s, otherWrites+4*100)
}

func otherProcess(path string) int {
	ctx := context.Background()
	s, err := Open(ctx, path, Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for range otherWrites {
		by := customer.ChangeMeta{Actor: "other", At: time.Now()}
		if _, err := s.Update(ctx, customer.ByNumber("north", 1), by, addOne, nil); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	if err := s.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestSearchForFreeNumberContinues checks that a search starts where the last one ended: from the
// start, it would take seconds with millions of customers.
func TestSearchForFreeNumberContinues(t *testing.T) {
	s, _ := start(t, Options{})
	fill(t, s, 3)
	by := customer.ChangeMeta{Actor: "test", At: time.Now()}
	for i, tt := range []struct{ number, want, lowestFree int32 }{{math.MaxInt32, math.MaxInt32, 0}, {0, 4, 4}, {0, 5, 5}} {
		ch, err := s.Create(t.Context(), "north", by, customer.Upsert{ID: id(10 + i), Number: tt.number, Edit: ada}, nil)
		if err != nil || ch.After.Number != tt.want {
			t.Fatalf("got number %d (%v), want %d", ch.After.Number, err, tt.want)
		}
		if err := s.writer.run(t.Context(), "north", func(tx *tx) error {
			if got := tx.lowestFree["north"]; got != tt.lowestFree {
				t.Errorf("after number %d: got %d as the lowest free number, want %d", tt.want, got, tt.lowestFree)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}
