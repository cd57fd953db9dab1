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

// TestInterruptedCopyResumes kills a copy during the customers and another during the
// changes, and crashes PostgreSQL during the rest. No server may open an incomplete copy. The
// last run completes it.
func TestInterruptedCopyResumes(t *testing.T) {
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
		stop  func(*exec.Cmd) error
		want  string // start of standard error
		done  string // progress recorded in the database
	}{
		{"customers", kill, "", "0 customers, 0 changes"},
		{"changes", kill, "", "3500 customers, 0 changes"},
		{"idempotency_records", crash, "kartotek: the copy is not complete: run it again to resume: ", "3500 customers, 3500 changes"},
	} {
		release := lockTable(t, dsn, cut.table)
		cmd, stderr := command(t, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		awaitLockWait(t, dsn)
		if err := cut.stop(cmd); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil || !strings.HasPrefix(stderr.String(), cut.want) {
			t.Errorf("copy interrupted at %s: got %v and %q, want %q", cut.table, err, stderr, cut.want)
		}
		release()
		if cut.want != "" {
			if err := server.Up(); err != nil {
				t.Fatal(err)
			}
		}
		wantServeFails(t, target)
		if got := copyProgress(t, dsn); got != cut.done {
			t.Errorf("copy interrupted at %s: got progress %s, want %s", cut.table, got, cut.done)
		}
	}
	cmd, stderr := command(t, args...)
	if err := cmd.Run(); err != nil {
		t.Fatalf("the last copy: %v\n%s", err, stderr)
	}
	if want := "copied and verified: 3500 customers, 3500 changes, 0 idempotency records, 0 accounts, 0 keys, 1 secrets\n"; stderr.String() != want {
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
		t.Errorf("feed: got %d changes (%v), want the %d of the source", len(got), err, len(want))
	}
}

// command returns a command that runs the program.
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

// lockTable blocks writers to the table.
func lockTable(t *testing.T, dsn, table string) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE "+table+" IN SHARE MODE"); err != nil {
		t.Fatal(err)
	}
	return func() { _ = conn.Close(context.Background()) } // the server may be down
}

// awaitLockWait waits until a session waits for a table lock.
func awaitLockWait(t *testing.T, dsn string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	waiting := false
	for began := time.Now(); !waiting; time.Sleep(5 * time.Millisecond) {
		err := conn.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'relation' AND NOT granted)").Scan(&waiting)
		if err != nil || time.Since(began) > 20*time.Second {
			t.Fatalf("no session waits for a lock (%v)", err)
		}
	}
}

// copyProgress returns the progress that an incomplete copy recorded.
func copyProgress(t *testing.T, dsn string) (mark string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	err = conn.QueryRow(t.Context(), "SELECT customers || ' customers, ' || changes || ' changes' FROM copy_state").Scan(&mark)
	if err != nil {
		t.Error(err)
	}
	return mark
}

// wantServeFails checks that a server does not start on an incomplete copy.
func wantServeFails(t *testing.T, at location) {
	t.Helper()
	cmd, stderr := command(t, "serve", at.flag, "--listen", "127.0.0.1:0")
	timeout := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() }) // it may have exited
	defer timeout.Stop()
	err := cmd.Run()
	exit, exited := errors.AsType[*exec.ExitError](err)
	const want = "kartotek: open postgres: it contains a partial copy of another store: run kartotek copy again to complete it\n"
	if !exited || exit.ExitCode() != 1 || stderr.String() != want {
		t.Errorf("serve: got %v and %q, want status 1 and %q", err, stderr, want)
	}
}
