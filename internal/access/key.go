package access

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"log/slog"
	"math/big"
	"slices"
	"strings"
	"time"

	"kartotek/internal/fault"
)

// Key is an API key as it is kept: all but its secret.
type Key struct {
	Tenant    string
	ID        string // 8 characters of base62; not secret
	Name      string // for people
	Hash      [sha256.Size]byte
	Scopes    []Scope
	CreatedAt time.Time
	RevokedAt time.Time // zero while the key works
	Options   KeyOptions
}

// KeyOptions is how the changes of a key are taken.
type KeyOptions struct {
	// RequireIfMatch refuses a change that does not say which version of the
	// record it is meant for.
	RequireIfMatch bool

	// AllowStaleWrites takes every value for meant, also one that the caller was
	// shown once and sends back unchanged after another has changed it.
	AllowStaleWrites bool
}

// A key is written kart_ID_SECRETCHECK: an id of 8 characters, a secret of 256
// bits in 43, and 6 of CRC-32 over all before them, so that a scanner of source
// code can recognise one without asking anybody. Letters are base62.
const (
	keyPrefix = "kart_"
	idLen     = 8
	secretLen = 43
	checkLen  = 6
	keyLen    = len(keyPrefix) + idLen + 1 + secretLen + checkLen
)

// NewKey returns a key and its text, which is shown once and kept nowhere; or an
// Invalid fault that tells every rule that the name or the scopes break.
func NewKey(tenant, name string, scopes []Scope, now time.Time) (Key, string, error) {
	var checks fault.Validator
	checkTenant(&checks, tenant)
	checks.Require(printable(name), "name", fault.Format, "must be 1 to 100 printable characters without spaces at its ends")
	checks.Require(len(scopes) > 0, "scopes", fault.Required, "is required: at least one scope")
	seen := map[Scope]bool{}
	for i, s := range scopes {
		path, known := fmt.Sprintf("scopes.%d", i), slices.Contains(Scopes(), s)
		checks.Require(known, path, fault.Format, "must be one of "+scopeList)
		checks.Require(!known || !seen[s], path, fault.Duplicate, "must not be repeated")
		seen[s] = true
	}
	if err := checks.Err(); err != nil {
		return Key{}, "", err
	}
	body := keyPrefix + randomBase62(idLen) + "_" + randomBase62(secretLen)
	text := body + checksum(body)
	return KeyOf(tenant, name, scopes, text, now), text, nil
}

// KeyOf is the key with this text, which must be well-formed.
func KeyOf(tenant, name string, scopes []Scope, text string, now time.Time) Key {
	id, ok := keyID(text)
	if !ok {
		panic("access: the text is not that of a key")
	}
	return Key{Tenant: tenant, ID: id, Name: name, Hash: sha256.Sum256([]byte(text)), Scopes: scopes, CreatedAt: now}
}

// keyID is the id in the text of a key; ok is false for a text that cannot be one.
func keyID(text string) (id string, ok bool) {
	if len(text) != keyLen || !strings.HasPrefix(text, keyPrefix) || text[len(keyPrefix)+idLen] != '_' {
		return "", false
	}
	body := text[:keyLen-checkLen]
	return body[len(keyPrefix) : len(keyPrefix)+idLen], text[keyLen-checkLen:] == checksum(body)
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// randomBase62 returns n characters that are each drawn evenly.
func randomBase62(n int) string {
	out := make([]byte, n)
	for i := range out {
		c, err := rand.Int(rand.Reader, big.NewInt(int64(len(base62))))
		if err != nil {
			panic(err) // crypto/rand does not fail on the systems Go supports
		}
		out[i] = base62[c.Int64()]
	}
	return string(out)
}

func checksum(s string) string {
	sum := crc32.ChecksumIEEE([]byte(s))
	out := make([]byte, checkLen)
	for i := range out {
		out[checkLen-1-i] = base62[sum%62]
		sum /= 62
	}
	return string(out)
}

// actor is what a caller with this key may do.
func (k Key) actor() Actor {
	return Actor{Tenant: k.Tenant, Name: "key:" + k.ID, Customers: AllCustomers(), Scopes: k.Scopes, Options: k.Options}
}

// LogValue keeps the hash out of every log.
func (k Key) LogValue() slog.Value { return slog.StringValue("key " + k.ID) }
