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

// guarded is a directory that knows every login by one password, at a time that a test can move.
func guarded() (d *Directory, pass func(time.Duration)) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	d = NewDirectory(one{Account{Tenant: "north", Login: "kari", PasswordHash: cheapPHC(cheap, "correct horse")}},
		func() time.Time { return now })
	return d, func(d time.Duration) { now = now.Add(d) }
}

// try returns the kind of fault that a login ends with, or "" for an actor.
func try(t *testing.T, d *Directory, from, login, password string) (kind fault.Kind, wait time.Duration) {
	t.Helper()
	_, err := d.ByPassword(t.Context(), netip.MustParseAddr(from), login, password)
	if err == nil {
		return "", 0
	}
	return fault.From(err).Kind, fault.From(err).RetryAfter
}

func expect(t *testing.T, what string, got fault.Kind, wait time.Duration, want fault.Kind, wantWait time.Duration) {
	t.Helper()
	if got != want || wait != wantWait {
		t.Errorf("%s: got %q and a wait of %v, want %q and %v", what, got, wait, want, wantWait)
	}
}

func TestTenWrongPasswordsAreEnough(t *testing.T) {
	t.Parallel()
	d, pass := guarded()
	kind, wait := try(t, d, "192.0.2.1", "kari", "correct horse") // and remembered
	expect(t, "at first", kind, wait, "", 0)
	for i := range 10 {
		kind, wait = try(t, d, "192.0.2.1", "kari", fmt.Sprint("guess", i))
		expect(t, fmt.Sprint("guess ", i), kind, wait, fault.Unauthenticated, 0)
	}
	for _, password := range []string{"guess", "correct horse"} {
		kind, wait = try(t, d, "192.0.2.1", "kari", password)
		expect(t, password+" after ten failures", kind, wait, fault.RateLimited, 6*time.Second)
	}
	for range cap(d.hashing) {
		d.hashing <- struct{}{} // from here on, nobody can ask argon2
	}
	hurried, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := d.ByPassword(hurried, netip.MustParseAddr("192.0.2.1"), "kari", "guess")
	expect(t, "without waiting for argon2", fault.From(err).Kind, fault.From(err).RetryAfter, fault.RateLimited, 6*time.Second)
	pass(6*time.Second - 1)
	kind, wait = try(t, d, "192.0.2.1", "kari", "correct horse")
	expect(t, "just before six seconds", kind, wait, fault.RateLimited, 1)
	pass(1)
	for range 3 {
		kind, wait = try(t, d, "192.0.2.1", "kari", "correct horse")
		expect(t, "after six seconds", kind, wait, "", 0)
	}
}

func TestOthersStillGetIn(t *testing.T) {
	t.Parallel()
	d, _ := guarded()
	for i := range 11 {
		try(t, d, "2001:db8:0:1::1", "kari", fmt.Sprint("guess", i))
	}
	for _, tt := range []struct {
		from, login string
		want        fault.Kind
	}{
		{"2001:db8:0:1::1", "kari", fault.RateLimited},
		{"2001:db8:0:1:ffff::2", "kari", fault.RateLimited}, // the same /64
		{"2001:db8:0:2::1", "kari", ""},
		{"192.0.2.1", "kari", ""},
		{"2001:db8:0:1::1", "kar", ""}, // the directory of this test knows every login
		{"2001:db8:0:1::1", "karin", ""},
	} {
		kind, _ := try(t, d, tt.from, tt.login, "correct horse")
		if kind != tt.want {
			t.Errorf("%s from %s: got %q, want %q", tt.login, tt.from, kind, tt.want)
		}
	}
}

func TestAHundredWrongPasswordsAreEnoughForAnAddress(t *testing.T) {
	t.Parallel()
	d, pass := guarded()
	for i := range 100 {
		kind, wait := try(t, d, "192.0.2.1", fmt.Sprint("login", i), "guess")
		expect(t, fmt.Sprint("login ", i), kind, wait, fault.Unauthenticated, 0)
	}
	kind, wait := try(t, d, "::ffff:192.0.2.1", "kari", "correct horse") // an IPv4 address, as a socket of IPv6 tells it
	expect(t, "the right password", kind, wait, fault.RateLimited, time.Second)
	kind, wait = try(t, d, "192.0.2.2", "kari", "correct horse")
	expect(t, "from another address", kind, wait, "", 0)
	pass(time.Second)
	kind, wait = try(t, d, "192.0.2.1", "kari", "guess")
	expect(t, "a second later", kind, wait, fault.Unauthenticated, 0)
	kind, wait = try(t, d, "192.0.2.1", "kari", "correct horse")
	expect(t, "and again", kind, wait, fault.RateLimited, time.Second)
}

func TestRightPasswordsAreNotCounted(t *testing.T) {
	t.Parallel()
	d, _ := guarded()
	for range 1000 {
		kind, wait := try(t, d, "192.0.2.1", "kari", "correct horse")
		expect(t, "right", kind, wait, "", 0)
	}
}

// Guesses that wait for argon2 together are let through one by one: no more than if
// they had come in turn, but for those that are under way at the same moment.
func TestGuessesAtOnceAreCountedToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, _ := guarded()
		for range cap(d.hashing) {
			d.hashing <- struct{}{}
		}
		var mu sync.Mutex
		answers := map[fault.Kind]int{}
		for i := range 200 {
			go func() { // ends with the test, which waits for it
				kind, _ := try(t, d, "192.0.2.1", "kari", fmt.Sprint("guess", i))
				mu.Lock()
				defer mu.Unlock()
				answers[kind]++
			}()
		}
		synctest.Wait() // all of them were let in, and wait
		for range cap(d.hashing) {
			<-d.hashing
		}
		synctest.Wait()
		tried := answers[fault.Unauthenticated]
		if tried < 10 || tried >= 10+cap(d.hashing) || tried+answers[fault.RateLimited] != 200 {
			t.Errorf("answers: got %v, want 10 tried, or as many more as there are processors but one", answers)
		}
	})
}

func TestGuessesThatWereTooManyAreOwed(t *testing.T) {
	t.Parallel()
	d, pass := guarded()
	for range 13 { // 3 of them under way when the last token was spent
		d.guesses.missed(netip.MustParseAddr("192.0.2.1"), "kari")
	}
	kind, wait := try(t, d, "192.0.2.1", "kari", "correct horse")
	expect(t, "owing three", kind, wait, fault.RateLimited, 4*6*time.Second)
	pass(4 * 6 * time.Second)
	kind, wait = try(t, d, "192.0.2.1", "kari", "correct horse")
	expect(t, "when they are paid", kind, wait, "", 0)
}

func TestGuessesAreBounded(t *testing.T) {
	t.Parallel()
	d, _ := guarded()
	for i := range remembered + 100 {
		d.guesses.missed(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), "kari")
	}
	if one, anyone := d.guesses.ofOne.known.Len(), d.guesses.ofAnyone.known.Len(); one != remembered || anyone != remembered {
		t.Errorf("remembered: got %d pairs and %d networks, want %d of each", one, anyone, remembered)
	}
	longest := d.guesses.ofOne.known.Keys()[0]
	_ = d.guesses.check(netip.AddrFrom4([4]byte{11, 0, 0, 0}), "kari") // nobody has failed there
	if !d.guesses.ofOne.known.Contains(longest) {
		t.Error("who only asks takes the place of one who has failed")
	}
}
