package access_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kartotek/internal/access"
)

// realCostDirectory returns a directory with accounts whose hashes have the production cost.
func realCostDirectory(t *testing.T) (*access.Directory, *clock) {
	t.Helper()
	account, err := access.NewAccount("north", "kari", "correct horse", access.AllCustomers(), noon)
	if err != nil {
		t.Fatal(err)
	}
	s, c := newMemoryStore(), newClock()
	s.accounts["kari"] = account
	revoked := account
	revoked.Login, revoked.RevokedAt = "revoked", noon
	s.accounts["revoked"] = revoked
	return access.NewDirectory(s, c.now), c
}

func TestVerifiedPasswordIsCached(t *testing.T) {
	t.Parallel()
	d, c := realCostDirectory(t)
	call := func() time.Duration {
		began := time.Now()
		if _, err := d.ByPassword(t.Context(), clientAddr, "kari", "correct horse"); err != nil {
			t.Fatal(err)
		}
		return time.Since(began)
	}
	hash := call()
	var verified time.Duration
	for range 1000 { // within verifiedTTL, but past lookupTTL
		verified += call()
		c.advance(250 * time.Millisecond)
	}
	if verified > 20*hash {
		t.Errorf("1000 verified calls took %v, want far less than 1000 hashes of %v", verified, hash)
	}
	c.advance(5 * time.Minute)
	if again, one := call(), verified/1000; again < 10*one {
		t.Errorf("after five minutes a call took %v, want about %v for a hash, not %v for a cached call", again, hash, one)
	}
}

// Not parallel: it compares durations.
func TestUnknownLoginIsIndistinguishableFromWrongPassword(t *testing.T) {
	d, _ := realCostDirectory(t)
	pairs := map[string][2]string{
		"wrong password":  {"kari", "wrong horse"},
		"unknown login":   {"unknown", "correct horse"},
		"revoked account": {"revoked", "correct horse"},
	}
	took := map[string]time.Duration{} // the minimum, which a busy machine affects least
	errs := map[string]error{}
	for range 7 {
		for name, pair := range pairs {
			began := time.Now()
			got, err := d.ByPassword(t.Context(), clientAddr, pair[0], pair[1])
			if d := time.Since(began); took[name] == 0 || d < took[name] {
				took[name] = d
			}
			errs[name] = err
			wantUnauthenticated(t, name, got, err)
		}
	}
	wrong := took["wrong password"]
	for name := range pairs {
		if took[name] > 2*wrong || wrong > 2*took[name] {
			t.Errorf("%s: took %v, want about %v, as for a wrong password", name, took[name], wrong)
		}
		if diff := cmp.Diff(errs["wrong password"], errs[name]); diff != "" {
			t.Errorf("%s: the error differs from that of a wrong password:\n%s", name, diff)
		}
	}
}
