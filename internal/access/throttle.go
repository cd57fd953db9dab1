package access

import (
	"crypto/sha256"
	"net/netip"
	"time"

	"golang.org/x/time/rate"
)

// loginThrottle limits failed logins: per account and network, per network, and per account from all
// networks that have never logged in to it. An attack on an account does not lock out its owner, who
// has logged in from another network before.
type loginThrottle struct {
	perAccount *limiterPool[loginKey]
	perNetwork *limiterPool[netip.Prefix]
	perLogin   *limiterPool[loginHash]
	succeeded  *ttlCache[loginKey, struct{}]
}

// loginHash is a hash of the login: an invalid one may be as long as a header.
type loginHash [sha256.Size]byte

type loginKey struct {
	network netip.Prefix
	login   loginHash
}

func newLoginThrottle(now func() time.Time) *loginThrottle {
	return &loginThrottle{
		perAccount: newLimiterPool[loginKey](rate.Every(6*time.Second), 10, now),
		perNetwork: newLimiterPool[netip.Prefix](rate.Every(time.Second), 100, now),
		perLogin:   newLimiterPool[loginHash](rate.Every(2*time.Second), 50, now),
		succeeded:  newTTLCache[loginKey, struct{}](30*24*time.Hour, maxEntries, now),
	}
}

func newLoginKey(from netip.Addr, login string) loginKey {
	return loginKey{networkOf(from, 32), sha256.Sum256([]byte(login))}
}

// check returns a RateLimited fault after too many failures.
func (t *loginThrottle) check(from netip.Addr, login string) error {
	account := newLoginKey(from, login)
	wait := max(t.perAccount.wait(account), t.perNetwork.wait(account.network))
	if !t.hasSucceeded(from, login) {
		wait = max(wait, t.perLogin.wait(account.login))
	}
	if wait > 0 {
		return rateLimited(wait)
	}
	return nil
}

// recordFailure counts a failed login. Concurrent attempts may fail after the last token
// is spent; they still count.
func (t *loginThrottle) recordFailure(from netip.Addr, login string) {
	account := newLoginKey(from, login)
	t.perAccount.penalize(account)
	t.perNetwork.penalize(account.network)
	if !t.hasSucceeded(from, login) {
		t.perLogin.penalize(account.login)
	}
}

func (t *loginThrottle) recordSuccess(from netip.Addr, login string) {
	t.succeeded.put(newLoginKey(from, login), struct{}{})
}

// hasSucceeded reports whether there was a login to the account from this network in the last weeks.
func (t *loginThrottle) hasSucceeded(from netip.Addr, login string) bool {
	_, ok := t.succeeded.get(newLoginKey(from, login))
	return ok
}

// networkOf is a range of addresses that one client may control: an IPv6 /48, or an IPv4 range of
// this many bits.
func networkOf(from netip.Addr, bitsIPv4 int) netip.Prefix {
	from = from.Unmap().WithZone("")
	bits := bitsIPv4
	if from.Is6() {
		bits = 48
	}
	prefix, _ := from.Prefix(bits) // unknown addresses share one network
	return prefix
}
