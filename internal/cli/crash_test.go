package cli_test

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"kartotek/internal/customer"
)

const (
	crashCustomers = 20
	crashWriters   = 16
	crashRounds    = 3
)

// TestKillLosesNothingAcknowledged kills the server in the middle of a load of
// PATCHes, again and again on one store. Each writer sends phone numbers that
// nobody sends twice, so a change can be told from any other.
func TestKillLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, at location) {
		fillForLoad(t, at)
		acknowledged := map[string]int{} // phone → customer
		for round := range crashRounds {
			sendUntilKilledOnce(t, at.flag, round, acknowledged)
		}
		if len(acknowledged) == 0 {
			t.Fatal("no PATCH was acknowledged before the server was killed")
		}
		t.Logf("%d PATCHes were acknowledged", len(acknowledged))
		checkStore(t, at, acknowledged)
	})
}

// fillForLoad makes customers, and an account that may change them.
func fillForLoad(t *testing.T, at location) {
	t.Helper()
	var lines strings.Builder
	for n := 1; n <= crashCustomers; n++ {
		fmt.Fprintf(&lines, "{\"id\":%q,\"number\":%d,\"lastName\":\"N\"}\n", crashID(n), n)
	}
	runCommand(t, lines.String(), "customer", "import", at.flag, "--tenant", "t", "-")
	runCommand(t, "sommerregn\n", "account", "create", at.flag, "--tenant", "t", "--login", "service", "--all")
}

func crashID(n int) string { return fmt.Sprintf("0191d3a0-0000-7000-8000-%012d", n) }

// sendUntilKilledOnce starts the server, sends PATCHes, and kills it under them.
func sendUntilKilledOnce(t *testing.T, store string, round int, acknowledged map[string]int) {
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

// checkStore holds the store to what was acknowledged: each change is there exactly
// once, and every record is where its changes lead.
func checkStore(t *testing.T, at location, acknowledged map[string]int) {
	t.Helper()
	store := at.open(t)
	defer store.Close()
	changes, err := store.Feed(t.Context(), "t", 0, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]int{} // phone → customer
	last := map[int]customer.ChangeRecord{}
	for _, r := range changes {
		number := int(r.Number)
		if r.Version != last[number].Version+1 {
			t.Errorf("customer %d: version %d comes after %d", number, r.Version, last[number].Version)
		}
		last[number] = r
		if r.Version == 1 {
			continue
		}
		phone := phoneOf(r)
		if written[phone] != 0 {
			t.Errorf("%s was written twice", phone)
		}
		written[phone] = number
	}
	for phone, number := range acknowledged {
		if got := written[phone]; got != number {
			t.Errorf("acknowledged %s of customer %d: it is a change of %d", phone, number, got)
		}
	}
	for number, r := range last {
		c, err := store.Find(t.Context(), customer.ByNumber("t", r.Number))
		if err != nil || c.Version != r.Version || r.Version > 1 && c.Phone != phoneOf(r) {
			t.Errorf("customer %d is not where its changes lead (%v)", number, err)
		}
	}
}

// phoneOf is the phone that the change wrote.
func phoneOf(r customer.ChangeRecord) string {
	for _, f := range r.Fields {
		if phone, ok := f.After.(string); ok && f.Path == "phone" {
			return phone
		}
	}
	return ""
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
