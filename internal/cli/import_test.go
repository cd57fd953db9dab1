package cli_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
)

// manyLines writes an import that is large enough for its index to be put off.
func manyLines(t *testing.T) (file string, n int) {
	t.Helper()
	const lines = 3500
	var text strings.Builder
	for i := range lines {
		fmt.Fprintf(&text, `{"number":%d,"firstName":"Kari","lastName":"Nordmann%d","email":"kari%d@example.com","phone":"%08d","address":{"line":"%s","postalCode":"%04d","city":"Oslo","country":"NO"}}`+"\n",
			1+i, i%97, i, i*7919, strings.Repeat("Storgata 1 ", 15), i%1000)
	}
	file = filepath.Join(t.TempDir(), "many.ndjson")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, lines
}

// TestImportResumesAfterKill kills imports, each after twice the time of the one before, until one
// completes, and compares the store with one that was imported in small parts.
func TestImportResumesAfterKill(t *testing.T) {
	t.Parallel()
	file, n := manyLines(t)
	store := filepath.Join(t.TempDir(), "k.db")
	program, err := exec.LookPath("kartotek")
	if err != nil {
		t.Fatal(err)
	}
	kills := 0
	for wait := 50 * time.Millisecond; ; wait *= 2 {
		cmd := exec.CommandContext(t.Context(), program, "customer", "import", "--store=sqlite:"+store, "--tenant", "t", file)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		killer := time.AfterFunc(wait, func() { _ = cmd.Process.Kill() }) // it may be gone
		if err := cmd.Wait(); err == nil {
			killer.Stop()
			break
		}
		kills++
	}
	if kills == 0 {
		t.Error("no import was killed")
	}

	want := filepath.Join(t.TempDir(), "k.db")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	small := filepath.Join(t.TempDir(), "small.ndjson")
	for lines := range slices.Chunk(strings.SplitAfter(string(text), "\n"), n/4) {
		if err := os.WriteFile(small, []byte(strings.Join(lines, "")), 0o600); err != nil {
			t.Fatal(err)
		}
		runCommand(t, "", "customer", "import", "--store=sqlite:"+want, "--tenant", "t", small)
	}
	wantSameTables(t, store, want)
}

// wantSameTables compares the columns that do not depend on the time.
func wantSameTables(t *testing.T, files ...string) {
	t.Helper()
	var tables [2][]string
	for i, file := range files {
		conn, err := sqlite.OpenConn(file, sqlite.OpenReadWrite)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for _, of := range []string{
			"number, version, first_name, last_name, email, phone, address_postal_code FROM customers",
			"tenant, version, event, fields FROM changes", "term, number FROM terms",
		} {
			rows := query(t, conn, "SELECT "+of)
			slices.Sort(rows)
			tables[i] = append(tables[i], strings.Join(rows, "\n"))
		}
	}
	for i := range tables[0] {
		if tables[0][i] != tables[1][i] {
			t.Errorf("table %d: got %d bytes that differ from the %d wanted", i, len(tables[0][i]), len(tables[1][i]))
		}
	}
}

// TestSearchDuringImportFindsCommittedCustomers searches in a server while another process imports.
func TestSearchDuringImportFindsCommittedCustomers(t *testing.T) {
	t.Parallel()
	file, n := manyLines(t)
	store := "--store=sqlite:" + filepath.Join(t.TempDir(), "k.db")
	url, kill := startServer(t, store)
	key := strings.TrimSpace(runCommand(t, "", "key", "create", store, "--tenant", "t", "--create-tenant", "--name", "search", "--scope", "customers:read"))
	defer kill()

	program, err := exec.LookPath("kartotek")
	if err != nil {
		t.Fatal(err)
	}
	imported := make(chan error, 1)
	go func() {
		imported <- exec.CommandContext(t.Context(), program, "customer", "import", store, "--tenant", "t", file).Run()
	}()
	for done := false; !done; {
		select {
		case err := <-imported:
			if err != nil {
				t.Fatal(err)
			}
			done = true
		default:
		}
		exists := get(t, fmt.Sprintf("%s/v1/customers/%d", url, 1), key) == http.StatusOK
		if found := get(t, url+"/v1/customers?limit=1&q=nordmann0", key); exists && found != http.StatusOK {
			t.Errorf("customer 1 exists, and a search for it got status %d", found)
		}
	}
	if got := get(t, fmt.Sprintf("%s/v1/customers/%d", url, n), key); got != http.StatusOK {
		t.Errorf("the last customer: got status %d", got)
	}
}

// get returns the status of the response, or 404 for a search without a match.
func get(t *testing.T, target, key string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var start [20]byte
	n, _ := resp.Body.Read(start[:]) // an empty body is a response too
	if resp.StatusCode == http.StatusOK && strings.HasPrefix(string(start[:n]), `{"items":[],`) {
		return http.StatusNotFound
	}
	return resp.StatusCode
}
