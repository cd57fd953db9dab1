package access

import (
	"crypto/sha256"
	"net/netip"
	"time"

	"golang.org/x/time/rate"
)

// loginThrottle limits failed logins, per account and network and per network. An attack
// on an account does not lock out its owner, who logs in from another network.
type loginThrottle struct {
	perAccount *limiterPool[loginKey]
	perNetwork *limiterPool[netip.Prefix]
}

// loginKey has a hash of the login: an invalid one may be as long as a header.
type loginKey struct {
	network netip.Prefix
	login   [sha256.Size]byte
}

func newLoginThrottle(now func() time.Time) *loginThrottle {
	return &loginThrottle{
		perAccount: newLimiterPool[loginKey](rate.Every(6*time.Second), 10, now),
		perNetwork: newLimiterPool[netip.Prefix](rate.Every(time.Second), 100, now),
	}
}

// check returns a RateLimited fault after too many failures.
func (t *loginThrottle) check(from netip.Addr, login string) error {
	account := loginKey{networkOf(from), sha256.Sum256([]byte(login))}
	if wait := max(t.perAccount.wait(account), t.perNetwork.wait(account.network)); wait > 0 {
		return rateLimited(wait)
	}
	return nil
}

// recordFailure counts a failed login. Concurrent attempts may fail after the last token
// is spent; they still count.
func (t *loginThrottle) recordFailure(from netip.Addr, login string) {
	account := loginKey{networkOf(from), sha256.Sum256([]byte(login))}
	t.perAccount.penalize(account)
	t.perNetwork.penalize(account.network)
}

// networkOf is the range of addresses that one client can be assumed to control: a single
// IPv4 address, or an IPv6 /64.
func networkOf(from netip.Addr) netip.Prefix {
	from = from.Unmap().WithZone("")
	bits := from.BitLen()
	if from.Is6() {
		bits = 64
	}
	prefix, _ := from.Prefix(bits) // unknown addresses share one network
	return prefix
}
