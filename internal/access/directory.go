package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sync/singleflight"
	"golang.org/x/text/unicode/norm"

	"kartotek/internal/fault"
)

// Credentials looks up accounts and keys.
type Credentials interface {
	// Account returns the active account with this login, or a NotFound fault.
	Account(ctx context.Context, login string) (Account, error)

	// Key returns the key with this id, active or revoked, or a NotFound fault.
	Key(ctx context.Context, id string) (Key, error)
}

// Registry manages accounts and keys.
type Registry interface {
	// AddAccount returns a Conflict fault on "login" when an active account has that login.
	AddAccount(ctx context.Context, a Account) error
	// Accounts lists up to limit of the tenant's accounts, active and revoked, ordered by
	// creation time and starting after the one with the given id. After "" starts at the
	// first.
	Accounts(ctx context.Context, tenant, after string, limit int) ([]Account, error)
	// RevokeAccount returns a NotFound fault when the tenant has no such active account.
	RevokeAccount(ctx context.Context, tenant, id string, at time.Time) error

	AddKey(ctx context.Context, k Key) error
	// Keys lists up to limit of the tenant's keys, active and revoked, ordered by creation
	// time and starting after the key with the given id. After "" starts at the first.
	Keys(ctx context.Context, tenant, after string, limit int) ([]Key, error)
	// RevokeKey returns a NotFound fault when the tenant has no such active key.
	RevokeKey(ctx context.Context, tenant, id string, at time.Time) error
}

const (
	// lookupTTL is how long accounts and keys are cached. A revocation, by this process
	// or another, takes effect within it.
	lookupTTL = 2 * time.Second

	// verifiedTTL is how long a successful argon2 verification is cached.
	verifiedTTL = 5 * time.Minute

	// maxEntries bounds each cache and limiter pool.
	maxEntries = 10_000
)

// Directory authenticates credentials. It is safe for concurrent use.
type Directory struct {
	store     Credentials
	accounts  *ttlCache[string, Account]
	keys      *ttlCache[string, Key]
	verified  *ttlCache[[sha256.Size]byte, string] // credentialMAC → the password hash it matched
	throttle  *loginThrottle
	macKey    []byte // random per process, so that a leaked MAC cannot be tested elsewhere
	hashing   *hashQueue
	verifying singleflight.Group
}

// NewDirectory returns a directory on store.
func NewDirectory(store Credentials, now func() time.Time) *Directory {
	macKey := make([]byte, 32)
	rand.Read(macKey) // never returns an error
	return &Directory{
		store:    store,
		accounts: newTTLCache[string, Account](lookupTTL, maxEntries, now),
		keys:     newTTLCache[string, Key](lookupTTL, maxEntries, now),
		verified: newTTLCache[[sha256.Size]byte, string](verifiedTTL, maxEntries, now),
		throttle: newLoginThrottle(now),
		macKey:   macKey,
		hashing:  newHashQueue(),
	}
}

// ByPassword returns the actor with this login and password, or an Unauthenticated fault.
// It compares logins in NFC. An unknown login takes as long as a wrong password and gets
// the same error.
//
// After too many failures from this address it returns a RateLimited fault even for the
// right password, so that a throttled attacker learns nothing.
func (d *Directory) ByPassword(ctx context.Context, from netip.Addr, login, password string) (Actor, error) {
	login = norm.NFC.String(login) // keyboards differ in how they encode accents
	if err := d.throttle.check(from, login); err != nil {
		return Actor{}, err
	}
	account, err := cached(ctx, d.accounts, login, d.store.Account)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Actor{}, err
	}
	known := err == nil
	hash := account.PasswordHash
	if !known {
		hash = dummyHash()
	}
	matches, err := d.verify(ctx, from, hash, login, password)
	if err != nil {
		return Actor{}, err
	}
	if !known || !matches {
		return Actor{}, unauthenticated("account")
	}
	return account.actor(), nil
}

// verify checks the password with argon2, unless the same login, password and hash are in
// the cache of verified credentials.
func (d *Directory) verify(ctx context.Context, from netip.Addr, hash, login, password string) (bool, error) {
	mac := d.credentialMAC(login, password)
	if matched, ok := d.verified.get(mac); ok && matched == hash {
		return true, nil
	}
	select {
	case result := <-d.verifying.DoChan(string(mac[:])+hash, func() (any, error) {
		return d.verifyUncached(context.WithoutCancel(ctx), from, hash, login, password)
	}):
		matches, _ := result.Val.(bool)
		return matches, result.Err
	case <-ctx.Done():
		return false, errTooManyLogins()
	}
}

// verifyUncached checks the password with argon2. Requests that arrive together with the same
// credentials, as when a client opens many connections, share one call.
func (d *Directory) verifyUncached(ctx context.Context, from netip.Addr, hash, login, password string) (bool, error) {
	if err := d.hashing.acquire(ctx, from, d.throttle.hasSucceeded(from, login)); err != nil {
		return false, err
	}
	defer d.hashing.release()
	if err := d.throttle.check(from, login); err != nil { // again: others may have failed while this one waited
		return false, err
	}
	matches, err := passwordMatches(hash, password)
	if err != nil {
		return false, err
	}
	if !matches {
		d.throttle.recordFailure(from, login)
		return false, nil
	}
	d.throttle.recordSuccess(from, login)
	d.verified.put(d.credentialMAC(login, password), hash)
	return true, nil
}

// LoginHash identifies a login in logs, which do not contain it. It differs after a restart.
func (d *Directory) LoginHash(login string) string {
	mac := d.credentialMAC(norm.NFC.String(login), "")
	return hex.EncodeToString(mac[:8])
}

// credentialMAC is the cache key of a login and password, which are not kept in memory.
func (d *Directory) credentialMAC(login, password string) (sum [sha256.Size]byte) {
	mac := hmac.New(sha256.New, d.macKey)
	fmt.Fprintf(mac, "%s\x00%s", login, password) // a login cannot contain the separator
	mac.Sum(sum[:0])
	return sum
}

// ByKey returns the actor with this API key, or an Unauthenticated fault.
func (d *Directory) ByKey(ctx context.Context, text string) (Actor, error) {
	id, ok := keyID(text)
	if !ok {
		return Actor{}, unauthenticated("key")
	}
	key, err := cached(ctx, d.keys, id, d.store.Key)
	if fault.Is(err, fault.NotFound) {
		return Actor{}, unauthenticated("key")
	}
	if err != nil {
		return Actor{}, err
	}
	hash := sha256.Sum256([]byte(text))
	if subtle.ConstantTimeCompare(hash[:], key.Hash[:]) != 1 || !key.RevokedAt.IsZero() {
		return Actor{}, unauthenticated("key")
	}
	return key.actor(), nil
}

// cached returns the value of k from the cache, or looks it up and caches it.
func cached[V any](ctx context.Context, c *ttlCache[string, V], k string, lookup func(context.Context, string) (V, error)) (V, error) {
	if v, ok := c.get(k); ok {
		return v, nil
	}
	v, err := lookup(ctx, k)
	if err == nil {
		c.put(k, v)
	}
	return v, err
}

func unauthenticated(credential string) error {
	return fault.New(fault.Unauthenticated, "no such %s, or it is disabled", credential)
}
