package access

import (
	"context"
	"fmt"
	"net/netip"
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
	for range cap(d.hashSlots) {
		d.hashSlots <- struct{}{} // from here on, argon2 is not available
	}
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
		{"2001:db8:0:1:ffff::2", "kari", fault.RateLimited}, // the same /64
		{"2001:db8:0:2::1", "kari", ""},
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

// Concurrent attempts that wait for argon2 are checked again one by one. Only those that
// run at the same moment can exceed the limit.
func TestConcurrentFailuresAreThrottled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, _ := newTestDirectory()
		for range cap(d.hashSlots) {
			d.hashSlots <- struct{}{}
		}
		var mu sync.Mutex
		results := map[fault.Kind]int{}
		for i := range 200 {
			go func() { // ends with the test, which waits for it
				kind, _ := login(t, d, "192.0.2.1", "kari", fmt.Sprint("guess", i))
				mu.Lock()
				defer mu.Unlock()
				results[kind]++
			}()
		}
		synctest.Wait() // all of them wait for a slot
		for range cap(d.hashSlots) {
			<-d.hashSlots
		}
		synctest.Wait()
		tried := results[fault.Unauthenticated]
		if tried < 10 || tried >= 10+cap(d.hashSlots) || tried+results[fault.RateLimited] != 200 {
			t.Errorf("results: got %v, want 10 unauthenticated, plus at most one less than the number of slots", results)
		}
	})
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
