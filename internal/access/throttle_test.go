package access

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kartotek/internal/fault"
)

// newTestDirectory returns a directory that accepts one password for every login, and a
// function that advances its clock.
func newTestDirectory() (d *Directory, advance func(time.Duration)) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	d = NewDirectory(singleAccount{Account{Tenant: "north", Login: "kari", PasswordHash: cheapPHC(cheapParams, "correct horse")}},
		func() time.Time { return now })
	return d, func(d time.Duration) { now = now.Add(d) }
}

// login returns the kind of the fault, or "" for a successful login.
func login(t *testing.T, d *Directory, from, name, password string) (kind fault.Kind, wait time.Duration) {
	t.Helper()
	_, err := d.ByPassword(t.Context(), netip.MustParseAddr(from), name, password)
	if err == nil {
		return "", 0
	}
	return fault.From(err).Kind, fault.From(err).RetryAfter
}

func want(t *testing.T, what string, got fault.Kind, wait time.Duration, wantKind fault.Kind, wantWait time.Duration) {
	t.Helper()
	if got != wantKind || wait != wantWait {
		t.Errorf("%s: got %q and a wait of %v, want %q and %v", what, got, wait, wantKind, wantWait)
	}
}

func TestTenFailuresThrottleAccount(t *testing.T) {
	t.Parallel()
	d, advance := newTestDirectory()
	kind, wait := login(t, d, "192.0.2.1", "kari", "correct horse") // and cached
	want(t, "at first", kind, wait, "", 0)
	for i := range 10 {
		kind, wait = login(t, d, "192.0.2.1", "kari", fmt.Sprint("guess", i))
		want(t, fmt.Sprint("guess ", i), kind, wait, fault.Unauthenticated, 0)
	}
	for _, password := range []string{"guess", "correct horse"} {
		kind, wait = login(t, d, "192.0.2.1", "kari", password)
		want(t, password+" after ten failures", kind, wait, fault.RateLimited, 6*time.Second)
	}
	d.fillSlots() // from here on, argon2 is not available
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := d.ByPassword(canceled, netip.MustParseAddr("192.0.2.1"), "kari", "guess")
	want(t, "without waiting for argon2", fault.From(err).Kind, fault.From(err).RetryAfter, fault.RateLimited, 6*time.Second)
	advance(6*time.Second - 1)
	kind, wait = login(t, d, "192.0.2.1", "kari", "correct horse")
	want(t, "just before six seconds", kind, wait, fault.RateLimited, 1)
	advance(1)
	for range 3 {
		kind, wait = login(t, d, "192.0.2.1", "kari", "correct horse")
		want(t, "after six seconds", kind, wait, "", 0)
	}
}

func TestThrottleIsPerAccountAndNetwork(t *testing.T) {
	t.Parallel()
	d, _ := newTestDirectory()
	for i := range 11 {
		login(t, d, "2001:db8:0:1::1", "kari", fmt.Sprint("guess", i))
	}
	for _, tt := range []struct {
		from, name string
		want       fault.Kind
	}{
		{"2001:db8:0:1::1", "kari", fault.RateLimited},
		{"2001:db8:0:2:ffff::2", "kari", fault.RateLimited}, // the same /48
		{"2001:db8:1:1::1", "kari", ""},
		{"192.0.2.1", "kari", ""},
		{"2001:db8:0:1::1", "kar", ""}, // this directory accepts every login
		{"2001:db8:0:1::1", "karin", ""},
	} {
		kind, _ := login(t, d, tt.from, tt.name, "correct horse")
		if kind != tt.want {
			t.Errorf("%s from %s: got %q, want %q", tt.name, tt.from, kind, tt.want)
		}
	}
}

func TestHundredFailuresThrottleNetwork(t *testing.T) {
	t.Parallel()
	d, advance := newTestDirectory()
	for i := range 100 {
		kind, wait := login(t, d, "192.0.2.1", fmt.Sprint("login", i), "guess")
		want(t, fmt.Sprint("login ", i), kind, wait, fault.Unauthenticated, 0)
	}
	kind, wait := login(t, d, "::ffff:192.0.2.1", "kari", "correct horse") // IPv4-mapped IPv6
	want(t, "the right password", kind, wait, fault.RateLimited, time.Second)
	kind, wait = login(t, d, "192.0.2.2", "kari", "correct horse")
	want(t, "from another address", kind, wait, "", 0)
	advance(time.Second)
	kind, wait = login(t, d, "192.0.2.1", "kari", "guess")
	want(t, "a second later", kind, wait, fault.Unauthenticated, 0)
	kind, wait = login(t, d, "192.0.2.1", "kari", "correct horse")
	want(t, "and again", kind, wait, fault.RateLimited, time.Second)
}

func TestSuccessfulLoginsAreNotThrottled(t *testing.T) {
	t.Parallel()
	d, _ := newTestDirectory()
	for range 1000 {
		kind, wait := login(t, d, "192.0.2.1", "kari", "correct horse")
		want(t, "right", kind, wait, "", 0)
	}
}

// Attempts that wait for argon2 are checked again one by one.
func TestWaitingAttemptsAreThrottled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, _ := newTestDirectory()
		d.fillSlots()
		results := newLoginResults(d)
		results.start("192.0.2.1", "kari", "guess")
		synctest.Wait()
		for range 10 {
			d.throttle.recordFailure(netip.MustParseAddr("192.0.2.1"), "kari")
		}
		d.freeSlots()
		results.want(t, map[fault.Kind]int{fault.RateLimited: 1})
	})
}

func TestWaitingAttemptsAreLimited(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		address func(i int) string
		waiting int
	}{
		"one address":           {func(int) string { return "192.0.2.1" }, maxWaitingPerNetwork},
		"one IPv4 /24":          {func(i int) string { return fmt.Sprint("192.0.2.", i) }, maxWaitingPerNetwork},
		"one IPv6 /48":          {func(i int) string { return fmt.Sprintf("2001:db8:0:%x::1", i) }, maxWaitingPerNetwork},
		"200 networks":          {func(i int) string { return fmt.Sprintf("192.0.%d.1", i) }, maxWaiting},
		"200 IPv6 networks":     {func(i int) string { return fmt.Sprintf("2001:db8:%x::1", i) }, maxWaiting},
		"two in each of 10 /24": {func(i int) string { return fmt.Sprintf("192.0.%d.%d", i%10, i) }, 10 * maxWaitingPerNetwork},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d, _ := newTestDirectory()
				d.fillSlots()
				results := newLoginResults(d)
				for i := range 200 {
					results.start(tt.address(i), fmt.Sprint("login", i), "guess")
				}
				results.want(t, map[fault.Kind]int{fault.Unavailable: 200 - tt.waiting}) // at once
				d.freeSlots()
				results.want(t, map[fault.Kind]int{fault.Unavailable: 200 - tt.waiting, fault.Unauthenticated: tt.waiting})
				if len(d.hashing.waiting) != 0 || d.hashing.free != runtime.GOMAXPROCS(0) {
					t.Errorf("the queue is not empty: %d waiting, %d free", len(d.hashing.waiting), d.hashing.free)
				}
			})
		})
	}
}

func TestFullQueueAcceptsLoginsThatSucceededBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, advance := newTestDirectory()
		kind, wait := login(t, d, "203.0.113.7", "kari", "correct horse")
		want(t, "at first", kind, wait, "", 0)
		advance(24 * time.Hour) // no longer cached
		d.fillSlots()
		results := newLoginResults(d)
		for i := range 100 {
			results.start(fmt.Sprintf("192.0.%d.1", i), fmt.Sprint("login", i), "guess")
		}
		synctest.Wait()
		results.start("203.0.113.7", "kari", "correct horse")
		synctest.Wait()
		for i := range 100 {
			results.start(fmt.Sprintf("198.51.%d.1", i), fmt.Sprint("login", i), "guess")
		}
		results.want(t, map[fault.Kind]int{fault.Unavailable: 150})
		d.hashing.release()
		results.want(t, map[fault.Kind]int{fault.Unavailable: 150, fault.Unauthenticated: 50, "": 1})
	})
}

func TestNewestLoginIsNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, _ := newTestDirectory()
		d.fillSlots()
		results := newLoginResults(d)
		for i := range 1500 {
			results.start(fmt.Sprintf("10.%d.%d.1", i/256, i%256), fmt.Sprint("login", i), "guess")
		}
		synctest.Wait()
		results.start("203.0.113.7", "kari", "correct horse")
		results.want(t, map[fault.Kind]int{fault.Unavailable: 1451})
		var next []netip.Prefix
		d.hashing.mu.Lock()
		for _, w := range d.hashing.waiting[len(d.hashing.waiting)-1:] {
			next = append(next, w.network)
		}
		d.hashing.mu.Unlock()
		if want := netip.MustParsePrefix("203.0.113.0/24"); len(next) != 1 || next[0] != want {
			t.Errorf("next: got %v, want %v", next, want)
		}
		d.freeSlots()
		results.want(t, map[fault.Kind]int{fault.Unavailable: 1451, fault.Unauthenticated: 49, "": 1})
	})
}

func TestCanceledLoginLeavesTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newHashQueue()
		for q.free > 0 {
			_ = q.acquire(t.Context(), netip.Addr{}, false) // there is a free slot
		}
		ctx, cancel := context.WithCancel(context.Background())
		for range 2 { // as many as may wait
			go func() {
				if err := q.acquire(ctx, netip.Addr{}, false); !fault.Is(err, fault.Unavailable) {
					t.Errorf("canceled: got %v, want unavailable", err)
				}
			}()
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		if len(q.waiting) != 0 {
			t.Errorf("%d wait, want none", len(q.waiting))
		}
		q.release()
		if q.free != 1 {
			t.Errorf("%d slots are free, want 1", q.free)
		}
	})
}

func TestEqualAttemptsShareOneHash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, _ := newTestDirectory()
		d.fillSlots()
		results := newLoginResults(d)
		for range 64 { // a client that opens its connections
			results.start("192.0.2.1", "kari", "correct horse")
		}
		results.want(t, nil)
		d.freeSlots()
		results.want(t, map[fault.Kind]int{"": 64})
	})
}

func TestFailuresFromManyNetworksThrottleOnlyNewNetworks(t *testing.T) {
	t.Parallel()
	d, advance := newTestDirectory()
	kind, wait := login(t, d, "203.0.113.7", "kari", "correct horse")
	want(t, "the owner", kind, wait, "", 0)
	for i := range 50 {
		kind, wait = login(t, d, fmt.Sprintf("192.0.%d.1", i), "kari", fmt.Sprint("guess", i))
		want(t, fmt.Sprint("guess ", i), kind, wait, fault.Unauthenticated, 0)
	}
	kind, wait = login(t, d, "192.0.2.99", "kari", "guess")
	want(t, "from another network", kind, wait, fault.RateLimited, 2*time.Second)
	kind, wait = login(t, d, "203.0.113.7", "kari", "correct horse")
	want(t, "the owner, cached", kind, wait, "", 0)
	advance(10 * time.Minute)
	for i := range 100 {
		login(t, d, fmt.Sprintf("198.51.%d.1", i), "kari", fmt.Sprint("guess", i))
	}
	kind, wait = login(t, d, "203.0.113.7", "kari", "correct horse")
	want(t, "the owner, not cached", kind, wait, "", 0)
}

// fillSlots takes all slots; freeSlots frees them.
func (d *Directory) fillSlots() {
	for d.hashing.free > 0 {
		_ = d.hashing.acquire(context.Background(), netip.Addr{}, true) // there is a free slot
	}
}

func (d *Directory) freeSlots() {
	for range runtime.GOMAXPROCS(0) {
		d.hashing.release()
	}
}

// loginResults counts the results of concurrent logins in a synctest bubble.
type loginResults struct {
	d     *Directory
	mu    sync.Mutex
	kinds map[fault.Kind]int
}

func newLoginResults(d *Directory) *loginResults {
	return &loginResults{d: d, kinds: map[fault.Kind]int{}}
}

// start logs in, in a goroutine that ends with the test.
func (r *loginResults) start(from, name, password string) {
	go func() {
		_, err := r.d.ByPassword(context.Background(), netip.MustParseAddr(from), name, password)
		r.mu.Lock()
		defer r.mu.Unlock()
		if err == nil {
			r.kinds[""]++
		} else {
			r.kinds[fault.From(err).Kind]++
		}
	}()
}

// want checks the results when all goroutines have ended or wait.
func (r *loginResults) want(t *testing.T, want map[fault.Kind]int) {
	t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !maps.Equal(r.kinds, want) {
		t.Errorf("results: got %v, want %v", r.kinds, want)
	}
}

func TestFailuresBeyondLimitExtendWait(t *testing.T) {
	t.Parallel()
	d, advance := newTestDirectory()
	for range 13 { // 3 of them ran when the last token was spent
		d.throttle.recordFailure(netip.MustParseAddr("192.0.2.1"), "kari")
	}
	kind, wait := login(t, d, "192.0.2.1", "kari", "correct horse")
	want(t, "three tokens below zero", kind, wait, fault.RateLimited, 4*6*time.Second)
	advance(4 * 6 * time.Second)
	kind, wait = login(t, d, "192.0.2.1", "kari", "correct horse")
	want(t, "after the wait", kind, wait, "", 0)
}

func TestThrottleIsBounded(t *testing.T) {
	t.Parallel()
	d, _ := newTestDirectory()
	for i := range maxEntries + 100 {
		d.throttle.recordFailure(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), "kari")
	}
	if accounts, networks := d.throttle.perAccount.limiters.Len(), d.throttle.perNetwork.limiters.Len(); accounts != maxEntries || networks != maxEntries {
		t.Errorf("buckets: got %d accounts and %d networks, want %d of each", accounts, networks, maxEntries)
	}
	oldest := d.throttle.perAccount.limiters.Keys()[0]
	_ = d.throttle.check(netip.AddrFrom4([4]byte{11, 0, 0, 0}), "kari") // no failures from this address
	if !d.throttle.perAccount.limiters.Contains(oldest) {
		t.Error("a check without a failure evicted a bucket")
	}
}
