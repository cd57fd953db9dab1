package cli_test

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

const (
	crashCustomers = 20
	crashWriters   = 16
	crashRounds    = 3
)

// TestKillLosesNothingAcknowledged kills the server in the middle of a load of
// PATCHes, again and again on one file. Each writer sends phone numbers that
// nobody sends twice, so a change can be told from any other.
func TestKillLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "k.db")
	store := "--store=sqlite:" + file
	var lines strings.Builder
	for n := 1; n <= crashCustomers; n++ {
		fmt.Fprintf(&lines, "{\"number\":%d,\"lastName\":\"N\"}\n", n)
	}
	runCommand(t, lines.String(), "customer", "import", store, "--tenant", "t", "-")
	runCommand(t, "sommerregn\n", "account", "create", store, "--tenant", "t", "--login", "service", "--all")

	acknowledged := map[string]int{} // phone → customer
	for round := range crashRounds {
		load(t, store, round, acknowledged)
	}
	if len(acknowledged) == 0 {
		t.Fatal("no PATCH was acknowledged before the server was killed")
	}
	t.Logf("%d PATCHes were acknowledged", len(acknowledged))
	inspect(t, file, acknowledged)
}

// load starts the server, sends PATCHes, and kills it under them.
func load(t *testing.T, store string, round int, acknowledged map[string]int) {
	t.Helper()
	url, kill := startServer(t, store)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: crashWriters}}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var writers sync.WaitGroup
	for w := range crashWriters {
		writers.Go(func() {
			for n := 0; ; n++ {
				number := 1 + (w+n)%crashCustomers
				phone := fmt.Sprintf("1%d%02d%06d", round, w, n)
				if !patchPhone(t, client, url, number, phone) {
					return // the server is gone
				}
				mu.Lock()
				acknowledged[phone] = number
				mu.Unlock()
			}
		})
	}
	time.Sleep(700 * time.Millisecond)
	kill()
	writers.Wait()
}

// startServer starts a server, which kill ends without a warning.
func startServer(t testing.TB, store string) (url string, kill func()) {
	t.Helper()
	program, err := exec.LookPath("kartotek")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "serve", store, "--listen", "127.0.0.1:0", "--rate", "0")
	url, err = startListening(cmd)
	if err != nil {
		t.Fatal(err)
	}
	return url, func() {
		t.Helper()
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
	}
}

// patchPhone reports whether the PATCH was acknowledged. An answer other than
// 200 is a failure of the test; none at all is the end of the server.
func patchPhone(t testing.TB, client *http.Client, url string, number int, phone string) bool {
	body := strings.NewReader(`{"PhoneNumber":"` + phone + `"}`)
	req, err := http.NewRequest(http.MethodPatch, fmt.Sprintf("%s/api/customers/%d", url, number), body)
	if err != nil {
		t.Error(err)
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth("service", "sommerregn")
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return false
	}
	if resp.StatusCode != http.StatusOK {
		t.Errorf("PATCH of %d: got %s", number, resp.Status)
		return false
	}
	return true
}

// inspect holds the file to what was acknowledged: it is sound, each change is
// there exactly once, and every record is where its changes lead.
func inspect(t *testing.T, file string, acknowledged map[string]int) {
	t.Helper()
	conn, err := sqlite.OpenConn(file, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := query(t, conn, "PRAGMA integrity_check"); len(got) != 1 || got[0] != "ok" {
		t.Errorf("integrity_check: got %q", got)
	}
	written := map[string]int{}
	for _, row := range query(t, conn, `
		SELECT fields ->> '$.phone[1]', customers.number
		FROM changes
		JOIN customers ON customers.tenant = changes.tenant AND customers.id = changes.customer_id
		WHERE changes.version > 1`) {
		written[row]++
	}
	for phone, number := range acknowledged {
		if got := written[fmt.Sprintf("%s|%d", phone, number)]; got != 1 {
			t.Errorf("acknowledged %s of customer %d: got %d changes, want 1", phone, number, got)
		}
	}
	for row, times := range written {
		if times != 1 {
			t.Errorf("%s: got %d changes, want 1", row, times)
		}
	}
	for _, row := range query(t, conn, `
		SELECT customers.number
		FROM customers
		WHERE version <> (SELECT count(*) FROM changes WHERE tenant = customers.tenant AND customer_id = customers.id)
		   OR version > 1 AND phone <> (
			SELECT fields ->> '$.phone[1]'
			FROM changes
			WHERE tenant = customers.tenant AND customer_id = customers.id AND version = customers.version)`) {
		t.Errorf("customer %s is not where its changes lead", row)
	}
}

func query(t *testing.T, conn *sqlite.Conn, sql string) []string {
	t.Helper()
	var rows []string
	err := sqlitex.ExecuteTransient(conn, sql, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		var cells []string
		for i := range stmt.ColumnCount() {
			cells = append(cells, stmt.ColumnText(i))
		}
		rows = append(rows, strings.Join(cells, "|"))
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// runCommand runs the program as a process of its own.
func runCommand(t testing.TB, stdin string, args ...string) (stdout string) {
	t.Helper()
	program, err := exec.LookPath("kartotek")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("kartotek %v: %v\n%s%s", args, err, out, &stderr)
	}
	return string(out)
}
