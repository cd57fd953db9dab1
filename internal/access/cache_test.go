package access

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

func TestCacheExpires(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	c := newTTLCache[string, int](2*time.Second, 10, func() time.Time { return now })
	c.put("a", 1)
	for _, step := range []struct {
		at   time.Duration
		want bool
	}{
		{0, true},
		{2*time.Second - 1, true}, // a hit does not extend it
		{2 * time.Second, false},
	} {
		now = time.Unix(0, 0).Add(step.at)
		if got, ok := c.get("a"); ok != step.want || ok && got != 1 || !ok && got != 0 {
			t.Errorf("after %v: got %d, %v, want %v", step.at, got, ok, step.want)
		}
	}
	if c.entries.Len() != 0 {
		t.Errorf("the expired entry is still stored: %v", c.entries.Keys())
	}
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := newTTLCache[int, int](time.Hour, 10, time.Now)
	for i := range 1000 {
		c.put(i, i)
		if got, ok := c.get(i); !ok || got != i {
			t.Fatalf("the newest of %d: got %d, %v, want %d", i+1, got, ok, i)
		}
	}
	if c.entries.Len() != 10 {
		t.Errorf("entries: got %d, want 10", c.entries.Len())
	}
	for _, i := range c.entries.Keys() {
		c.put(i, -1) // an existing key evicts nothing
	}
	if c.entries.Len() != 10 {
		t.Errorf("entries after a second put: got %d, want 10", c.entries.Len())
	}
}

func TestCachesOfDirectoryAreBounded(t *testing.T) {
	t.Parallel()
	d := NewDirectory(singleAccount{Account{}}, time.Now)
	for i := range maxEntries + 100 {
		k := fmt.Sprint(i)
		d.accounts.put(k, Account{})
		d.keys.put(k, Key{})
		d.verified.put(d.credentialMAC(k, ""), "")
	}
	if a, k, v := d.accounts.entries.Len(), d.keys.entries.Len(), d.verified.entries.Len(); a != maxEntries || k != maxEntries || v != maxEntries {
		t.Errorf("cached: got %d accounts, %d keys, %d verified credentials, want %d of each", a, k, v, maxEntries)
	}
}

func TestWrongPasswordIsNotCached(t *testing.T) {
	t.Parallel()
	d := NewDirectory(singleAccount{Account{Login: "kari", PasswordHash: cheapPHC(cheapParams, "correct horse")}}, time.Now)
	for i := range 5 {
		_, _ = d.ByPassword(t.Context(), clientAddr, "kari", fmt.Sprint("guess", i)) // other tests check the error
	}
	if n := d.verified.entries.Len(); n != 0 {
		t.Errorf("verified credentials: got %d, want 0", n)
	}
}

func TestCacheIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	c := newTTLCache[int, int](time.Hour, 5, time.Now)
	var users sync.WaitGroup
	for i := range 8 {
		users.Go(func() {
			for j := range 200 {
				c.put(j%9, i)
				c.get(j % 7)
			}
		})
	}
	users.Wait()
	if c.entries.Len() > 5 {
		t.Errorf("entries: got %d, want 5 at most", c.entries.Len())
	}
}
