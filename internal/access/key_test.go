package access_test

import (
	"context"
	"crypto/sha256"
	"hash/crc32"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kartotek/internal/access"
	"kartotek/internal/fault"
)

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func newKey(t *testing.T, scopes ...access.Scope) (access.Key, string) {
	t.Helper()
	key, text, err := access.NewKey("north", "night job", scopes, noon)
	if err != nil {
		t.Fatal(err)
	}
	return key, text
}

func TestKeyTextHasChecksum(t *testing.T) {
	t.Parallel()
	format := regexp.MustCompile(`^kart_([0-9A-Za-z]{8})_[0-9A-Za-z]{43}([0-9A-Za-z]{6})$`)
	for range 50 {
		key, text := newKey(t, access.Read)
		parts := format.FindStringSubmatch(text)
		if parts == nil || "key_"+parts[1] != key.ID {
			t.Fatalf("text: got %q with id %q, want kart_ID_SECRETCHECK", text, key.ID)
		}
		sum := int64(0)
		for _, digit := range parts[2] {
			sum = sum*62 + int64(strings.IndexRune(alphabet, digit))
		}
		if want := int64(crc32.ChecksumIEEE([]byte(text[:len(text)-6]))); sum != want {
			t.Fatalf("checksum of %q: got %d, want %d", text, sum, want)
		}
	}
}

func TestNewKeyStoresHashNotSecret(t *testing.T) {
	t.Parallel()
	key, text := newKey(t, access.Read, access.Erase)
	if key.Hash != sha256.Sum256([]byte(text)) {
		t.Errorf("hash: got %x, want the SHA-256 of the text", key.Hash)
	}
	if key.Tenant != "north" || key.Name != "night job" || key.CreatedAt != noon || !key.RevokedAt.IsZero() ||
		!slices.Equal(key.Scopes, []access.Scope{access.Read, access.Erase}) {
		t.Errorf("key: got %+v, want night job of north with read and erase", key)
	}
	parsed := access.ParseKey("north", "night job", key.Scopes, text, noon)
	if parsed.ID != key.ID || parsed.Hash != key.Hash {
		t.Errorf("ParseKey: got %s %x, want %s %x", parsed.ID, parsed.Hash, key.ID, key.Hash)
	}
}

func TestNewKeyIsRandom(t *testing.T) {
	t.Parallel()
	drawn := map[string]bool{}
	for range 500 {
		key, text := newKey(t, access.Read)
		for _, part := range []string{key.ID, text[14:57]} {
			if drawn[part] {
				t.Fatalf("%q of %q was drawn before", part, text)
			}
			drawn[part] = true
		}
	}
}

func TestNewKeyReportsEveryBrokenRule(t *testing.T) {
	t.Parallel()
	read := []access.Scope{access.Read}
	tests := map[string]struct {
		tenant, name string
		scopes       []access.Scope
		want         string
	}{
		"shortest name":          {"n", "n", read, ""},
		"name of 100 characters": {"n", strings.Repeat("é", 100), read, ""},
		"every scope":            {"n", "n", access.Scopes(), ""},
		"empty tenant":           {"", "n", read, "tenant:format"},
		"empty name":             {"n", "", read, "name:format"},
		"name with NUL":          {"n", "shop\x00", read, "name:format"},
		"name starts with space": {"n", " shop", read, "name:format"},
		"name of 101 characters": {"n", strings.Repeat("é", 101), read, "name:format"},
		"no scope":               {"n", "n", nil, "scopes:required"},
		"unknown scope":          {"n", "n", []access.Scope{"customers:all"}, "scopes.0:format"},
		"two unknown scopes":     {"n", "n", []access.Scope{access.Read, "a", "a"}, "scopes.1:format scopes.2:format"},
		"duplicate scope":        {"n", "n", []access.Scope{access.Read, access.Erase, access.Read}, "scopes.2:duplicate"},
		"several broken rules":   {"-", "", nil, "tenant:format name:format scopes:required"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, text, err := access.NewKey(tt.tenant, tt.name, tt.scopes, noon)
			if got := brokenRules(err); got != tt.want {
				t.Errorf("broken rules: got %q, want %q, for %+v", got, tt.want, tt)
			}
			if err != nil && (text != "" || key.ID != "") {
				t.Errorf("got the key %+v with %v", key, err)
			}
		})
	}
}

func TestParseKeyPanicsOnMalformedText(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("got no panic")
		}
	}()
	access.ParseKey("north", "n", nil, "kart_", noon)
}

func TestMistypedKeyIsRejectedWithoutLookup(t *testing.T) {
	t.Parallel()
	store := newMemoryStore()
	key, text := newKey(t, access.Read)
	store.keys[key.ID] = key
	directory := access.NewDirectory(store, newClock().now)

	typos := []string{"", "kart_", text + "0", text[1:], text[:len(text)-1], " " + text, text + "\n", strings.ToUpper(text)}
	for i := range len(text) {
		for _, letter := range []byte(alphabet + "_-\x00\xff ") {
			if letter != text[i] {
				typos = append(typos, text[:i]+string([]byte{letter})+text[i+1:])
			}
		}
		if i > 0 && text[i] != text[i-1] {
			typos = append(typos, text[:i-1]+text[i:i+1]+text[i-1:i]+text[i+1:])
		}
	}
	for _, typo := range typos {
		if _, err := directory.ByKey(context.Background(), typo); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%q for %q: got %v, want unauthenticated", typo, text, err)
		}
	}
	if n := store.lookupCount(); n != 0 {
		t.Errorf("got %d lookups of malformed keys, want 0", n)
	}
	if _, err := directory.ByKey(context.Background(), text); err != nil || store.lookupCount() != 1 {
		t.Errorf("the key itself: got %v after %d lookups, want an actor after 1", err, store.lookupCount())
	}
}
