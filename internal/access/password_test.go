package access

import (
	"context"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"kartotek/internal/fault"
)

// clientAddr is the client address in these tests.
var clientAddr = netip.MustParseAddr("192.0.2.1")

// cheapParams make hashing fast.
var cheapParams = argonParams{memory: 8, passes: 1, lanes: 1}

func cheapPHC(p argonParams, password string) string {
	salt := []byte("sixteen bytes ok")
	return p.phc(salt, p.hash(password, salt))
}

func TestHashMatchesOnlyItsPassword(t *testing.T) {
	t.Parallel()
	phc := hashPassword("correct horse")
	for password, want := range map[string]bool{"correct horse": true, "wrong horse": false} {
		if got, err := passwordMatches(phc, password); err != nil || got != want {
			t.Errorf("%q against %s: got %v, %v, want %v", password, phc, got, err, want)
		}
	}
	if again := hashPassword("correct horse"); again == phc {
		t.Errorf("two hashes of one password are equal: %s", phc)
	}
}

func TestPasswordsAreComparedInNFC(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		set, typed string
		want       bool
	}{
		"equal":                  {"pässwörd", "pässwörd", true},
		"typed in NFD":           {"pässwörd", "pa\u0308sswo\u0308rd", true},
		"set in NFD":             {"pa\u0308sswo\u0308rd", "pässwörd", true},
		"without the accents":    {"pässwörd", "password", false},
		"different case":         {"pässwörd", "Pässwörd", false},
		"a compatibility letter": {"office12", "oﬃce12", false},
		"leading space":          {"password", " password", false},
		"invalid UTF-8":          {"pass\xffword", "pass\xffword", true},
		"differs after NUL":      {"pass\x00word", "pass\x00wort", false},
	}
	for name, tt := range tests {
		if got, err := passwordMatches(cheapPHC(cheapParams, tt.set), tt.typed); err != nil || got != tt.want {
			t.Errorf("%s, %q for %q: got %v, %v, want %v", name, tt.typed, tt.set, got, err, tt.want)
		}
	}
}

func TestHashRecordsItsParameters(t *testing.T) {
	t.Parallel()
	for _, p := range []argonParams{{8, 1, 1}, {64, 1, 1}, {64, 3, 1}, {64, 1, 4}} {
		phc := cheapPHC(p, "correct horse")
		if got, err := passwordMatches(phc, "correct horse"); err != nil || !got {
			t.Errorf("%s: got %v, %v, want a match", phc, got, err)
		}
		got, salt, hash, err := parsePHC(phc)
		if err != nil || got != p || string(salt) != "sixteen bytes ok" || len(hash) != hashLen {
			t.Errorf("%s: got %+v, %q, %x, %v, want %+v", phc, got, salt, hash, err, p)
		}
	}
	phc := cheapPHC(cheapParams, "correct horse")
	for _, other := range []string{"m=16,t=1,p=1", "m=8,t=2,p=1"} {
		if got, err := passwordMatches(strings.Replace(phc, "m=8,t=1,p=1", other, 1), "correct horse"); err != nil || got {
			t.Errorf("a hash of m=8,t=1,p=1 read as %s: got %v, %v, want no match", other, got, err)
		}
	}
}

func TestUnreadableHashErrorOmitsHash(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"empty":                "",
		"a password":           "correct horse",
		"bcrypt":               "$2b$12$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"argon2i":              "$argon2i$v=19$m=8,t=1,p=1$c2FsdA$SECRET",
		"another version":      "$argon2id$v=16$m=8,t=1,p=1$c2FsdA$SECRET",
		"no version":           "$argon2id$m=8,t=1,p=1$c2FsdA$SECRET",
		"no parameters":        "$argon2id$v=19$$c2FsdA$SECRET",
		"a missing parameter":  "$argon2id$v=19$m=8,t=1$c2FsdA$SECRET",
		"letters for numbers":  "$argon2id$v=19$m=a,t=b,p=c$c2FsdA$SECRET",
		"a negative number":    "$argon2id$v=19$m=8,t=-1,p=1$c2FsdA$SECRET",
		"too many lanes":       "$argon2id$v=19$m=8,t=1,p=256$c2FsdA$SECRET",
		"no passes":            "$argon2id$v=19$m=8,t=0,p=1$c2FsdA$SECRET",
		"no lanes":             "$argon2id$v=19$m=8,t=1,p=0$c2FsdA$SECRET",
		"no memory":            "$argon2id$v=19$m=0,t=1,p=1$c2FsdA$SECRET",
		"invalid salt":         "$argon2id$v=19$m=8,t=1,p=1$c2FsdA=$SECRET",
		"invalid hash":         "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$SECRET!",
		"extra part":           "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$SECRET$SECRET",
		"text before the hash": "x$argon2id$v=19$m=8,t=1,p=1$c2FsdA",
		"missing part":         "$argon2id$v=19$m=8,t=1,p=1$c2FsdA",
	}
	for name, phc := range tests {
		got, err := passwordMatches(phc, "correct horse")
		if err == nil || got {
			t.Errorf("%s, %q: got %v and no error, want an error", name, phc, got)
			continue
		}
		if strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "c2FsdA") {
			t.Errorf("%s: the error contains the hash: %v", name, err)
		}
	}
}

func TestShortHashMatchesNothing(t *testing.T) {
	t.Parallel()
	for _, hash := range []string{"", "AAAA"} {
		if got, _ := passwordMatches("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$"+hash, "correct horse"); got {
			t.Errorf("the hash %q: got a match", hash)
		}
	}
}

func TestDummyHashMatchesNoPassword(t *testing.T) {
	t.Parallel()
	if p, _, _, err := parsePHC(dummyHash()); err != nil || p != currentParams {
		t.Errorf("parameters: got %+v, %v, want those of a new hash, %+v", p, err, currentParams)
	}
	if got, err := passwordMatches(dummyHash(), ""); err != nil || got {
		t.Errorf("the empty password: got %v, %v, want no match", got, err)
	}
}

// singleAccount implements Credentials with one account for every login.
type singleAccount struct{ account Account }

func (o singleAccount) Account(context.Context, string) (Account, error) { return o.account, nil }

func (o singleAccount) Key(context.Context, string) (Key, error) {
	return Key{}, fault.New(fault.NotFound, "no such key")
}

func TestCanceledWaitForHashSlotReturnsUnavailable(t *testing.T) {
	t.Parallel()
	d := NewDirectory(singleAccount{Account{Login: "kari", PasswordHash: cheapPHC(cheapParams, "correct horse")}}, time.Now)
	d.fillSlots()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := d.ByPassword(ctx, clientAddr, "kari", "correct horse"); !fault.Is(err, fault.Unavailable) || got.Scopes != nil {
		t.Errorf("without a free slot: got %+v, %v, want unavailable", got, err)
	}
	d.freeSlots()
	if _, err := d.ByPassword(t.Context(), clientAddr, "kari", "correct horse"); err != nil || d.hashing.free != runtime.GOMAXPROCS(0) {
		t.Errorf("with free slots: got %v and %d free, want an actor and all", err, d.hashing.free)
	}
}

func TestCachedVerificationNeedsNoHashSlot(t *testing.T) {
	t.Parallel()
	d := NewDirectory(singleAccount{Account{Login: "kari", PasswordHash: cheapPHC(cheapParams, "correct horse")}}, time.Now)
	if _, err := d.ByPassword(t.Context(), clientAddr, "kari", "correct horse"); err != nil {
		t.Fatal(err)
	}
	d.fillSlots()
	if _, err := d.ByPassword(t.Context(), clientAddr, "kari", "correct horse"); err != nil {
		t.Errorf("verified, without a free slot: got %v, want an actor", err)
	}
}
