package access_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kartotek/internal/access"
	"kartotek/internal/fault"
)

var (
	kari  = access.Actor{Tenant: "north", Name: "account:kari"}
	shop7 = access.Actor{Tenant: "north", Name: "key:shop0007"}
)

func TestACallerMayAskABurstAndThenAtItsRate(t *testing.T) {
	t.Parallel()
	c := newClock()
	limits := access.NewRateLimits(2, 3, c.now)
	type answer struct {
		remaining   int
		reset, wait time.Duration
	}
	const half = 500 * time.Millisecond
	for i, step := range []struct {
		rest time.Duration
		want answer
	}{
		{0, answer{2, half, 0}},
		{0, answer{1, 2 * half, 0}},
		{0, answer{0, 3 * half, 0}},
		{0, answer{0, 3 * half, half}},
		{0, answer{0, 3 * half, half}}, // to ask too often costs nothing
		{half - 1, answer{0, 2*half + 1, 1}},
		{1, answer{0, 3 * half, 0}},
		{2 * half, answer{1, 2 * half, 0}},
		{time.Hour, answer{2, half, 0}}, // a long rest saves no more than a burst
	} {
		c.pass(step.rest)
		budget, err := limits.Allow(kari)
		got := answer{budget.Remaining, budget.Reset, 0}
		if err != nil {
			got.wait = fault.From(err).RetryAfter
		}
		if got != step.want || budget.Limit != 3 || (err != nil) != fault.Is(err, fault.RateLimited) || (err != nil) != (step.want.wait > 0) {
			t.Errorf("step %d: got %+v of %d, %v, want %+v of 3", i, got, budget.Limit, err, step.want)
		}
	}
}

func TestOneCallersRequestsAreNoneOfAnothers(t *testing.T) {
	t.Parallel()
	limits := access.NewRateLimits(1, 1, newClock().now)
	namesake := access.Actor{Tenant: "south", Name: kari.Name}
	for _, by := range []access.Actor{kari, shop7, namesake} {
		if _, err := limits.Allow(by); err != nil {
			t.Errorf("%s %s: got %v, want leave to ask once", by.Tenant, by.Name, err)
		}
		if _, err := limits.Allow(by); !fault.Is(err, fault.RateLimited) {
			t.Errorf("%s %s again: got %v, want limited", by.Tenant, by.Name, err)
		}
	}
}

// Whoever is forgotten comes back as a stranger, and not as more than that.
func TestWhoRestsLongestIsForgottenFirst(t *testing.T) {
	t.Parallel()
	limits := access.NewRateLimits(1, 2, newClock().now)
	stranger := func(i int) access.Actor { return access.Actor{Tenant: "north", Name: fmt.Sprint("account:", i)} }
	spend := func(by access.Actor) int {
		budget, _ := limits.Allow(by) // Remaining says the same as the fault
		return budget.Remaining
	}
	spend(shop7)
	spend(kari)
	for i := range 9_998 { // with these two, there is no more room
		spend(stranger(i))
	}
	if got := spend(kari); got != 0 {
		t.Errorf("the second of two requests leaves %d, want 0", got)
	}
	spend(stranger(9_998)) // in the place of shop7
	if got := spend(kari); got != 0 {
		t.Errorf("who asked lately is forgotten: %d requests are left, want 0", got)
	}
	if got := spend(shop7); got != 1 {
		t.Errorf("who was forgotten has %d requests left, want 1", got)
	}
}

func TestNoTokenIsSpentTwice(t *testing.T) {
	t.Parallel()
	const burst, callers = 100, 8
	limits := access.NewRateLimits(1, burst, newClock().now)
	seen := make([][]int, callers)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for range burst {
				if budget, err := limits.Allow(kari); err == nil {
					seen[i] = append(seen[i], budget.Remaining)
				}
			}
		})
	}
	all.Wait()
	times := map[int]int{}
	for _, s := range seen {
		for _, remaining := range s {
			times[remaining]++
		}
	}
	want := map[int]int{}
	for remaining := range burst {
		want[remaining] = 1
	}
	if diff := cmp.Diff(want, times); diff != "" {
		t.Errorf("how often each number was left (-want +got):\n%s", diff)
	}
}
