package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kartotek/bench/handshake"
)

// serveInProcess serves h in this process.
func serveInProcess(t *testing.T, h http.HandlerFunc) *server {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return &server{
		Ready: handshake.Ready{
			URL: srv.URL, Path: "/customers/%05d/", Authorization: "Bearer secret",
			Patch: "application/json", Body: `{"phone":"%s","line":"%s"}`,
		},
		customers: 12, pid: os.Getpid(), exited: make(chan struct{}),
	}
}

func TestClosedLoopSendsExpectedRequests(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	paths, bodies := map[string]bool{}, map[string]bool{}
	s := serveInProcess(t, func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		paths[r.URL.Path] = true
		bodies[string(body)] = true
		var fields map[string]string
		if err != nil || json.Unmarshal(body, &fields) != nil || len(fields["phone"]) != len("+47 2233 4455") || len(fields["line"]) != len("Storgata 0092") {
			t.Errorf("got the body %q (%v)", body, err)
		}
		if r.Method != http.MethodPatch || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Authorization") != "Bearer secret" {
			t.Errorf("got %s with %v", r.Method, r.Header)
		}
	})
	l := load{kind: requestKind{method: http.MethodPatch}, connections: 3, warmUp: 50 * time.Millisecond, length: 300 * time.Millisecond}
	all, _, err := l.run(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if n := all.TotalCount(); n < 50 || n > int64(len(bodies)) {
		t.Errorf("got %d counted responses to about %d requests", n, len(bodies))
	}
	if len(paths) != 12 || !paths["/customers/00001/"] || !paths["/customers/00012/"] {
		t.Errorf("got paths %v, want customers 1 to 12", paths)
	}
	if len(bodies) < 50 {
		t.Errorf("got %d different bodies, want at least 50", len(bodies))
	}
}

func TestOnlyResponsesInWindowCount(t *testing.T) {
	t.Parallel()
	var responses atomic.Int64
	s := serveInProcess(t, func(http.ResponseWriter, *http.Request) {
		time.Sleep(time.Millisecond)
		responses.Add(1)
	})
	l := load{kind: requestKind{method: http.MethodGet}, connections: 1, warmUp: 300 * time.Millisecond, length: 300 * time.Millisecond}
	all, cpu, err := l.run(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if n := all.TotalCount(); float64(n) > 0.75*float64(responses.Load()) || all.at(0) < time.Millisecond {
		t.Errorf("got %d of %d responses counted, the fastest after %v; want about half, each after a millisecond", n, responses.Load(), all.at(0))
	}
	if cpu < 0 || cpu > time.Minute {
		t.Errorf("got %v of CPU time", cpu)
	}
}

func TestConstantRateSendsAtRate(t *testing.T) {
	t.Parallel()
	s := serveInProcess(t, func(http.ResponseWriter, *http.Request) {})
	l := load{kind: requestKind{method: http.MethodGet}, connections: 4, rate: 400, warmUp: 200 * time.Millisecond, length: 500 * time.Millisecond}
	all, _, err := l.run(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if n := all.TotalCount(); n < 199 || n > 201 {
		t.Errorf("got %d counted responses, want 400 per second", n)
	}
}

func TestFailedRequestFailsLoad(t *testing.T) {
	t.Parallel()
	for name, rate := range map[string]float64{"closed loop": 0, "constant rate": 500} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var received atomic.Int64
			s := serveInProcess(t, func(w http.ResponseWriter, _ *http.Request) {
				if received.Add(1) == 20 {
					http.Error(w, "too much", http.StatusServiceUnavailable)
				}
			})
			l := load{kind: requestKind{method: http.MethodGet}, connections: 4, rate: rate, length: time.Minute}
			began := time.Now()
			_, _, err := l.run(t.Context(), s)
			if err == nil || !strings.Contains(err.Error(), "status 503: too much") {
				t.Errorf("got %v, want the status and the body", err)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("the load ended after %v", took)
			}
		})
	}
}

func TestLoadEndsWithContext(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	s := serveInProcess(t, func(http.ResponseWriter, *http.Request) { <-hang })
	t.Cleanup(func() { close(hang) }) // before the server is closed
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	l := load{kind: requestKind{method: http.MethodGet}, connections: 2, length: time.Minute}
	if _, _, err := l.run(ctx, s); err != context.DeadlineExceeded {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
}

// In a closed loop, a stall delays only the requests in flight. At a constant rate it delays every
// request that is due in it.
func TestConstantRateCountsRequestsDueInStall(t *testing.T) {
	t.Parallel()
	const stall, rate = 400 * time.Millisecond, 200
	stalling := func() http.HandlerFunc {
		var received atomic.Int64
		var stalled sync.RWMutex
		return func(http.ResponseWriter, *http.Request) {
			if received.Add(1) == 40 {
				stalled.Lock()
				time.Sleep(stall)
				stalled.Unlock()
			}
			stalled.RLock()
			defer stalled.RUnlock()
			time.Sleep(5 * time.Millisecond) // limits the rate of the closed loop
		}
	}
	slow := func(rate float64) (slow, all int64) {
		s := serveInProcess(t, stalling())
		l := load{kind: requestKind{method: http.MethodGet}, connections: 2, rate: rate, length: 1500 * time.Millisecond}
		latencies, _, err := l.run(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		for _, bar := range latencies.Distribution() {
			if time.Duration(bar.From)*latencyStep > stall/4 {
				slow += bar.Count
			}
		}
		return slow, latencies.TotalCount()
	}
	if n, _ := slow(0); n > 2 {
		t.Errorf("closed loop: got %d slow requests, want the 2 in flight", n)
	}
	n, all := slow(rate)
	if want := int64(rate * 1.5); all < want-2 || all > want {
		t.Errorf("constant rate: got %d responses, want %d", all, want)
	}
	// Requests due in the first three quarters of the stall wait at least for the last quarter.
	if want := int64(rate * stall.Seconds() * 3 / 4); n < want-5 {
		t.Errorf("constant rate: got %d slow requests, want about %d", n, want)
	}
}

func TestSplitPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/v1/customers/%d":        "/v1/customers/ 0  <nil>",
		"/api/records/%015d/view": "/api/records/ 15 /view <nil>",
	} {
		before, width, after, err := splitPath(path)
		if got := fmt.Sprint(before, " ", width, " ", after, " ", err); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{"/v1/customers", "/v1/%s", "/v1/%5d", "/v1/%-5d"} {
		if _, _, _, err := splitPath(path); err == nil {
			t.Errorf("%s: got no error", path)
		}
	}
}

func TestAppendPadded(t *testing.T) {
	t.Parallel()
	for want, of := range map[string]struct{ n, width int }{
		"7": {7, 0}, "42": {42, 1}, "0042": {42, 4}, "0000": {0, 4}, "0100": {100, 4}, "12345": {12345, 4}, "000000010000000": {10_000_000, 15},
	} {
		if got := string(appendPadded(nil, of.n, of.width)); got != want {
			t.Errorf("%d in %d digits: got %s, want %s", of.n, of.width, got, want)
		}
	}
}
