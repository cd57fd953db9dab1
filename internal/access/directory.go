package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/netip"
	"runtime"
	"time"

	"golang.org/x/text/unicode/norm"

	"kartotek/internal/fault"
)

// Credentials is where accounts and keys are looked up.
type Credentials interface {
	// Account returns a NotFound fault when no account has this login. It returns
	// revoked ones.
	Account(ctx context.Context, login string) (Account, error)

	// Key returns a NotFound fault when no key has this id. It returns revoked
	// ones.
	Key(ctx context.Context, id string) (Key, error)
}

// Registry is where accounts and keys are managed.
type Registry interface {
	// AddAccount is a Conflict fault on "login" when an account that works has
	// it. A revoked one is replaced.
	AddAccount(ctx context.Context, a Account) error
	// Accounts lists up to limit of the tenant's accounts by login, from the one
	// after that login, revoked ones too.
	Accounts(ctx context.Context, tenant, after string, limit int) ([]Account, error)
	// RevokeAccount is a NotFound fault when the tenant has no such account that
	// works.
	RevokeAccount(ctx context.Context, tenant, login string, at time.Time) error

	// AddKey adds a key.
	AddKey(ctx context.Context, k Key) error
	// Keys lists up to limit of the tenant's keys by time of creation, from the
	// one after the key with that id, revoked ones too. After "" comes the first.
	Keys(ctx context.Context, tenant, after string, limit int) ([]Key, error)
	// RevokeKey is a NotFound fault when the tenant has no such key that works.
	RevokeKey(ctx context.Context, tenant, id string, at time.Time) error
}

const (
	// lookupFor is how long an account or a key that was looked up is trusted:
	// what is revoked, here or by another process, stops working after it.
	lookupFor = 2 * time.Second

	// verifiedFor is how long a login and password that argon2 has verified are
	// not verified again.
	verifiedFor = 5 * time.Minute

	// remembered bounds each of the memories.
	remembered = 10_000
)

// Directory turns credentials into actors. It is safe for concurrent use.
type Directory struct {
	store    Credentials
	accounts *memory[string, Account]
	keys     *memory[string, Key]
	verified *memory[[sha256.Size]byte, string] // pairs, with the hash that they matched
	guesses  *guesses
	pairKey  []byte        // of this process: what is remembered is worth nothing outside it
	hashing  chan struct{} // argon2 takes 19 MiB each: no more at once than there are processors
}

// NewDirectory returns a directory on store.
func NewDirectory(store Credentials, now func() time.Time) *Directory {
	pairKey := make([]byte, 32)
	rand.Read(pairKey) // never returns an error
	return &Directory{
		store:    store,
		accounts: newMemory[string, Account](lookupFor, remembered, now),
		keys:     newMemory[string, Key](lookupFor, remembered, now),
		verified: newMemory[[sha256.Size]byte, string](verifiedFor, remembered, now),
		guesses:  newGuesses(now),
		pairKey:  pairKey,
		hashing:  make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
}

// ByPassword returns the actor with this login, however its accents are written,
// and this password, or an Unauthenticated fault. An unknown or revoked login
// takes the time of a wrong password and is answered like one.
//
// It is a RateLimited fault, whatever the password, when too many were wrong from
// this address: an answer that told the right one even then would be worth
// another guess.
func (d *Directory) ByPassword(ctx context.Context, from netip.Addr, login, password string) (Actor, error) {
	login = norm.NFC.String(login) // keyboards differ in how they write an accent
	if err := d.guesses.check(from, login); err != nil {
		return Actor{}, err
	}
	account, err := recall(ctx, d.accounts, login, d.store.Account)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Actor{}, err
	}
	known := err == nil && account.RevokedAt.IsZero()
	hash := account.PasswordHash
	if !known {
		hash = nobody()
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

// verify asks argon2 unless it has said yes to the same login, password and hash
// within the last minutes.
func (d *Directory) verify(ctx context.Context, from netip.Addr, hash, login, password string) (bool, error) {
	pair := d.pair(login, password)
	if matched, ok := d.verified.get(pair); ok && matched == hash {
		return true, nil
	}
	select {
	case d.hashing <- struct{}{}:
		defer func() { <-d.hashing }()
	case <-ctx.Done():
		return false, fault.New(fault.Unavailable, "too many passwords to verify")
	}
	if err := d.guesses.check(from, login); err != nil { // others may have failed while this one waited
		return false, err
	}
	matches, err := passwordMatches(hash, password)
	if err != nil {
		return false, err
	}
	if !matches {
		d.guesses.missed(from, login)
		return false, nil
	}
	d.verified.put(pair, hash)
	return true, nil
}

func (d *Directory) pair(login, password string) (sum [sha256.Size]byte) {
	mac := hmac.New(sha256.New, d.pairKey)
	mac.Write([]byte(login))
	mac.Write([]byte{0}) // a login cannot hold it
	mac.Write([]byte(password))
	mac.Sum(sum[:0])
	return sum
}

// ByKey returns the actor with this API key, or an Unauthenticated fault.
func (d *Directory) ByKey(ctx context.Context, text string) (Actor, error) {
	id, ok := keyID(text)
	if !ok {
		return Actor{}, unauthenticated("key")
	}
	key, err := recall(ctx, d.keys, id, d.store.Key)
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

// recall returns what m remembers for k, or looks it up.
func recall[V any](ctx context.Context, m *memory[string, V], k string, lookup func(context.Context, string) (V, error)) (V, error) {
	if v, ok := m.get(k); ok {
		return v, nil
	}
	v, err := lookup(ctx, k)
	if err == nil {
		m.put(k, v)
	}
	return v, err
}

func unauthenticated(credential string) error {
	return fault.New(fault.Unauthenticated, "no such %s, or it does not work any more", credential)
}
