package cli_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
)

// onDisk is a shell script that has a disk of so many MB to itself, at $DISK, and the
// directory $WORK beside it. It skips the test on a machine where nobody may mount one.
func onDisk(t *testing.T, megabytes int, script string) (cmd *exec.Cmd, work string) {
	t.Helper()
	work = t.TempDir()
	disk := filepath.Join(work, "disk")
	if err := os.Mkdir(disk, 0o755); err != nil {
		t.Fatal(err)
	}
	command := func(script string) *exec.Cmd {
		mount := fmt.Sprintf(`mount -t tmpfs -o size=%dm kartotek "$DISK" || exit; `, megabytes)
		cmd := exec.CommandContext(t.Context(), "sh", "-c", mount+script)
		cmd.Env = append(os.Environ(), "WORK="+work, "DISK="+disk, "KARTOTEK_STORE=sqlite:"+disk+"/k.db", "KARTOTEK_TENANT=t")
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		if os.Getuid() != 0 {
			cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		}
		return cmd
	}
	if out, err := command("exit 0").CombinedOutput(); err != nil {
		t.Skipf("a disk of its own cannot be mounted here: %v %s", err, out)
	}
	return command(script), work
}

// seed writes what the scripts import and read.
func seed(t *testing.T, work string) {
	t.Helper()
	var lines strings.Builder
	for n := 1; n <= crashCustomers; n++ {
		fmt.Fprintf(&lines, "{\"id\":%q,\"number\":%d,\"lastName\":\"N\"}\n", crashID(n), n)
	}
	for name, text := range map[string]string{"seed": lines.String(), "password": "sommerregn\n"} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// seeded is the beginning of a script that serves.
const seeded = `
kartotek customer import "$WORK/seed" &&
kartotek account create --login service --all <"$WORK/password" &&
kartotek key create --name load --scope customers:read,customers:write >"$WORK/key" &&
`

// fillDisk leaves no room on the disk of a process, until empty is called.
func fillDisk(t *testing.T, pid int, disk string) (empty func()) {
	t.Helper()
	name := filepath.Join(fmt.Sprintf("/proc/%d/root", pid), disk, "fill")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

// voice is how a client of one contract changes a phone, and what it then hears.
type voice struct {
	contract   string
	path       func(number int) string
	credential func(r *http.Request, key string)
	body       string // with a verb for the phone
	full, busy string // status, Retry-After, and what the body begins with
}

var voices = []voice{
	{
		"elw", func(n int) string { return fmt.Sprintf("/api/customers/%d", n) },
		func(r *http.Request, _ string) { r.SetBasicAuth("service", "sommerregn") },
		`{"PhoneNumber":"%s"}`,
		`503 30 {"Message":"The service is unavailable."}`,
		`503 1 {"Message":"The service is unavailable."}`,
	},
	{
		"lochting", func(n int) string { return "/public/v1/customer/customer-" + crashID(n) },
		func(r *http.Request, key string) { r.Header.Set("Authorization", key) },
		`{"firstName":"A","lastName":"N","locale":"nl_BE","emailAddress":"a@example.com","gender":"female","country":"BE","phoneNumber":"%s"}`,
		`507 30 {"message":"The server has no room for changes, try again later"}`,
		`503 1 {"message":"The server is busy, try again"}`,
	},
	{
		"native", func(n int) string { return fmt.Sprintf("/v1/customers/%d", n) },
		func(r *http.Request, key string) { r.Header.Set("Authorization", "Bearer "+key) },
		`{"phone":"%s"}`,
		`507 30 {"type":"/problems/full"`,
		`503 1 {"type":"/problems/busy"`,
	},
}

// crowd is clients of all contracts who change phones, and what became of that.
// Nobody sends a phone twice.
type crowd struct {
	t      *testing.T
	url    string
	key    string
	client *http.Client
	leave  func() // waits until all have

	mu      sync.Mutex
	made    map[string]int // phone → customer
	refused map[string]bool
	counts  map[string]int // by contract and outcome: "elw made"
	slowest time.Duration
}

// gather starts so many clients of each contract.
func gather(t *testing.T, url, work string, each int) *crowd {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(work, "key"))
	if err != nil {
		t.Fatal(err)
	}
	c := &crowd{
		t: t, url: url, key: strings.TrimSpace(string(key)),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 3 * each}, Timeout: time.Minute},
		made:   map[string]int{}, refused: map[string]bool{}, counts: map[string]int{},
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	c.leave = func() {
		stop()
		running.Wait()
		c.client.CloseIdleConnections()
	}
	t.Cleanup(c.leave)
	for i, v := range voices {
		for w := range each {
			running.Go(func() { c.change(ctx, v, fmt.Sprintf("1%d%03d", i, w)) })
		}
	}
	return c
}

// change sends one PATCH after the other until ctx is done.
func (c *crowd) change(ctx context.Context, v voice, phones string) {
	for n := 0; ctx.Err() == nil; n++ {
		number, phone := 1+n%crashCustomers, fmt.Sprintf("%s%06d", phones, n)
		began := time.Now()
		answer := c.send(v, http.MethodPatch, number, fmt.Sprintf(v.body, phone))
		outcome := v.outcome(answer)
		if outcome == "" {
			c.t.Errorf("PATCH in %s: got %s", v.contract, answer)
			return
		}
		c.note(v, outcome, number, phone, time.Since(began))
		time.Sleep(5 * time.Millisecond)
	}
}

func (c *crowd) note(v voice, outcome string, number int, phone string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch outcome {
	case "made":
		c.made[phone] = number
	case "full":
		c.refused[phone] = true
	}
	c.counts[v.contract+" "+outcome]++
	c.slowest = max(c.slowest, took)
}

// outcome is "" for an answer that no client of the contract should get.
func (v voice) outcome(answer string) string {
	switch {
	case strings.HasPrefix(answer, "200 "):
		return "made"
	case strings.HasPrefix(answer, v.full):
		return "full"
	case strings.HasPrefix(answer, v.busy):
		return "busy"
	}
	return ""
}

// send returns the status, Retry-After and body of the answer.
func (c *crowd) send(v voice, method string, number int, body string) string {
	req, err := http.NewRequest(method, c.url+v.path(number), strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	req.Header.Set("Content-Type", "application/json")
	v.credential(req, c.key)
	return exchange(c.client, req)
}

func exchange(client *http.Client, req *http.Request) string {
	resp, err := client.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(resp.StatusCode, " ", resp.Header.Get("Retry-After"), " ", string(got))
}

// await returns when each contract has had so many more of an outcome.
func (c *crowd) await(outcome string, more int) {
	c.t.Helper()
	c.mu.Lock()
	want := map[string]int{}
	for _, v := range voices {
		want[v.contract] = c.counts[v.contract+" "+outcome] + more
	}
	c.mu.Unlock()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		missing := ""
		c.mu.Lock()
		for contract, n := range want {
			if c.counts[contract+" "+outcome] < n {
				missing = contract
			}
		}
		counts := fmt.Sprint(c.counts)
		c.mu.Unlock()
		if missing == "" {
			return
		}
		if time.Now().After(deadline) || c.t.Failed() {
			c.t.Fatalf("no %d more of %q in %s: got %s", more, outcome, missing, counts)
		}
	}
}

// wantReads reports unless customers can be read in every contract.
func (c *crowd) wantReads() {
	c.t.Helper()
	for _, v := range voices {
		if answer := c.send(v, http.MethodGet, 1, ""); !strings.HasPrefix(answer, "200 ") {
			c.t.Errorf("GET in %s: got %s, want 200", v.contract, answer)
		}
	}
}

// wantReady reports unless /readyz answers so.
func (c *crowd) wantReady(want string) {
	c.t.Helper()
	req, err := http.NewRequest(http.MethodGet, c.url+"/readyz", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if answer := exchange(c.client, req); answer != want {
		c.t.Errorf("/readyz: got %q, want %q", answer, want)
	}
}

// TestAFullDiskLosesNothingAcknowledged fills the disk under the PATCHes of all
// contracts, makes room again, and kills the server.
func TestAFullDiskLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	cmd, work := onDisk(t, 64, seeded+`exec kartotek serve --listen 127.0.0.1:0 --rate 0`)
	seed(t, work)
	url, err := startListening(cmd)
	if err != nil {
		t.Fatal(err)
	}
	clients := gather(t, url, work, 4)
	clients.await("made", 20)
	empty := fillDisk(t, cmd.Process.Pid, filepath.Join(work, "disk"))
	clients.await("full", 20)
	clients.wantReads()
	clients.wantReady("200  ready\n")
	empty()
	clients.await("made", 20)
	clients.leave()
	t.Logf("%v, the slowest answer after %v", clients.counts, clients.slowest)

	file := afterKill(t, cmd, filepath.Join(work, "disk"))
	inspect(t, file, clients.made)
	for _, phone := range history(t, file) {
		if clients.refused[phone] {
			t.Errorf("%s was refused, and is in the history", phone)
		}
	}
	again, kill := startServer(t, "--store=sqlite:"+file)
	defer kill()
	clients = gather(t, again, work, 1)
	clients.await("made", 1)
	clients.leave()
}

// history is every phone that was ever written.
func history(t *testing.T, file string) []string {
	t.Helper()
	conn, err := sqlite.OpenConn(file, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return query(t, conn, "SELECT fields ->> '$.phone[1]' FROM changes WHERE version > 1")
}

// afterKill kills the server and copies what it left on its disk, which ends with
// it, to where it can be opened.
func afterKill(t *testing.T, cmd *exec.Cmd, disk string) (file string) {
	t.Helper()
	left, err := os.OpenRoot(filepath.Join(fmt.Sprintf("/proc/%d/root", cmd.Process.Pid), disk)) // and so hold it
	if err != nil {
		t.Fatal(err)
	}
	defer left.Close()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	to := t.TempDir()
	for _, name := range []string{"k.db", "k.db-wal"} {
		content, err := left.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(to, "k.db")
}
