package cli_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kartotek/internal/customer"
)

// TestOldVersionsAreReadAboutAsFastAsTheNewest reads a customer with very many versions.
func TestOldVersionsAreReadAboutAsFastAsTheNewest(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 14,000 versions")
	}
	onEachEngine(t, func(t *testing.T, at location) {
		importForLoad(t, at)
		writeVersions(t, at, 14_000)
		key := strings.TrimSpace(runCommand(t, "", "key", "create", at.flag, "--tenant", "t", "--name", "shop", "--scope", "customers:read"))
		url, kill := startServer(t, at.flag)
		defer kill()
		times := map[string][]time.Duration{}
		paths := []string{"", "?version=1", "?version=7001", "?at=" + time.Now().UTC().Add(time.Second).Format(time.RFC3339)}
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
				t.Errorf("GET %s takes %.1f times as long as the newest version, want at most 3", path, ratio)
			}
		}
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
