package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kartotek/internal/customer"
	"kartotek/internal/store/pgtest"
	"kartotek/internal/store/postgres"
	"kartotek/internal/store/sqlite"
	"kartotek/internal/store/storetest"
	"kartotek/internal/store/transfer"
)

// batchRows is small, so that the copy has many batches.
const batchRows = 7

func TestCopyEqualsSource(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]string{
		"Plain":        "",
		"Serializable": "&default_transaction_isolation=serializable",
		"Pooled":       "&default_query_exec_mode=exec", // without prepared statements
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testCopy(t, filledFile(t), newDatabase(t)+settings)
		})
	}
}

func testCopy(t *testing.T, file, dsn string) {
	t.Helper()
	var steps []string
	counts, err := copyOnce(t, file, dsn, nil, func(step string, part float64) {
		if part == 0 {
			steps = append(steps, step)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []transfer.Count{
		{Table: "customers", Rows: people + 4},
		{Table: "changes", Rows: 2*people + 4},
		{Table: "idempotency records", Rows: 3},
		{Table: "accounts", Rows: 4},
		{Table: "keys", Rows: 3},
		{Table: "secrets", Rows: 1},
	}
	if !slices.Equal(counts, want) {
		t.Errorf("got %v, want %v", counts, want)
	}
	if want := []string{"copying", "indexing", "verifying"}; !slices.Equal(steps, want) {
		t.Errorf("steps: got %v, want %v", steps, want)
	}
	wantEqualStores(t, file, dsn)
	wantSameIndexes(t, dsn, newDatabase(t))
}

// Each run fails one step later than the one before: either the step does not reach the database, or
// its response is lost.
func TestInterruptedCopyResumes(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]struct{ done bool }{"StepIsLost": {false}, "ResponseIsLost": {true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, dsn := filledFile(t), newDatabase(t)
			runs := 0
			for {
				runs++
				steps := runs
				_, err := copyOnce(t, file, dsn, func(step string, do func() error) error {
					if steps--; steps > 0 || step == "Complete" && lost.done {
						return do()
					}
					if lost.done {
						if err := do(); err != nil {
							return err
						}
					}
					return errLost
				}, ignore)
				if err == nil {
					break
				}
				if !errors.Is(err, errLost) {
					t.Fatalf("run %d: got %v, want %v", runs, err, errLost)
				}
				wantRefused(t, dsn)
			}
			t.Logf("%d runs", runs)
			if runs < 5 {
				t.Errorf("the copy was made in %d runs", runs)
			}
			wantEqualStores(t, file, dsn)
			wantSameIndexes(t, dsn, newDatabase(t))
		})
	}
}

var errLost = errors.New("connection lost")

// All runs fail: the even ones because the source is written to, the odd ones by a lost connection.
func TestCopyCatchesUpWithSource(t *testing.T) {
	t.Parallel()
	file, dsn := filledFile(t), newDatabase(t)
	source := openFile(t, file)
	for run := range 12 {
		steps := 0
		_, err := copyOnce(t, file, dsn, func(step string, do func() error) error {
			steps++
			if steps == 1+run%4 {
				writeMore(t, source, run)
			}
			if steps == 3+run%4 && run%2 == 1 {
				return errLost
			}
			return do()
		}, ignore)
		if want := [...]error{transfer.ErrSourceChanged, errLost}[run%2]; !errors.Is(err, want) {
			t.Fatalf("run %d: got %v, want %v", run, err, want)
		}
		wantRefused(t, dsn)
	}
	if err := source.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := copyOnce(t, file, dsn, nil, ignore); err != nil {
		t.Fatal(err)
	}
	wantEqualStores(t, file, dsn)
}

func TestCopyFailsWhenSourceChangesDuringVerification(t *testing.T) {
	t.Parallel()
	file, dsn := filledFile(t), newDatabase(t)
	source := openFile(t, file)
	defer func() { check(t, source.Close()) }()
	_, err := copyOnce(t, file, dsn, nil, func(step string, part float64) {
		if step == "verifying" && part == 0 {
			writeMore(t, source, 1)
		}
	})
	if !errors.Is(err, transfer.ErrSourceChanged) {
		t.Errorf("got %v, want %v", err, transfer.ErrSourceChanged)
	}
	wantRefused(t, dsn)
}

func TestVerificationFindsDifferences(t *testing.T) {
	t.Parallel()
	file := filledFile(t)
	for name, tt := range map[string]struct{ tamper, want string }{
		"a customer's field":        {"UPDATE customers SET locale = 'nl-BE' WHERE tenant = 'north' AND number = 3", "customers (44 rows, in the source 44)"},
		"a customer's time":         {"UPDATE customers SET updated_at = updated_at + 1 WHERE tenant = 'north' AND number = 3", "customers ("},
		"a missing customer":        {"DELETE FROM customers WHERE tenant = 'north' AND number = 3", "customers (43 rows, in the source 44)"},
		"a value in another column": {"UPDATE customers SET (national_id, organisation_number) = (organisation_number, national_id) WHERE tenant = 'north' AND number = 3", "customers ("},
		"a number":                  {"UPDATE customers SET number = 9000 WHERE tenant = 'north' AND number = 3", "customers ("},
		"a number's tenant":         {"UPDATE customers SET tenant = 'elsewhere' WHERE tenant = 'north' AND number = 3", "customers ("},
		"a change's fields":         {"UPDATE changes SET fields = '{}' WHERE tenant = 'north' AND number = 3 AND version = 2", "changes ("},
		"a change's seq":            {"UPDATE changes SET seq = seq + 1000 WHERE tenant = 'north' AND number = 3 AND version = 2", "changes ("},
		"a missing change":          {"DELETE FROM changes WHERE tenant = 'south'", "changes ("},
		"an idempotency record":     {"UPDATE idempotency_records SET response = 'x'", "idempotency records ("},
		"an account":                {"UPDATE accounts SET customers = NULL", "accounts ("},
		"a revoked key":             {"UPDATE keys SET revoked_at = NULL", "keys ("},
		"a secret":                  {"UPDATE secrets SET secret = 'x'", "secrets ("},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := newDatabase(t)
			_, err := copyOnce(t, file, dsn, func(step string, do func() error) error {
				if step == "Index" {
					execute(t, dsn, tt.tamper)
				}
				return do()
			}, ignore)
			if !errors.Is(err, transfer.ErrDiffers) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error about %s", err, tt.want)
			}
			wantRefused(t, dsn)
		})
	}
}

func TestCopyIntoNonEmptyDatabaseChangesNothing(t *testing.T) {
	t.Parallel()
	file := filledFile(t)
	for name, fill := range map[string]func(*testing.T, storetest.Store){
		"a customer": func(t *testing.T, s storetest.Store) { createOne(t, s, "north") },
		"an account": func(t *testing.T, s storetest.Store) { check(t, s.AddAccount(t.Context(), accounts()[0])) },
		"a key":      func(t *testing.T, s storetest.Store) { check(t, s.AddKey(t.Context(), keys()[0])) },
		"an idempotency record": func(t *testing.T, s storetest.Store) {
			check(t, s.SaveResponse(t.Context(), idempotencyRecord("north", "r-9")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := newDatabase(t)
			store := openDatabase(t, dsn)
			fill(t, store)
			before := dump(t, store)
			check(t, store.Close())
			if _, err := copyOnce(t, file, dsn, nil, ignore); err == nil || !strings.Contains(err.Error(), "is not empty") {
				t.Errorf("got %v, want an error: the database is not empty", err)
			}
			store = openDatabase(t, dsn)
			if after := dump(t, store); after != before {
				t.Errorf("got %s, want %s", after, before)
			}
			check(t, store.Close())
			wantSameIndexes(t, dsn, newDatabase(t))
		})
	}
}

func TestCopyOfAnotherSourceIsNotResumed(t *testing.T) {
	t.Parallel()
	first, second, dsn := filledFile(t), filledFile(t), newDatabase(t)
	lose := func(step string, do func() error) error {
		if step == "Index" {
			return errLost
		}
		return do()
	}
	if _, err := copyOnce(t, first, dsn, lose, ignore); !errors.Is(err, errLost) {
		t.Fatal(err)
	}
	if _, err := copyOnce(t, second, dsn, nil, ignore); err == nil || !strings.Contains(err.Error(), "another source") {
		t.Errorf("got %v, want an error: a part of another source has been copied", err)
	}
	if _, err := copyOnce(t, first, dsn, nil, ignore); err != nil {
		t.Error(err)
	}
	wantEqualStores(t, first, dsn)
	if _, err := copyOnce(t, first, dsn, nil, ignore); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("a second copy: got %v, want an error: the database is not empty", err)
	}
}

// A whole copy runs between two steps of another one.
func TestOnlyOneOfTwoConcurrentCopiesSucceeds(t *testing.T) {
	t.Parallel()
	file, dsn := filledFile(t), newDatabase(t)
	steps := 0
	_, err := copyOnce(t, file, dsn, func(step string, do func() error) error {
		if steps++; steps == 3 {
			if _, err := copyOnce(t, file, dsn, nil, ignore); err != nil {
				t.Error(err)
			}
		}
		return do()
	}, ignore)
	if err == nil || !strings.Contains(err.Error(), "another copy") {
		t.Errorf("got %v, want an error: another copy is running", err)
	}
	wantEqualStores(t, file, dsn)
}

func TestCopyFailsWhileServerHasDatabaseOpen(t *testing.T) {
	t.Parallel()
	file, dsn := filledFile(t), newDatabase(t)
	server := openDatabase(t, dsn)
	if _, err := copyOnce(t, file, dsn, nil, ignore); err == nil || !strings.Contains(err.Error(), "has the database open") {
		t.Errorf("got %v, want an error: a server has the database open", err)
	}
	createOne(t, server, "north")
	check(t, server.Close())
	check(t, openDatabase(t, dsn).Close())
}

func TestCopyOfOlderSourceIsNotResumed(t *testing.T) {
	t.Parallel()
	file, dsn := filledFile(t), newDatabase(t)
	old := filepath.Join(t.TempDir(), "old.db")
	vacuumInto(t, file, old)
	source := openFile(t, file)
	writeMore(t, source, 1)
	check(t, source.Close())
	_, err := copyOnce(t, file, dsn, func(string, func() error) error { return errLost }, ignore)
	if !errors.Is(err, errLost) {
		t.Fatal(err)
	}
	if _, err := copyOnce(t, old, dsn, nil, ignore); err == nil || !strings.Contains(err.Error(), "older") {
		t.Errorf("got %v, want an error: the source is older", err)
	}
}

func TestWritesAfterCopyContinueNumbersAndFeed(t *testing.T) {
	t.Parallel()
	file, dsn := filledFile(t), newDatabase(t)
	source := openFile(t, file)
	last := feed(t, source, "north")
	next := createOne(t, source, "south").Number
	check(t, source.Close())
	if _, err := copyOnce(t, file, dsn, nil, ignore); err != nil {
		t.Fatal(err)
	}
	copied := openDatabase(t, dsn)
	defer copied.Close()
	for _, n := range []int32{next + 1, next + 2} {
		if c := createOne(t, copied, "south"); c.Number != n {
			t.Errorf("a customer after the copy got number %d, want %d", c.Number, n)
		}
	}
	made := createOne(t, copied, "north")
	var after []customer.ChangeRecord
	var err error
	for began := time.Now(); err == nil && len(after) == 0 && time.Since(began) < 20*time.Second; { // other tests delay the feed
		after, err = copied.Feed(t.Context(), "north", last[len(last)-1].Seq, 10)
	}
	if err != nil || len(after) != 1 || after[0].CustomerID != made.ID {
		t.Errorf("the feed continues with %v (%v), want the creation of customer %d", after, err, made.Number)
	}
}

func TestOpenSnapshotRequiresCompleteStore(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none.db")
	if s, err := sqlite.OpenSnapshot(t.Context(), none); err == nil {
		t.Errorf("a missing file: got %v, want an error", s.ID())
	}
	if found, err := filepath.Glob(none + "*"); err != nil || len(found) > 0 {
		t.Errorf("got files %v (%v), want none", found, err)
	}
	old := filledFile(t)
	executeInFile(t, old, "PRAGMA user_version = 0")
	if s, err := sqlite.OpenSnapshot(t.Context(), old); err == nil || !strings.Contains(err.Error(), "has schema 0") {
		t.Errorf("a file with an older schema: got %v (%v), want an error", s, err)
	}
}

// copyOnce runs a copy and calls intercept for each write, unless it is nil.
func copyOnce(t *testing.T, file, dsn string, intercept func(step string, do func() error) error, progress func(string, float64)) ([]transfer.Count, error) {
	t.Helper()
	from, err := sqlite.OpenSnapshot(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { check(t, from.Close()) }()
	to, err := postgres.OpenCopy(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	var target transfer.Target = to
	if intercept != nil {
		target = interceptedTarget{to, intercept}
	}
	return transfer.RunInBatches(t.Context(), from, target, progress, batchRows)
}

func ignore(string, float64) {}

// interceptedTarget is a target whose writes a test can observe and fail.
type interceptedTarget struct {
	transfer.Target
	intercept func(step string, do func() error) error
}

func (t interceptedTarget) Put(ctx context.Context, b transfer.Batch) error {
	return t.intercept("Put", func() error { return t.Target.Put(ctx, b) })
}

func (t interceptedTarget) ReplaceSmallTables(ctx context.Context, from transfer.Dump) error {
	return t.intercept("ReplaceSmallTables", func() error { return t.Target.ReplaceSmallTables(ctx, from) })
}

func (t interceptedTarget) Index(ctx context.Context) error {
	return t.intercept("Index", func() error { return t.Target.Index(ctx) })
}

func (t interceptedTarget) Complete(ctx context.Context) error {
	return t.intercept("Complete", func() error { return t.Target.Complete(ctx) })
}

func newDatabase(t *testing.T) (dsn string) {
	t.Helper()
	return pgtest.Shared(t).Database(t, t.TempDir(), func(dsn string) (io.Closer, error) {
		return postgres.Open(t.Context(), dsn, postgres.Options{})
	})
}

func openDatabase(t *testing.T, dsn string) storetest.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), dsn, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openFile(t *testing.T, file string) storetest.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), file, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantRefused checks that the database cannot be opened as a store.
func wantRefused(t *testing.T, dsn string) {
	t.Helper()
	s, err := postgres.Open(t.Context(), dsn, postgres.Options{})
	if err == nil {
		check(t, s.Close())
	}
	if err == nil || !strings.Contains(err.Error(), "it contains a partial copy of another store") {
		t.Errorf("open an incomplete copy: got %v, want an error", err)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// feed returns all changes of a tenant.
func feed(t *testing.T, s storetest.Store, tenant string) []customer.ChangeRecord {
	t.Helper()
	list, err := s.Feed(t.Context(), tenant, 0, 1<<20)
	check(t, err)
	return list
}

func id(n int) string { return fmt.Sprintf("018f3c5a-9b1e-7d3a-8c4b-%012x", n) }
