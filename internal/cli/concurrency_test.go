package cli_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// contractClient is how a client of one contract changes a phone, and what it then hears.
type contractClient struct {
	contract   string
	path       func(number int) string
	credential func(r *http.Request, key string)
	body       string // with a verb for the phone
	full, busy string // status, Retry-After, and what the body begins with
}

var contractClients = []contractClient{
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
		`507 30 {"type":"/problems/storage-full"`,
		`503 1 {"type":"/problems/unavailable"`,
	},
}

// sendUntilKilledOnce is clients of all contracts who change phones, and what became of that.
// Nobody sends a phone twice.
type load struct {
	t      *testing.T
	url    string
	key    string
	client *http.Client
	stop   func() // waits until all have

	mu           sync.Mutex
	acknowledged map[string]int // phone → customer
	refused      map[string]bool
	counts       map[string]int // by contract and outcome: "elw made"
	slowest      time.Duration
}

// startLoad starts so many clients of each contract.
func startLoad(t *testing.T, url, work string, each int) *load {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(work, "key"))
	if err != nil {
		t.Fatal(err)
	}
	c := &load{
		t: t, url: url, key: strings.TrimSpace(string(key)),
		client:       &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 3 * each}, Timeout: time.Minute},
		acknowledged: map[string]int{}, refused: map[string]bool{}, counts: map[string]int{},
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	c.stop = func() {
		stop()
		running.Wait()
		c.client.CloseIdleConnections()
	}
	t.Cleanup(c.stop)
	for i, v := range contractClients {
		for w := range each {
			running.Go(func() { c.change(ctx, v, fmt.Sprintf("1%d%03d", i, w)) })
		}
	}
	return c
}

// change sends one PATCH after the other until ctx is done.
func (c *load) change(ctx context.Context, v contractClient, phones string) {
	for n := 0; ctx.Err() == nil; n++ {
		number, phone := 1+n%crashCustomers, fmt.Sprintf("%s%06d", phones, n)
		began := time.Now()
		answer := c.send(v, http.MethodPatch, number, fmt.Sprintf(v.body, phone))
		outcome := v.outcome(answer)
		if outcome == "" {
			c.t.Errorf("PATCH in %s: got %s", v.contract, answer)
			return
		}
		c.record(v, outcome, number, phone, time.Since(began))
		time.Sleep(5 * time.Millisecond)
	}
}

func (c *load) record(v contractClient, outcome string, number int, phone string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch outcome {
	case "made":
		c.acknowledged[phone] = number
	case "storage-full":
		c.refused[phone] = true
	}
	c.counts[v.contract+" "+outcome]++
	c.slowest = max(c.slowest, took)
}

// outcome is "" for an answer that no client of the contract should get.
func (v contractClient) outcome(answer string) string {
	switch {
	case strings.HasPrefix(answer, "200 "):
		return "made"
	case strings.HasPrefix(answer, v.full):
		return "storage-full"
	case strings.HasPrefix(answer, v.busy):
		return "unavailable"
	}
	return ""
}

// send returns the status, Retry-After and body of the answer.
func (c *load) send(v contractClient, method string, number int, body string) string {
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
func (c *load) await(outcome string, more int) {
	c.t.Helper()
	c.mu.Lock()
	want := map[string]int{}
	for _, v := range contractClients {
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
func (c *load) wantReads() {
	c.t.Helper()
	for _, v := range contractClients {
		if answer := c.send(v, http.MethodGet, 1, ""); !strings.HasPrefix(answer, "200 ") {
			c.t.Errorf("GET in %s: got %s, want 200", v.contract, answer)
		}
	}
}

// wantReady reports unless /readyz answers so.
func (c *load) wantReady(want string) {
	c.t.Helper()
	req, err := http.NewRequest(http.MethodGet, c.url+"/readyz", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if answer := exchange(c.client, req); answer != want {
		c.t.Errorf("/readyz: got %q, want %q", answer, want)
	}
}
