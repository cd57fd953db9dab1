package cli_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kartotek/internal/customer"
)

// requireQuietMachine skips a test that measures time, unless nothing else runs beside it.
func requireQuietMachine(t *testing.T) {
	if os.Getenv("KARTOTEK_TEST_COST") == "" {
		t.Skip("measures time: run make test-cost")
	}
}

// measure calls fn, again when a busy moment may have caused the problems that it returns.
func measure(t *testing.T, fn func() (problems []string)) {
	t.Helper()
	problems := fn()
	for range 2 {
		if len(problems) > 0 {
			problems = fn()
		}
	}
	for _, p := range problems {
		t.Error(p)
	}
}

// TestOldVersionsAreReadAboutAsFastAsTheNewest reads a customer with very many versions.
func TestOldVersionsAreReadAboutAsFastAsTheNewest(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 14,000 versions")
	}
	onEachEngineInTurn(t, func(t *testing.T, at location) {
		importForLoad(t, at)
		writeVersions(t, at, 14_000)
		key := strings.TrimSpace(runCommand(t, "", "key", "create", at.flag, "--tenant", "t", "--name", "shop", "--scope", "customers:read"))
		url, kill := startServer(t, at.flag)
		defer kill()
		paths := []string{"", "?version=1", "?version=7001", "?at=" + time.Now().UTC().Add(time.Second).Format(time.RFC3339)}
		measure(t, func() (problems []string) {
			times := map[string][]time.Duration{}
			for range 101 { // in turn, so that a slow moment affects all
				for _, path := range paths {
					began := time.Now()
					if status := get(t, url+"/v1/customers/1"+path, key); status != http.StatusOK {
						t.Fatalf("GET %s: got %d", path, status)
					}
					times[path] = append(times[path], time.Since(began))
				}
			}
			newest := median(times[""])
			for _, path := range paths[1:] {
				ratio := float64(median(times[path])) / float64(newest)
				t.Logf("GET %s: %v, %.1f times the newest version", path, median(times[path]), ratio)
				if ratio > 3 {
					problems = append(problems, fmt.Sprintf("GET %s takes %.1f times as long as the newest version, want at most 3", path, ratio))
				}
			}
			return problems
		})
	})
}

// writeVersions changes customer 1 this many times, a thousand times in 10 seconds.
func writeVersions(t *testing.T, at location, changes int) {
	t.Helper()
	s := at.open(t)
	defer s.Close()
	meta := customer.ChangeMeta{Actor: "acc_1", Contract: "native", RequestID: "r", At: time.Now()}
	var batch []customer.Upsert
	for n := range changes {
		batch = append(batch, customer.Upsert{ID: crashID(1), Number: 1, Edit: func(c *customer.Customer) error {
			c.Phone = fmt.Sprintf("1%06d", n)
			return nil
		}})
		if len(batch) < 1000 && n < changes-1 {
			continue
		}
		results, err := s.Upsert(t.Context(), "t", meta, batch)
		if err != nil || results[len(results)-1].Change.After.Version != int64(n+2) {
			t.Fatalf("write version %d: got %+v (%v)", n+2, results[len(results)-1], err)
		}
		meta.At, batch = meta.At.Add(10*time.Second), nil
	}
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

// TestRightLoginIsFastUnderManyBadOnes sends bad logins from 1,500 networks at once.
func TestRightLoginIsFastUnderManyBadOnes(t *testing.T) {
	requireQuietMachine(t)
	onEachEngineInTurn(t, func(t *testing.T, at location) {
		importForLoad(t, at)
		url, kill := startServer(t, at.flag, "--trusted-proxy", "127.0.0.1")
		defer kill()
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1500}}
		defer client.CloseIdleConnections()
		attempt := 0
		measure(t, func() (problems []string) {
			attempt++
			login := fmt.Sprint("first", attempt) // has never logged in
			runCommand(t, "sommerregn\n", "account", "create", at.flag, "--tenant", "t", "--login", login, "--all")
			took, rejected := loginUnderGuesses(t, client, url, login)
			t.Logf("the right login took %v; %d bad ones were rejected without a look at the password", took, rejected)
			if took > 2*time.Second || rejected < 500 {
				problems = append(problems, fmt.Sprintf("the right login took %v, and %d bad ones were rejected at once; want at most 2 s, and most of them", took, rejected))
			}
			return problems
		})
	})
}

// loginUnderGuesses starts bad logins and then logs in. It returns how long that took, and the number
// of bad logins that were rejected at once.
func loginUnderGuesses(t *testing.T, client *http.Client, url, login string) (took time.Duration, rejected int64) {
	var guesses sync.WaitGroup
	var sent, unavailable atomic.Int64
	for i := range 1500 {
		guesses.Go(func() {
			switch response := tryLogin(t, client, url, fmt.Sprintf("10.%d.%d.1", i/256, i%256), fmt.Sprint(login, i), "guess"); response[:4] {
			case "401 ":
			case "503 ":
				unavailable.Add(1)
			default:
				t.Errorf("a bad login: got %s", response)
			}
			sent.Add(1)
		})
	}
	for sent.Load() < 700 {
		time.Sleep(time.Millisecond)
	}
	began := time.Now()
	response := tryLogin(t, client, url, "203.0.113.7", login, "sommerregn")
	for strings.HasPrefix(response, "503 1 ") && time.Since(began) < 10*time.Second {
		time.Sleep(time.Second) // as Retry-After says
		response = tryLogin(t, client, url, "203.0.113.7", login, "sommerregn")
	}
	took = time.Since(began)
	if !strings.HasPrefix(response, "200 ") {
		t.Errorf("the right login: got %s, want 200", response)
	}
	guesses.Wait()
	return took, unavailable.Load()
}

// tryLogin reads customer 1 from an address.
func tryLogin(t *testing.T, client *http.Client, url, address, login, password string) string {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/customers/1", nil)
	if err != nil {
		t.Error(err)
		return "none"
	}
	req.Header.Set("X-Forwarded-For", address)
	req.SetBasicAuth(login, password)
	return exchange(client, req)
}

// TestFloodOfOneTenantDelaysNoOther sends changes of one tenant on 2,000 connections, and looks at
// the changes of another tenant and at /readyz.
func TestFloodOfOneTenantDelaysNoOther(t *testing.T) {
	requireQuietMachine(t)
	onEachEngineInTurn(t, func(t *testing.T, at location) {
		importForLoad(t, at)
		runCommand(t, `{"number":1,"lastName":"N"}`, "customer", "import", at.flag, "--tenant", "flood", "-")
		url, kill := startServer(t, at.flag, "--rate", "1000") // the default
		defer kill()
		args := []string{url}
		for range 4 {
			args = append(args, strings.TrimSpace(runCommand(t, "", "key", "create", at.flag, "--tenant", "flood", "--name", "flood", "--scope", "customers:write")))
		}
		flood := exec.CommandContext(t.Context(), "flood", args...)
		if err := flood.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			_ = flood.Process.Kill()
			_ = flood.Wait() // it was killed
		}()
		time.Sleep(2 * time.Second) // past the allowed burst
		client := &http.Client{}
		measure(t, func() (problems []string) {
			var changes, ready []time.Duration
			for i := range 200 {
				began := time.Now()
				if !patchPhone(t, client, url, 1, fmt.Sprintf("2%06d", i)) {
					t.Fatal("a change of another tenant was rejected")
				}
				changes = append(changes, time.Since(began))
				began = time.Now()
				if status := get(t, url+"/readyz", ""); status != http.StatusOK {
					t.Fatalf("/readyz: got %d, want 200", status)
				}
				ready = append(ready, time.Since(began))
			}
			for name, list := range map[string][]time.Duration{"PATCH of another tenant": changes, "/readyz": ready} {
				slices.Sort(list)
				p99 := list[len(list)*99/100]
				t.Logf("%s: median %v, p99 %v", name, list[len(list)/2], p99)
				if p99 > 250*time.Millisecond {
					problems = append(problems, fmt.Sprintf("%s: p99 is %v, want at most 250 ms", name, p99))
				}
			}
			return problems
		})
	})
}

// flood is a program that changes the phone of customer 1 on 500 connections for each key, until it
// is killed. It takes the URL and the keys.
func flood() {
	var running sync.WaitGroup
	for _, key := range os.Args[2:] {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 500}}
		for n := range 500 {
			running.Go(func() {
				for i := 0; ; i++ {
					body := fmt.Sprintf(`{"phone":"1%03d%06d"}`, n, i)
					req, err := http.NewRequest(http.MethodPatch, os.Args[1]+"/v1/customers/1", strings.NewReader(body))
					if err != nil {
						panic(err)
					}
					req.Header.Set("Content-Type", "application/merge-patch+json")
					req.Header.Set("Authorization", "Bearer "+key)
					exchange(client, req)
				}
			})
		}
	}
	running.Wait()
}
