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

// TestKillLosesNoAcknowledgedChange kills a server under a load of PATCHes, several times on
// one store. Each phone number is sent once, so that it identifies its change.
func TestKillLosesNoAcknowledgedChange(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, at location) {
		importForLoad(t, at)
		acknowledged := map[string]int{} // phone → customer
		for round := range crashRounds {
			patchUntilKilled(t, at.flag, round, acknowledged)
		}
		if len(acknowledged) == 0 {
			t.Fatal("no PATCH was acknowledged before the server was killed")
		}
		t.Logf("%d PATCHes were acknowledged", len(acknowledged))
		checkStore(t, at, acknowledged)
	})
}

// importForLoad creates customers and an account that may change them.
func importForLoad(t *testing.T, at location) {
	t.Helper()
	var lines strings.Builder
	for n := 1; n <= crashCustomers; n++ {
		fmt.Fprintf(&lines, "{\"id\":%q,\"number\":%d,\"lastName\":\"N\"}\n", crashID(n), n)
	}
	runCommand(t, lines.String(), "customer", "import", at.flag, "--tenant", "t", "-")
	runCommand(t, "sommerregn\n", "account", "create", at.flag, "--tenant", "t", "--login", "service", "--all")
}

func crashID(n int) string { return fmt.Sprintf("0191d3a0-0000-7000-8000-%012d", n) }

// patchUntilKilled starts a server, sends PATCHes, and kills the server.
func patchUntilKilled(t *testing.T, store string, round int, acknowledged map[string]int) {
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
					return // the server was killed
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

// startServer starts a server; kill sends it SIGKILL.
func startServer(t testing.TB, store string, flags ...string) (url string, kill func()) {
	t.Helper()
	program, err := exec.LookPath("kartotek")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, append([]string{"serve", store, "--listen", "127.0.0.1:0", "--rate", "0"}, flags...)...)
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

// patchPhone reports whether the PATCH was acknowledged. A response other than 200 fails the
// test; no response means that the server was killed.
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

// checkStore checks that every acknowledged change is in the history exactly once and that
// each record is at the state of its last change.
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
			t.Errorf("customer %d: version %d follows %d", number, r.Version, last[number].Version)
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
			t.Errorf("acknowledged %s of customer %d: the history has it for customer %d", phone, number, got)
		}
	}
	for number, r := range last {
		c, err := store.Find(t.Context(), customer.ByNumber("t", r.Number))
		if err != nil || c.Version != r.Version || r.Version > 1 && c.Phone != phoneOf(r) {
			t.Errorf("customer %d is not at the state of its last change (%v)", number, err)
		}
	}
}

// phoneOf returns the phone that the change wrote.
func phoneOf(r customer.ChangeRecord) string {
	for _, f := range r.Fields {
		if phone, ok := f.After.(string); ok && f.Path == "phone" {
			return phone
		}
	}
	return ""
}

// runCommand runs the program as a separate process.
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
