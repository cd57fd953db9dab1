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

// Key is a stored API key. It has a hash in place of the secret.
type Key struct {
	Tenant    string
	ID        string // "key_" and 8 base62 characters; not secret, never reused
	Name      string // for display
	Hash      [sha256.Size]byte
	Scopes    []Scope
	CreatedAt time.Time
	RevokedAt time.Time // zero while the key is active
	Options   KeyOptions
}

// KeyOptions control how the server handles the changes of a key.
type KeyOptions struct {
	// RequireIfMatch rejects a change without If-Match.
	RequireIfMatch bool

	// AllowStaleWrites turns off stale-write protection: a value that the client sends
	// back unchanged overwrites a newer one.
	AllowStaleWrites bool
}

// The text of a key is kart_ID_SECRETCHECK in base62: an id of 8 characters, a secret of
// 43 (256 bits), and a CRC-32 of everything before it in 6. The checksum lets a secret
// scanner recognize a key offline.
const (
	idPrefix  = "key_" // of the stored id
	keyPrefix = "kart_"
	idLen     = 8
	secretLen = 43
	checkLen  = 6
	keyLen    = len(keyPrefix) + idLen + 1 + secretLen + checkLen
)

// NewKey returns a new key and its text, which is not stored, or an Invalid fault that
// lists every broken rule.
func NewKey(tenant, name string, scopes []Scope, now time.Time) (Key, string, error) {
	var checks fault.Validator
	checkTenant(&checks, tenant)
	checks.Require(isPrintableName(name), "name", fault.Format, "must be 1 to 100 printable characters, without leading or trailing spaces")
	checks.Require(len(scopes) > 0, "scopes", fault.Required, "is required: at least one scope")
	for i, s := range scopes {
		path, known := fmt.Sprintf("scopes.%d", i), slices.Contains(Scopes(), s)
		checks.Require(known, path, fault.Format, "must be one of "+scopeList)
		checks.Require(!known || !slices.Contains(scopes[:i], s), path, fault.Duplicate, "must not be repeated")
	}
	if err := checks.Err(); err != nil {
		return Key{}, "", err
	}
	body := keyPrefix + randomBase62(idLen) + "_" + randomBase62(secretLen)
	text := body + checksum(body)
	return ParseKey(tenant, name, scopes, text, now), text, nil
}

// ParseKey returns the key with this text. It panics when the text is malformed.
func ParseKey(tenant, name string, scopes []Scope, text string, now time.Time) Key {
	id, ok := keyID(text)
	if !ok {
		panic("access: malformed key")
	}
	return Key{Tenant: tenant, ID: id, Name: name, Hash: sha256.Sum256([]byte(text)), Scopes: scopes, CreatedAt: now}
}

// keyID extracts the id from the text of a key. ok is false for a malformed text.
func keyID(text string) (id string, ok bool) {
	if len(text) != keyLen || !strings.HasPrefix(text, keyPrefix) || text[len(keyPrefix)+idLen] != '_' {
		return "", false
	}
	body := text[:keyLen-checkLen]
	return idPrefix + body[len(keyPrefix):len(keyPrefix)+idLen], text[keyLen-checkLen:] == checksum(body)
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

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

func (k Key) actor() Actor {
	return Actor{Tenant: k.Tenant, ID: k.ID, Name: k.Name, Customers: AllCustomers(), Scopes: k.Scopes, Options: k.Options}
}

// LogValue keeps the hash out of logs.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.ID) }
