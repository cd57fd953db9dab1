package access_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kartotek/internal/access"
)

// dear is a directory with one account whose hash costs what real ones do.
func dear(t *testing.T) (*access.Directory, *clock) {
	t.Helper()
	account, err := access.NewAccount("north", "kari", "correct horse", access.AllCustomers(), noon)
	if err != nil {
		t.Fatal(err)
	}
	s, c := newShop(), newClock()
	s.accounts["kari"] = account
	gone := account
	gone.Login, gone.RevokedAt = "gone", noon
	s.accounts["gone"] = gone
	return access.NewDirectory(s, c.now), c
}

func TestAVerifiedPasswordIsNotHashedAgain(t *testing.T) {
	t.Parallel()
	d, c := dear(t)
	call := func() time.Duration {
		began := time.Now()
		if _, err := d.ByPassword(t.Context(), home, "kari", "correct horse"); err != nil {
			t.Fatal(err)
		}
		return time.Since(began)
	}
	hash := call()
	var verified time.Duration
	for range 1000 { // within five minutes, with an account that is read again and again
		verified += call()
		c.pass(250 * time.Millisecond)
	}
	if verified > 20*hash {
		t.Errorf("1000 verified calls took %v, want far less than 1000 hashes of %v", verified, hash)
	}
	c.pass(5 * time.Minute)
	if again, one := call(), verified/1000; again < 10*one {
		t.Errorf("after five minutes a call took %v, want a hash of about %v and no verified call of %v", again, hash, one)
	}
}

// Not parallel, since it compares times.
func TestAnUnknownLoginLooksLikeAWrongPassword(t *testing.T) {
	d, _ := dear(t)
	pairs := map[string][2]string{
		"wrong password":  {"kari", "wrong horse"},
		"unknown login":   {"nobody", "correct horse"},
		"revoked account": {"gone", "correct horse"},
	}
	took := map[string]time.Duration{} // the quickest of all: a busy machine only ever adds
	answers := map[string]error{}
	for range 7 {
		for name, pair := range pairs {
			began := time.Now()
			got, err := d.ByPassword(t.Context(), home, pair[0], pair[1])
			if once := time.Since(began); took[name] == 0 || once < took[name] {
				took[name] = once
			}
			answers[name] = err
			refused(t, name, got, err)
		}
	}
	wrong := took["wrong password"]
	for name := range pairs {
		if took[name] > 2*wrong || wrong > 2*took[name] {
			t.Errorf("%s: took %v, want about %v, as a wrong password does", name, took[name], wrong)
		}
		if diff := cmp.Diff(answers["wrong password"], answers[name]); diff != "" {
			t.Errorf("%s is answered otherwise than a wrong password:\n%s", name, diff)
		}
	}
}
