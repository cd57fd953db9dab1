package cli_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"kartotek/internal/store/pgtest"
	"kartotek/internal/store/storetest"
)

// TestPostgresCrashLosesNoAcknowledgedChange crashes and restarts PostgreSQL under the load of
// two servers. The servers stay up: they are not ready and return 503 until PostgreSQL is back.
func TestPostgresCrashLosesNoAcknowledgedChange(t *testing.T) {
	t.Parallel()
	postgres := pgtest.New(t)
	dsn := postgres.DSN("postgres")
	at := location{"--store=" + dsn, func(t *testing.T) storetest.Store { return openPostgres(t, dsn) }}
	importForLoad(t, at)
	urls := make([]string, 2)
	for i := range urls {
		var kill func()
		urls[i], kill = startServer(t, at.flag)
		defer kill()
	}
	l := restartLoad{t: t, urls: urls, done: make(chan struct{}), acknowledged: map[string]int{}}
	l.start()
	time.Sleep(700 * time.Millisecond)
	for range 2 {
		if err := postgres.Down("immediate"); err != nil {
			t.Fatal(err)
		}
		for _, url := range urls {
			awaitStatus(t, url+"/readyz", http.StatusServiceUnavailable)
			awaitStatus(t, url+"/healthz", http.StatusOK)
		}
		before := l.count()
		if err := postgres.Up(); err != nil {
			t.Fatal(err)
		}
		for _, url := range urls {
			awaitStatus(t, url+"/readyz", http.StatusOK)
		}
		for began := time.Now(); l.count() < before+100; time.Sleep(10 * time.Millisecond) {
			if time.Since(began) > 10*time.Second {
				t.Fatalf("the servers did not recover: %d PATCHes were acknowledged", l.count()-before)
			}
		}
	}
	close(l.done)
	l.writers.Wait()
	t.Logf("%d PATCHes were acknowledged, %d rejected", len(l.acknowledged), l.rejected)
	if l.rejected == 0 {
		t.Error("no PATCH was rejected while PostgreSQL was down")
	}
	checkStore(t, at, l.acknowledged)
}

// restartLoad is a load on servers whose store restarts.
type restartLoad struct {
	t       *testing.T
	urls    []string
	done    chan struct{}
	writers sync.WaitGroup

	mu           sync.Mutex
	acknowledged map[string]int // phone → customer
	rejected     int
}

func (l *restartLoad) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acknowledged)
}

func (l *restartLoad) start() {
	for w := range crashWriters {
		l.writers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-l.done:
					return
				default:
					l.patch(1+(w+n)%crashCustomers, l.urls[w%len(l.urls)], fmt.Sprintf("1%02d%06d", w, n))
				}
			}
		})
	}
}

// patch records whether the PATCH was acknowledged. A response other than 200, or 503 with
// Retry-After, fails the test.
func (l *restartLoad) patch(number int, url, phone string) {
	req, err := http.NewRequest(http.MethodPatch, fmt.Sprintf("%s/api/customers/%d", url, number), strings.NewReader(`{"PhoneNumber":"`+phone+`"}`))
	if err != nil {
		l.t.Error(err)
		return
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth("service", "sommerregn")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		l.t.Errorf("PATCH of %d: %v", number, err)
		return
	}
	defer resp.Body.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case resp.StatusCode == http.StatusOK:
		l.acknowledged[phone] = number
	case resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != "":
		l.rejected++
	default:
		l.t.Errorf("PATCH of %d: got %s, Retry-After %q", number, resp.Status, resp.Header.Get("Retry-After"))
	}
}

// awaitStatus waits until a GET returns this status.
func awaitStatus(t *testing.T, url string, want int) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		resp, err := http.Get(url)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == want {
				return
			}
		}
		if time.Since(began) > 15*time.Second {
			t.Fatalf("GET %s: got %v (%v), want %d", url, resp, err, want)
		}
	}
}
