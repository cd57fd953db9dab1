package storetest

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"kartotek/internal/access"
	"kartotek/internal/fault"
)

// accessTests test access.Credentials and access.Registry.
var accessTests = map[string]func(*testing.T, *suite){
	"AccountsAreFoundAndListed":        accountsAreFoundAndListed,
	"ActiveLoginCannotBeAdded":         activeLogin,
	"LoginOfRevokedAccountIsFree":      revokedAccounts,
	"OneOfConcurrentAccountsGetsLogin": concurrentAccounts,
	"KeysAreFoundAndListed":            keysAreFoundAndListed,
	"RevokedKeysStayRevoked":           revokedKeys,
	"CredentialsSurviveReopening":      credentialsSurvive,
	"AccountsAreListedInPages":         accountPages,
	"KeysAreListedInPages":             keyPages,
	"KeyOptionsAreStored":              keyOptions,
	"SecretsAreSharedAndPersistent":    secretsPersist,
}

func account(tenant, login string) access.Account {
	return access.Account{
		Tenant:       tenant,
		ID:           "acc_" + tenant + login,
		Login:        login,
		PasswordHash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$" + tenant,
		Customers:    access.OnlyCustomers(3, math.MaxInt32, 1),
		CreatedAt:    timeAt(1),
	}
}

// key returns a key of the tenant that was created at timeAt(n).
func key(tenant, id string, n int) access.Key {
	return access.Key{
		Tenant:    tenant,
		ID:        id,
		Name:      "nightly import № " + id,
		Hash:      [32]byte{byte(n), 31: 255},
		Scopes:    []access.Scope{access.Write, access.Read},
		CreatedAt: timeAt(n),
	}
}

func (s *suite) addAccount(t *testing.T, a access.Account) {
	t.Helper()
	if err := s.AddAccount(t.Context(), a); err != nil {
		t.Fatalf("add account: %v", err)
	}
}

func (s *suite) addKey(t *testing.T, k access.Key) {
	t.Helper()
	if err := s.AddKey(t.Context(), k); err != nil {
		t.Fatalf("add key: %v", err)
	}
}

// wantAccounts checks that the tenant has exactly these accounts, in this order, and that the active
// ones are found.
func (s *suite) wantAccounts(t *testing.T, tenant string, want ...access.Account) {
	t.Helper()
	list, err := s.Accounts(t.Context(), tenant, "", 100)
	if err != nil || !reflect.DeepEqual(list, want) {
		t.Errorf("accounts of %s: got %+v (%v), want %+v", tenant, list, err, want)
	}
	for _, a := range want {
		got, err := s.Account(t.Context(), a.Login)
		if a.RevokedAt.IsZero() && (err != nil || !reflect.DeepEqual(got, a)) || got.ID == a.ID && !a.RevokedAt.IsZero() {
			t.Errorf("account: got %+v (%v), want %+v if it is active", got, err, a)
		}
	}
}

// wantKeys checks that the tenant has exactly these keys, ordered by time.
func (s *suite) wantKeys(t *testing.T, tenant string, want ...access.Key) {
	t.Helper()
	list, err := s.Keys(t.Context(), tenant, "", 100)
	if err != nil || !reflect.DeepEqual(list, want) {
		t.Errorf("keys of %s: got %+v (%v), want %+v", tenant, list, err, want)
	}
	for _, k := range want {
		if got, err := s.Key(t.Context(), k.ID); err != nil || !reflect.DeepEqual(got, k) {
			t.Errorf("key: got %+v (%v), want %+v", got, err, k)
		}
	}
}

func accountsAreFoundAndListed(t *testing.T, s *suite) {
	own, staff, other := account("north", "kari"), account("north", "Ådne staff"), account("south", "bo")
	staff.Customers, staff.CreatedAt = access.AllCustomers(), timeAt(2)
	s.addAccount(t, staff)
	s.addAccount(t, own)
	s.addAccount(t, other)
	s.wantAccounts(t, "north", own, staff)
	s.wantAccounts(t, "south", other)
	s.wantAccounts(t, "west")
	for _, login := range []string{"Kari", "kari ", ""} {
		_, err := s.Account(t.Context(), login)
		wantFault(t, err, fault.NotFound, "")
	}
}

func activeLogin(t *testing.T, s *suite) {
	a := account("north", "kari")
	s.addAccount(t, a)
	again := a
	again.ID = "acc_again"
	again.PasswordHash, again.Customers = "another", access.AllCustomers()
	wantFault(t, s.AddAccount(t.Context(), again), fault.Conflict, "login")
	wantFault(t, s.AddAccount(t.Context(), account("south", "kari")), fault.Conflict, "login")
	s.wantAccounts(t, "north", a)
	s.wantAccounts(t, "south")
}

func revokedAccounts(t *testing.T, s *suite) {
	a := account("north", "kari")
	s.addAccount(t, a)
	wantFault(t, s.RevokeAccount(t.Context(), "south", a.ID, timeAt(5)), fault.NotFound, "")
	wantFault(t, s.RevokeAccount(t.Context(), "north", a.Login, timeAt(5)), fault.NotFound, "")
	if err := s.RevokeAccount(t.Context(), "north", a.ID, timeAt(5)); err != nil {
		t.Fatal(err)
	}
	wantFault(t, s.RevokeAccount(t.Context(), "north", a.ID, timeAt(6)), fault.NotFound, "")
	a.RevokedAt = timeAt(5)
	s.wantAccounts(t, "north", a)
	_, err := s.Account(t.Context(), "kari")
	wantFault(t, err, fault.NotFound, "")

	// Another account gets the login, and later one of another tenant.
	second := account("north", "kari")
	second.ID, second.PasswordHash, second.Customers, second.CreatedAt = "acc_second", "another", access.AllCustomers(), timeAt(7)
	s.addAccount(t, second)
	s.wantAccounts(t, "north", a, second)
	wantFault(t, s.AddAccount(t.Context(), account("south", "kari")), fault.Conflict, "login")
	if err := s.RevokeAccount(t.Context(), "north", second.ID, timeAt(8)); err != nil {
		t.Fatal(err)
	}
	second.RevokedAt = timeAt(8)
	third := account("south", "kari")
	s.addAccount(t, third)
	s.wantAccounts(t, "north", a, second)
	s.wantAccounts(t, "south", third)
}

func concurrentAccounts(t *testing.T, s *suite) {
	var added atomic.Int32
	var wg sync.WaitGroup
	for n := range 16 {
		wg.Go(func() {
			a := account("north", "kari")
			a.ID = fmt.Sprint("acc_", n)
			err := s.AddAccount(t.Context(), a)
			if err == nil {
				added.Add(1)
				return
			}
			wantFault(t, err, fault.Conflict, "login")
		})
	}
	wg.Wait()
	if added.Load() != 1 {
		t.Errorf("got %d accounts with one login, want 1", added.Load())
	}
}

func keysAreFoundAndListed(t *testing.T, s *suite) {
	first, second, other := key("north", "Zb3dE6gH", 1), key("north", "Ab3dE6gH", 2), key("south", "ab3dE6gH", 1)
	s.addKey(t, second)
	s.addKey(t, other)
	s.addKey(t, first)
	s.wantKeys(t, "north", first, second)
	s.wantKeys(t, "south", other)
	s.wantKeys(t, "west")
	_, err := s.Key(t.Context(), "zb3dE6gH")
	wantFault(t, err, fault.NotFound, "")
	wantFault(t, s.AddKey(t.Context(), key("south", first.ID, 3)), fault.Conflict, "id")
	s.wantKeys(t, "north", first, second)
}

func revokedKeys(t *testing.T, s *suite) {
	k := key("north", "Ab3dE6gH", 1)
	s.addKey(t, k)
	wantFault(t, s.RevokeKey(t.Context(), "south", k.ID, timeAt(5)), fault.NotFound, "")
	wantFault(t, s.RevokeKey(t.Context(), "north", "Zb3dE6gH", timeAt(5)), fault.NotFound, "")
	if err := s.RevokeKey(t.Context(), "north", k.ID, timeAt(5)); err != nil {
		t.Fatal(err)
	}
	wantFault(t, s.RevokeKey(t.Context(), "north", k.ID, timeAt(6)), fault.NotFound, "")
	k.RevokedAt = timeAt(5)
	s.wantKeys(t, "north", k)
	wantFault(t, s.AddKey(t.Context(), k), fault.Conflict, "id")
}

func credentialsSurvive(t *testing.T, s *suite) {
	a, k := account("north", "kari"), key("north", "Ab3dE6gH", 1)
	s.addAccount(t, a)
	s.addKey(t, k)
	s.reopen()
	s.wantAccounts(t, "north", a)
	s.wantKeys(t, "north", k)
}

// pages reads a list to its end, two at a time.
func pages[T any](t *testing.T, page func(after string, limit int) ([]T, error), name func(T) string) []T {
	t.Helper()
	var all []T
	for after := ""; len(all) < 100; after = name(all[len(all)-1]) {
		list, err := page(after, 2)
		if err != nil || len(list) > 2 {
			t.Fatalf("after %q: got %d (%v), want 2 at most", after, len(list), err)
		}
		if len(list) == 0 {
			break
		}
		all = append(all, list...)
	}
	return all
}

func accountPages(t *testing.T, s *suite) {
	var want []access.Account
	for n, login := range []string{"kari", "Bo", "ådne", "kari staff", "bo"} {
		a := account("north", login)
		a.ID, a.CreatedAt = fmt.Sprint("acc_", n), timeAt((n+1)/2) // two pairs have the same time
		want = append(want, a)
	}
	for _, a := range slices.Backward(want) {
		s.addAccount(t, a)
	}
	s.addAccount(t, account("south", "c"))
	if err := s.RevokeAccount(t.Context(), "north", want[2].ID, timeAt(5)); err != nil {
		t.Fatal(err)
	}
	want[2].RevokedAt = timeAt(5)
	got := pages(t, func(after string, limit int) ([]access.Account, error) {
		return s.Accounts(t.Context(), "north", after, limit)
	}, func(a access.Account) string { return a.ID })
	if !reflect.DeepEqual(got, want) {
		t.Errorf("accounts: got %+v, want %+v", got, want)
	}
}

func keyPages(t *testing.T, s *suite) {
	want := []access.Key{ // three have the same time
		key("north", "Zb3dE6gH", 1),
		key("north", "Ab3dE6gH", 2), key("north", "Bb3dE6gH", 2), key("north", "bb3dE6gH", 2),
		key("north", "0b3dE6gH", 3),
	}
	for _, k := range slices.Backward(want) {
		s.addKey(t, k)
	}
	s.addKey(t, key("south", "Cb3dE6gH", 2))
	got := pages(t, func(after string, limit int) ([]access.Key, error) {
		return s.Keys(t.Context(), "north", after, limit)
	}, func(k access.Key) string { return k.ID })
	if !reflect.DeepEqual(got, want) {
		t.Errorf("keys: got %+v, want %+v", got, want)
	}
}

func keyOptions(t *testing.T, s *suite) {
	var want []access.Key
	for n, options := range []access.KeyOptions{
		{}, {RequireIfMatch: true}, {AllowStaleWrites: true}, {RequireIfMatch: true, AllowStaleWrites: true},
	} {
		k := key("north", fmt.Sprint("Ab3dE6g", n), n+1)
		k.Options = options
		s.addKey(t, k)
		want = append(want, k)
	}
	s.wantKeys(t, "north", want...)
	s.reopen()
	s.wantKeys(t, "north", want...)
}

func secretsPersist(t *testing.T, s *suite) {
	const name = "cursor"
	want, err := s.Secret(t.Context(), name)
	if err != nil || len(want) < 32 || bytes.Count(want, want[:1]) == len(want) {
		t.Fatalf("got %d bytes (%v), want 32 at random", len(want), err)
	}
	same := func(which string, from Store) {
		t.Helper()
		if got, err := from.Secret(t.Context(), name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got another secret (%v)", which, err)
		}
	}
	same("the second time", s)
	same("another server", s.openAgain())
	s.reopen()
	same("after reopening", s)

	other := openSuite(t, s.engine)
	if got, err := other.Secret(t.Context(), name); err != nil || bytes.Equal(got, want) {
		t.Errorf("another store: got the same secret (%v)", err)
	}
	_, err = s.Secret(t.Context(), "no such secret")
	wantFault(t, err, fault.NotFound, "")
}
