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

// shop is Credentials in memory. It counts what it is asked.
type shop struct {
	mu       sync.Mutex
	accounts map[string]access.Account
	keys     map[string]access.Key
	lookups  int
	outage   error
}

func newShop() *shop {
	return &shop{accounts: map[string]access.Account{}, keys: map[string]access.Key{}}
}

func (s *shop) Account(_ context.Context, login string) (access.Account, error) {
	return find(s, s.accounts, login)
}

func (s *shop) Key(_ context.Context, id string) (access.Key, error) { return find(s, s.keys, id) }

func find[V any](s *shop, from map[string]V, k string) (v V, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookups++
	if s.outage != nil {
		return v, s.outage
	}
	v, ok := from[k]
	if !ok {
		return v, fault.New(fault.NotFound, "no such credential")
	}
	return v, nil
}

func (s *shop) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lookups
}

// enlist adds an account whose hash is cheap to verify.
func (s *shop) enlist(login, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[login] = access.Account{
		Tenant: "north", Login: login, PasswordHash: cheapHash(password), Customers: access.OnlyCustomers(7), CreatedAt: noon,
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

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func refused(t *testing.T, what string, got access.Actor, err error) {
	t.Helper()
	if !fault.Is(err, fault.Unauthenticated) || got.Tenant != "" || got.Scopes != nil {
		t.Errorf("%s: got %+v, %v, want unauthenticated", what, got, err)
	}
}

func TestAPasswordMakesAnActor(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.enlist("kari", "correct horse")
	d := access.NewDirectory(s, newClock().now)
	for range 2 { // the second time from memory
		got, err := d.ByPassword(t.Context(), home, "kari", "correct horse")
		if err != nil || got.Tenant != "north" || got.Name != "account:kari" || !got.Customers.Contains(7) || got.Customers.Contains(8) ||
			!slices.Equal(got.Scopes, []access.Scope{access.Read, access.Write}) {
			t.Errorf("actor: got %+v, %v, want kari of north with customer 7", got, err)
		}
	}
	for _, wrong := range []string{"", "correct hors", "correct horse ", "Correct horse", "correct horse\x00"} {
		got, err := d.ByPassword(t.Context(), home, "kari", wrong)
		refused(t, "password "+wrong, got, err)
	}
}

func TestALoginIsOneHoweverItsAccentsAreWritten(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.enlist("åse", "correct horse")
	d := access.NewDirectory(s, newClock().now)
	for _, login := range []string{"åse", "a\u030ase"} {
		if got, err := d.ByPassword(t.Context(), home, login, "correct horse"); err != nil || got.Name != "account:åse" {
			t.Errorf("%+q: got %+v, %v, want the actor åse", login, got, err)
		}
	}
}

func TestAKeyMakesAnActor(t *testing.T) {
	t.Parallel()
	s := newShop()
	key, text := newKey(t, access.Read, access.Erase)
	s.keys[key.ID] = key
	d := access.NewDirectory(s, newClock().now)
	for range 100 {
		got, err := d.ByKey(t.Context(), text)
		if err != nil || got.Tenant != "north" || got.Name != "key:"+key.ID || !got.Customers.All() ||
			!slices.Equal(got.Scopes, []access.Scope{access.Read, access.Erase}) {
			t.Fatalf("actor: got %+v, %v, want key %s of north for all", got, err, key.ID)
		}
	}
	if s.asked() != 1 {
		t.Errorf("look-ups within a moment: got %d, want 1", s.asked())
	}
	stranger, other := newKey(t, access.Read)
	got, err := d.ByKey(t.Context(), other)
	refused(t, "an unknown key", got, err)
	stranger.ID, s.keys[stranger.ID] = key.ID, key
	got, err = d.ByKey(t.Context(), other)
	refused(t, "another secret under a known id", got, err)
}

func TestWhatIsRevokedStopsWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	s, c := newShop(), newClock()
	s.enlist("kari", "correct horse")
	key, text := newKey(t, access.Read)
	s.keys[key.ID] = key
	d := access.NewDirectory(s, c.now)
	byPassword := func() (access.Actor, error) { return d.ByPassword(t.Context(), home, "kari", "correct horse") }
	byKey := func() (access.Actor, error) { return d.ByKey(t.Context(), text) }
	for name, call := range map[string]func() (access.Actor, error){"account": byPassword, "key": byKey} {
		for range 7 { // busy all the time, up to the very moment
			if _, err := call(); err != nil {
				t.Fatalf("%s: got %v, want an actor before it is revoked", name, err)
			}
			c.pass(time.Second)
		}
		if _, err := call(); err != nil {
			t.Fatal(err)
		}
		revoke(s, key.ID, c.now())
		for range 5 {
			_, _ = call() // asking often must not make the memory last
			c.pass(time.Second)
		}
		got, err := call()
		refused(t, "a revoked "+name, got, err)
		s.enlist("kari", "correct horse")
		s.keys[key.ID] = key
		c.pass(5 * time.Second)
	}
}

func revoke(s *shop, key string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	account, k := s.accounts["kari"], s.keys[key]
	account.RevokedAt, k.RevokedAt = at, at
	s.accounts["kari"], s.keys[key] = account, k
}

func TestAChangedPasswordStopsTheOldOneWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	s, c := newShop(), newClock()
	s.enlist("kari", "the old password")
	d := access.NewDirectory(s, c.now)
	if _, err := d.ByPassword(t.Context(), home, "kari", "the old password"); err != nil {
		t.Fatal(err)
	}
	s.enlist("kari", "the new password")
	c.pass(5 * time.Second)
	got, err := d.ByPassword(t.Context(), home, "kari", "the old password")
	refused(t, "the old password", got, err)
	if _, err := d.ByPassword(t.Context(), home, "kari", "the new password"); err != nil {
		t.Errorf("the new password: got %v, want an actor", err)
	}
}

func TestOneLoginsPasswordIsNoUseToAnother(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.enlist("kari", "correct horse")
	s.enlist("karic", "battery staple")
	s.enlist("ka", "another one")
	s.enlist("ola", "b\x00horse staple")
	d := access.NewDirectory(s, newClock().now)
	for login, password := range map[string]string{"kari": "correct horse", "karic": "battery staple", "ola": "b\x00horse staple"} {
		if _, err := d.ByPassword(t.Context(), home, login, password); err != nil {
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
		got, err := d.ByPassword(t.Context(), home, pair[0], pair[1])
		refused(t, fmt.Sprintf("%q with %q", pair[0], pair[1]), got, err)
	}
}

func TestLoginAndPasswordAreRememberedApart(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.enlist("kari", "correct horse")
	s.accounts["karic"] = s.accounts["kari"] // moved, hash and all
	d := access.NewDirectory(s, newClock().now)
	if _, err := d.ByPassword(t.Context(), home, "kari", "correct horse"); err != nil {
		t.Fatal(err)
	}
	got, err := d.ByPassword(t.Context(), home, "karic", "orrect horse")
	refused(t, "the same letters, parted elsewhere, against the same hash", got, err)
}

func TestAnOutageIsNotAWrongPassword(t *testing.T) {
	t.Parallel()
	s, c := newShop(), newClock()
	s.enlist("kari", "correct horse")
	s.accounts["torn"] = access.Account{Login: "torn", PasswordHash: "$argon2id$"}
	_, text := newKey(t, access.Read)
	d := access.NewDirectory(s, c.now)

	if _, err := d.ByPassword(t.Context(), home, "torn", "correct horse"); err == nil || fault.From(err).Kind != fault.Internal {
		t.Errorf("an unreadable hash: got %v, want a defect", err)
	}
	s.outage = errors.New("disk on fire")
	if _, err := d.ByPassword(t.Context(), home, "kari", "correct horse"); !errors.Is(err, s.outage) {
		t.Errorf("by password: got %v, want %v", err, s.outage)
	}
	if _, err := d.ByKey(t.Context(), text); !errors.Is(err, s.outage) {
		t.Errorf("by key: got %v, want %v", err, s.outage)
	}
	s.outage = nil
	if _, err := d.ByPassword(t.Context(), home, "kari", "correct horse"); err != nil {
		t.Errorf("after the outage: got %v, want an actor at once", err)
	}
}

func TestManyCallersAtOnce(t *testing.T) {
	t.Parallel()
	s, c := newShop(), newClock()
	key, text := newKey(t, access.Read)
	s.keys[key.ID] = key
	for i := range 4 {
		s.enlist(fmt.Sprint("login", i), fmt.Sprint("password", i))
	}
	d := access.NewDirectory(s, c.now)
	var callers sync.WaitGroup
	for i := range 16 {
		callers.Go(func() {
			for j := range 25 {
				if _, err := d.ByPassword(t.Context(), home, fmt.Sprint("login", i%4), fmt.Sprint("password", i%4)); err != nil {
					t.Errorf("caller %d by password: %v", i, err)
				}
				elsewhere := netip.AddrFrom4([4]byte{198, 51, byte(i), byte(j)})
				if _, err := d.ByPassword(t.Context(), elsewhere, fmt.Sprint("login", i%4), "wrong"); !fault.Is(err, fault.Unauthenticated) {
					t.Errorf("caller %d by a wrong password: got %v, want unauthenticated", i, err)
				}
				if _, err := d.ByKey(t.Context(), text); err != nil {
					t.Errorf("caller %d by key: %v", i, err)
				}
				c.pass(100 * time.Millisecond)
			}
		})
	}
	callers.Wait()
}
