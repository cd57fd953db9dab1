package cli_test

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/store/pgtest"
)

// TestACopyThatIsCutOffIsFinishedByTheNext kills a copy at its customers, one at
// their history, and has PostgreSQL crash under one at the rest. No server opens what
// they leave. The one that is left alone makes the copy.
func TestACopyThatIsCutOffIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	file, n := manyLines(t)
	source := sqliteLocation(filepath.Join(t.TempDir(), "k.db"))
	runCommand(t, "", "customer", "import", source.flag, "--tenant", "t", file)
	server := pgtest.New(t)
	dsn := server.DSN("postgres")
	target := location{"--store=" + dsn, nil}
	runCommand(t, "", "migrate", target.flag)
	args := []string{"copy", "--from", strings.TrimPrefix(source.flag, "--store="), "--to", dsn}

	kill := func(cmd *exec.Cmd) error { return cmd.Process.Kill() }
	crash := func(*exec.Cmd) error { return server.Down("immediate") }
	for _, cut := range []struct {
		table string
		off   func(*exec.Cmd) error
		want  string // on standard error
		mark  string // how far it has come
	}{
		{"numbers", kill, "", "0 customers, 0 changes"},
		{"changes", kill, "", "3500 customers, 0 changes"},
		{"receipts", crash, "kartotek: the copy is not complete, and goes on when it is run again: ", "3500 customers, 3500 changes"},
	} {
		release := holdTable(t, dsn, cut.table)
		cmd, stderr := command(t, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		awaitWaiting(t, dsn)
		if err := cut.off(cmd); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil || !strings.HasPrefix(stderr.String(), cut.want) {
			t.Errorf("the copy that was cut off at %s: got %v and %q, want %q", cut.table, err, stderr, cut.want)
		}
		release()
		if cut.want != "" {
			if err := server.Up(); err != nil {
				t.Fatal(err)
			}
		}
		wantNotServed(t, target)
		if got := markOf(t, dsn); got != cut.mark {
			t.Errorf("the copy that was cut off at %s has come to %s, want %s", cut.table, got, cut.mark)
		}
	}
	cmd, stderr := command(t, args...)
	if err := cmd.Run(); err != nil {
		t.Fatalf("the last copy: %v\n%s", err, stderr)
	}
	if want := "copied and verified: 3500 customers, 3500 numbers, 3500 changes, 0 receipts, 0 accounts, 0 keys, 1 secrets\n"; stderr.String() != want {
		t.Errorf("got %q, want %q", stderr, want)
	}

	from, to := source.open(t), openPostgres(t, dsn)
	defer from.Close()
	defer to.Close()
	want, err := from.Feed(t.Context(), "t", 0, n+1)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := to.Feed(t.Context(), "t", 0, n+1); err != nil || len(got) != n || !reflect.DeepEqual(got, want) {
		t.Errorf("the feed has %d changes (%v), want the %d of the source", len(got), err, len(want))
	}
}

// command is the program, to be run.
func command(t *testing.T, args ...string) (cmd *exec.Cmd, stderr *strings.Builder) {
	t.Helper()
	program, err := exec.LookPath("kartotek")
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.CommandContext(t.Context(), program, args...)
	stderr = &strings.Builder{}
	cmd.Stderr = stderr
	return cmd, stderr
}

// holdTable has all who write to the table wait.
func holdTable(t *testing.T, dsn, table string) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE "+table+" IN SHARE MODE"); err != nil {
		t.Fatal(err)
	}
	return func() { _ = conn.Close(context.Background()) } // which may be dead
}

// awaitWaiting waits until someone waits for a table.
func awaitWaiting(t *testing.T, dsn string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	waits := false
	for began := time.Now(); !waits; time.Sleep(5 * time.Millisecond) {
		err := conn.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'relation' AND NOT granted)").Scan(&waits)
		if err != nil || time.Since(began) > 20*time.Second {
			t.Fatalf("nobody waits (%v)", err)
		}
	}
}

// markOf is how far the copy in a database has come.
func markOf(t *testing.T, dsn string) (mark string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	err = conn.QueryRow(t.Context(), "SELECT customers || ' customers, ' || changes || ' changes' FROM copying").Scan(&mark)
	if err != nil {
		t.Error(err)
	}
	return mark
}

// wantNotServed reports unless a server refuses to start.
func wantNotServed(t *testing.T, at location) {
	t.Helper()
	cmd, stderr := command(t, "serve", at.flag, "--listen", "127.0.0.1:0")
	overdue := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() }) // it may be gone
	defer overdue.Stop()
	err := cmd.Run()
	exit, ended := errors.AsType[*exec.ExitError](err)
	const want = "kartotek: open postgres: only a part of another store has been copied into it: run kartotek copy again, which goes on\n"
	if !ended || exit.ExitCode() != 1 || stderr.String() != want {
		t.Errorf("serve: got %v and %q, want status 1 and %q", err, stderr, want)
	}
}
