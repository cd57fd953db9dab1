package access_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kartotek/internal/access"
	"kartotek/internal/fault"
)

var (
	kari = access.Actor{Tenant: "north", ID: "acc_kari"}
	shop = access.Actor{Tenant: "north", ID: "key_shop0007"}
)

func TestRateLimitAllowsBurstThenRate(t *testing.T) {
	t.Parallel()
	c := newClock()
	limits := access.NewRateLimits(2, 3, 1_000_000, c.now)
	type result struct {
		remaining         int
		reset, retryAfter time.Duration
	}
	const half = 500 * time.Millisecond
	for i, step := range []struct {
		pause time.Duration
		want  result
	}{
		{0, result{2, half, 0}},
		{0, result{1, 2 * half, 0}},
		{0, result{0, 3 * half, 0}},
		{0, result{0, 3 * half, half}},
		{0, result{0, 3 * half, half}}, // a rejected request takes no token
		{half - 1, result{0, 2*half + 1, 1}},
		{1, result{0, 3 * half, 0}},
		{2 * half, result{1, 2 * half, 0}},
		{time.Hour, result{2, half, 0}}, // the bucket never exceeds the burst
	} {
		c.advance(step.pause)
		quota, err := limits.Allow(kari)
		got := result{quota.Remaining, quota.Reset, 0}
		if err != nil {
			got.retryAfter = fault.From(err).RetryAfter
		}
		if got != step.want || quota.Limit != 3 || (err != nil) != fault.Is(err, fault.RateLimited) || (err != nil) != (step.want.retryAfter > 0) {
			t.Errorf("step %d: got %+v of %d, %v, want %+v of 3", i, got, quota.Limit, err, step.want)
		}
	}
}

func TestRateLimitIsPerCaller(t *testing.T) {
	t.Parallel()
	limits := access.NewRateLimits(1, 1, 1_000_000, newClock().now)
	namesake := access.Actor{Tenant: "south", Name: kari.Name}
	for _, by := range []access.Actor{kari, shop, namesake} {
		if _, err := limits.Allow(by); err != nil {
			t.Errorf("%s %s: got %v, want one request allowed", by.Tenant, by.Name, err)
		}
		if _, err := limits.Allow(by); !fault.Is(err, fault.RateLimited) {
			t.Errorf("second request of %s %s: got %v, want rate-limited", by.Tenant, by.Name, err)
		}
	}
}

func TestRateLimitIsPerTenant(t *testing.T) {
	t.Parallel()
	c := newClock()
	limits := access.NewRateLimits(10, 20, 15, c.now)
	allowed := func(by access.Actor) (n int) {
		for range 100 {
			if _, err := limits.Allow(by); err == nil {
				n++
			} else if f := fault.From(err); f.Kind != fault.RateLimited || f.RetryAfter <= 0 {
				t.Errorf("%s: got %v, want rate-limited", by.ID, err)
			}
		}
		return n
	}
	neighbor := access.Actor{Tenant: "south", ID: "key_neighbor"}
	got := []int{allowed(kari), allowed(shop), allowed(neighbor)}
	c.advance(time.Second)
	got = append(got, allowed(kari), allowed(shop))
	if want := []int{20, 10, 20, 10, 5}; !slices.Equal(got, want) {
		t.Errorf("allowed requests: got %v, want %v", got, want)
	}
}

func TestResponsesToIgnoredRejectionsPause(t *testing.T) {
	t.Parallel()
	c := newClock()
	limits := access.NewRateLimits(1, 1, 2, c.now)
	pauses := func(by access.Actor, n int) (total time.Duration) {
		for range n {
			total += limits.Pause(by)
		}
		return total
	}
	got := []time.Duration{pauses(kari, 100), pauses(kari, 3), pauses(shop, 100)}
	c.advance(time.Second)
	got = append(got, pauses(kari, 11))
	if want := []time.Duration{0, 3 * time.Second, 0, time.Second}; !slices.Equal(got, want) {
		t.Errorf("pauses: got %v, want %v", got, want)
	}
}

// An evicted caller starts again with a full bucket.
func TestRateLimitEvictsLeastRecentlyUsed(t *testing.T) {
	t.Parallel()
	limits := access.NewRateLimits(1, 2, 1_000_000, newClock().now)
	other := func(i int) access.Actor { return access.Actor{Tenant: "north", ID: fmt.Sprint("acc_", i)} }
	spend := func(by access.Actor) int {
		quota, _ := limits.Allow(by) // Remaining implies the fault
		return quota.Remaining
	}
	spend(shop)
	spend(kari)
	for i := range 9_998 { // with these two, the pool is full
		spend(other(i))
	}
	if got := spend(kari); got != 0 {
		t.Errorf("remaining after the second of two requests: got %d, want 0", got)
	}
	spend(other(9_998)) // evicts shop
	if got := spend(kari); got != 0 {
		t.Errorf("a recently used caller was evicted: %d remaining, want 0", got)
	}
	if got := spend(shop); got != 1 {
		t.Errorf("the evicted caller: got %d remaining, want 1", got)
	}
}

func TestConcurrentRequestsTakeOneTokenEach(t *testing.T) {
	t.Parallel()
	const burst, callers = 100, 8
	limits := access.NewRateLimits(1, burst, 1_000_000, newClock().now)
	remaining := make([][]int, callers)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for range burst {
				if quota, err := limits.Allow(kari); err == nil {
					remaining[i] = append(remaining[i], quota.Remaining)
				}
			}
		})
	}
	all.Wait()
	times := map[int]int{}
	for _, list := range remaining {
		for _, n := range list {
			times[n]++
		}
	}
	want := map[int]int{}
	for n := range burst {
		want[n] = 1
	}
	if diff := cmp.Diff(want, times); diff != "" {
		t.Errorf("how often each number of remaining requests occurred (-want +got):\n%s", diff)
	}
}
