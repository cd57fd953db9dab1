package access_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"kartotek/internal/access"
	"kartotek/internal/fault"
)

// memoryStore implements access.Credentials in memory and counts lookups.
type memoryStore struct {
	mu       sync.Mutex
	accounts map[string]access.Account
	keys     map[string]access.Key
	lookups  int
	err      error
}

func newMemoryStore() *memoryStore {
	return &memoryStore{accounts: map[string]access.Account{}, keys: map[string]access.Key{}}
}

func (s *memoryStore) Account(_ context.Context, login string) (access.Account, error) {
	a, err := find(s, s.accounts, login)
	if err == nil && !a.RevokedAt.IsZero() {
		return access.Account{}, fault.New(fault.NotFound, "no such account")
	}
	return a, err
}

func (s *memoryStore) Key(_ context.Context, id string) (access.Key, error) {
	return find(s, s.keys, id)
}

func find[V any](s *memoryStore, from map[string]V, k string) (v V, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookups++
	if s.err != nil {
		return v, s.err
	}
	v, ok := from[k]
	if !ok {
		return v, fault.New(fault.NotFound, "no such credential")
	}
	return v, nil
}

func (s *memoryStore) lookupCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lookups
}

// addAccount adds an account with a low-cost hash.
func (s *memoryStore) addAccount(login, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[login] = access.Account{
		Tenant: "north", ID: "acc_" + login, Login: login, PasswordHash: cheapHash(password), Customers: access.OnlyCustomers(7), CreatedAt: noon,
	}
}

func cheapHash(password string) string {
	b64 := base64.RawStdEncoding.EncodeToString
	salt := []byte("salt of " + password)
	return fmt.Sprintf("$argon2id$v=19$m=8,t=1,p=1$%s$%s", b64(salt), b64(argon2.IDKey([]byte(password), salt, 1, 8, 1, 32)))
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: noon} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func wantUnauthenticated(t *testing.T, what string, got access.Actor, err error) {
	t.Helper()
	if !fault.Is(err, fault.Unauthenticated) || got.Tenant != "" || got.Scopes != nil {
		t.Errorf("%s: got %+v, %v, want unauthenticated", what, got, err)
	}
}

func TestByPasswordReturnsActor(t *testing.T) {
	t.Parallel()
	s := newMemoryStore()
	s.addAccount("kari", "correct horse")
	d := access.NewDirectory(s, newClock().now)
	for range 2 { // the second time from the cache
		got, err := d.ByPassword(t.Context(), clientAddr, "kari", "correct horse")
		if err != nil || got.Tenant != "north" || got.ID != "acc_kari" || got.Name != "kari" || !got.Customers.Contains(7) || got.Customers.Contains(8) ||
			!slices.Equal(got.Scopes, []access.Scope{access.Read, access.Write}) {
			t.Errorf("actor: got %+v, %v, want kari of north with customer 7", got, err)
		}
	}
	for _, wrong := range []string{"", "correct hors", "correct horse ", "Correct horse", "correct horse\x00"} {
		got, err := d.ByPassword(t.Context(), clientAddr, "kari", wrong)
		wantUnauthenticated(t, "password "+wrong, got, err)
	}
}

func TestByPasswordNormalizesLogin(t *testing.T) {
	t.Parallel()
	s := newMemoryStore()
	s.addAccount("åse", "correct horse")
	d := access.NewDirectory(s, newClock().now)
	for _, login := range []string{"åse", "a\u030ase"} {
		if got, err := d.ByPassword(t.Context(), clientAddr, login, "correct horse"); err != nil || got.ID != "acc_åse" {
			t.Errorf("%+q: got %+v, %v, want the actor åse", login, got, err)
		}
	}
}

func TestByKeyReturnsActor(t *testing.T) {
	t.Parallel()
	s := newMemoryStore()
	key, text := newKey(t, access.Read, access.Erase)
	s.keys[key.ID] = key
	d := access.NewDirectory(s, newClock().now)
	for range 100 {
		got, err := d.ByKey(t.Context(), text)
		if err != nil || got.Tenant != "north" || got.ID != key.ID || got.Name != key.Name || !got.Customers.All() ||
			!slices.Equal(got.Scopes, []access.Scope{access.Read, access.Erase}) {
			t.Fatalf("actor: got %+v, %v, want key %s of north for all customers", got, err, key.ID)
		}
	}
	if s.lookupCount() != 1 {
		t.Errorf("lookups: got %d, want 1", s.lookupCount())
	}
	unknown, other := newKey(t, access.Read)
	got, err := d.ByKey(t.Context(), other)
	wantUnauthenticated(t, "an unknown key", got, err)
	unknown.ID, s.keys[unknown.ID] = key.ID, key
	got, err = d.ByKey(t.Context(), other)
	wantUnauthenticated(t, "another secret under a known id", got, err)
}

func TestRevocationTakesEffectWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	s, c := newMemoryStore(), newClock()
	s.addAccount("kari", "correct horse")
	key, text := newKey(t, access.Read)
	s.keys[key.ID] = key
	d := access.NewDirectory(s, c.now)
	byPassword := func() (access.Actor, error) { return d.ByPassword(t.Context(), clientAddr, "kari", "correct horse") }
	byKey := func() (access.Actor, error) { return d.ByKey(t.Context(), text) }
	for name, call := range map[string]func() (access.Actor, error){"account": byPassword, "key": byKey} {
		for range 7 { // busy all the time, up to the very moment
			if _, err := call(); err != nil {
				t.Fatalf("%s: got %v, want an actor before it is revoked", name, err)
			}
			c.advance(time.Second)
		}
		if _, err := call(); err != nil {
			t.Fatal(err)
		}
		revoke(s, key.ID, c.now())
		for range 5 {
			_, _ = call() // a hit must not extend the cache entry
			c.advance(time.Second)
		}
		got, err := call()
		wantUnauthenticated(t, "a revoked "+name, got, err)
		s.addAccount("kari", "correct horse")
		s.keys[key.ID] = key
		c.advance(5 * time.Second)
	}
}

func revoke(s *memoryStore, key string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	account, k := s.accounts["kari"], s.keys[key]
	account.RevokedAt, k.RevokedAt = at, at
	s.accounts["kari"], s.keys[key] = account, k
}

func TestOldPasswordFailsWithinFiveSecondsOfChange(t *testing.T) {
	t.Parallel()
	s, c := newMemoryStore(), newClock()
	s.addAccount("kari", "the old password")
	d := access.NewDirectory(s, c.now)
	if _, err := d.ByPassword(t.Context(), clientAddr, "kari", "the old password"); err != nil {
		t.Fatal(err)
	}
	s.addAccount("kari", "the new password")
	c.advance(5 * time.Second)
	got, err := d.ByPassword(t.Context(), clientAddr, "kari", "the old password")
	wantUnauthenticated(t, "the old password", got, err)
	if _, err := d.ByPassword(t.Context(), clientAddr, "kari", "the new password"); err != nil {
		t.Errorf("the new password: got %v, want an actor", err)
	}
}

func TestPasswordOfAnotherLoginFails(t *testing.T) {
	t.Parallel()
	s := newMemoryStore()
	s.addAccount("kari", "correct horse")
	s.addAccount("karic", "battery staple")
	s.addAccount("ka", "another one")
	s.addAccount("ola", "b\x00horse staple")
	d := access.NewDirectory(s, newClock().now)
	for login, password := range map[string]string{"kari": "correct horse", "karic": "battery staple", "ola": "b\x00horse staple"} {
		if _, err := d.ByPassword(t.Context(), clientAddr, login, password); err != nil {
			t.Fatalf("%s: %v", login, err)
		}
	}
	for _, pair := range [][2]string{
		{"kari", "battery staple"},
		{"karic", "correct horse"},
		{"karic", "orrect horse"},
		{"ka", "ricorrect horse"},
		{"karicorrect horse", ""},
		{"ola\x00b", "horse staple"},
		{"KARI", "correct horse"},
	} {
		got, err := d.ByPassword(t.Context(), clientAddr, pair[0], pair[1])
		wantUnauthenticated(t, fmt.Sprintf("%q with %q", pair[0], pair[1]), got, err)
	}
}

func TestVerifiedCacheSeparatesLoginAndPassword(t *testing.T) {
	t.Parallel()
	s := newMemoryStore()
	s.addAccount("kari", "correct horse")
	s.accounts["karic"] = s.accounts["kari"] // the same hash under another login
	d := access.NewDirectory(s, newClock().now)
	if _, err := d.ByPassword(t.Context(), clientAddr, "kari", "correct horse"); err != nil {
		t.Fatal(err)
	}
	got, err := d.ByPassword(t.Context(), clientAddr, "karic", "orrect horse")
	wantUnauthenticated(t, "the same bytes split elsewhere, against the same hash", got, err)
}

func TestStoreErrorIsNotUnauthenticated(t *testing.T) {
	t.Parallel()
	s, c := newMemoryStore(), newClock()
	s.addAccount("kari", "correct horse")
	s.accounts["unreadable"] = access.Account{Login: "unreadable", PasswordHash: "$argon2id$"}
	_, text := newKey(t, access.Read)
	d := access.NewDirectory(s, c.now)

	if _, err := d.ByPassword(t.Context(), clientAddr, "unreadable", "correct horse"); err == nil || fault.From(err).Kind != fault.Internal {
		t.Errorf("an unreadable hash: got %v, want an internal error", err)
	}
	s.err = errors.New("disk failure")
	if _, err := d.ByPassword(t.Context(), clientAddr, "kari", "correct horse"); !errors.Is(err, s.err) {
		t.Errorf("by password: got %v, want %v", err, s.err)
	}
	if _, err := d.ByKey(t.Context(), text); !errors.Is(err, s.err) {
		t.Errorf("by key: got %v, want %v", err, s.err)
	}
	s.err = nil
	if _, err := d.ByPassword(t.Context(), clientAddr, "kari", "correct horse"); err != nil {
		t.Errorf("after the outage: got %v, want an actor", err)
	}
}

func TestDirectoryIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	s, c := newMemoryStore(), newClock()
	key, text := newKey(t, access.Read)
	s.keys[key.ID] = key
	for i := range 4 {
		s.addAccount(fmt.Sprint("login", i), fmt.Sprint("password", i))
	}
	for i := range 16 {
		s.addAccount(fmt.Sprint("other", i), "another password")
	}
	d := access.NewDirectory(s, c.now)
	var callers sync.WaitGroup
	for i := range 16 {
		callers.Go(func() {
			for j := range 25 {
				if _, err := d.ByPassword(t.Context(), clientAddr, fmt.Sprint("login", i%4), fmt.Sprint("password", i%4)); err != nil {
					t.Errorf("caller %d by password: %v", i, err)
				}
				elsewhere := netip.AddrFrom4([4]byte{198, 51, byte(i), byte(j)})
				if _, err := d.ByPassword(t.Context(), elsewhere, fmt.Sprint("other", i), "wrong"); !fault.Is(err, fault.Unauthenticated) {
					t.Errorf("caller %d by a wrong password: got %v, want unauthenticated", i, err)
				}
				if _, err := d.ByKey(t.Context(), text); err != nil {
					t.Errorf("caller %d by key: %v", i, err)
				}
				c.advance(100 * time.Millisecond)
			}
		})
	}
	callers.Wait()
}
