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

// contractClient describes how a client of one contract changes a phone, and the start of the
// responses to a rejected change.
type contractClient struct {
	contract   string
	path       func(number int) string
	credential func(r *http.Request, key string)
	body       string // format with a verb for the phone
	full, busy string // status, Retry-After and start of the body
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

// load is a set of clients of all contracts that change phones, with the outcomes. Each phone
// is sent once.
type load struct {
	t      *testing.T
	url    string
	key    string
	client *http.Client
	stop   func() // waits until all clients have stopped

	mu           sync.Mutex
	acknowledged map[string]int // phone → customer
	rejected     map[string]bool
	counts       map[string]int // by contract and outcome: "elw applied"
	slowest      time.Duration
}

// startLoad starts this number of clients per contract.
func startLoad(t *testing.T, url, work string, each int) *load {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(work, "key"))
	if err != nil {
		t.Fatal(err)
	}
	c := &load{
		t: t, url: url, key: strings.TrimSpace(string(key)),
		client:       &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 3 * each}, Timeout: time.Minute},
		acknowledged: map[string]int{}, rejected: map[string]bool{}, counts: map[string]int{},
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

// change sends PATCHes one by one until ctx is done.
func (c *load) change(ctx context.Context, v contractClient, phones string) {
	for n := 0; ctx.Err() == nil; n++ {
		number, phone := 1+n%crashCustomers, fmt.Sprintf("%s%06d", phones, n)
		began := time.Now()
		response := c.send(v, http.MethodPatch, number, fmt.Sprintf(v.body, phone))
		outcome := v.outcome(response)
		if outcome == "" {
			c.t.Errorf("PATCH in %s: got %s", v.contract, response)
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
	case "applied":
		c.acknowledged[phone] = number
	case "storage-full":
		c.rejected[phone] = true
	}
	c.counts[v.contract+" "+outcome]++
	c.slowest = max(c.slowest, took)
}

// outcome classifies a response; "" is an unexpected one.
func (v contractClient) outcome(response string) string {
	switch {
	case strings.HasPrefix(response, "200 "):
		return "applied"
	case strings.HasPrefix(response, v.full):
		return "storage-full"
	case strings.HasPrefix(response, v.busy):
		return "unavailable"
	}
	return ""
}

// send returns the status, Retry-After and body of the response.
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

// await waits until each contract has had this many more of the outcome.
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
			c.t.Fatalf("timed out waiting for %d more of %q in %s: got %s", more, outcome, missing, counts)
		}
	}
}

// wantReads checks that customers can be read through every contract.
func (c *load) wantReads() {
	c.t.Helper()
	for _, v := range contractClients {
		if response := c.send(v, http.MethodGet, 1, ""); !strings.HasPrefix(response, "200 ") {
			c.t.Errorf("GET in %s: got %s, want 200", v.contract, response)
		}
	}
}

// wantReady checks the response of /readyz.
func (c *load) wantReady(want string) {
	c.t.Helper()
	req, err := http.NewRequest(http.MethodGet, c.url+"/readyz", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if response := exchange(c.client, req); response != want {
		c.t.Errorf("/readyz: got %q, want %q", response, want)
	}
}
