package access

import (
	"hash/maphash"
	"net/netip"
	"time"

	"golang.org/x/time/rate"
)

// loginThrottle limits failed logins, per account and network and per network. An attack
// on an account does not lock out its owner, who logs in from another network.
type loginThrottle struct {
	seed       maphash.Seed
	perAccount *limiterPool[uint64] // by hash of login and network
	perNetwork *limiterPool[netip.Prefix]
}

func newLoginThrottle(now func() time.Time) *loginThrottle {
	return &loginThrottle{
		seed:       maphash.MakeSeed(),
		perAccount: newLimiterPool[uint64](rate.Every(6*time.Second), 10, now),
		perNetwork: newLimiterPool[netip.Prefix](rate.Every(time.Second), 100, now),
	}
}

// check returns a RateLimited fault after too many failures.
func (t *loginThrottle) check(from netip.Addr, login string) error {
	account, network := t.bucketKeys(from, login)
	wait := max(t.perAccount.waitFor(1, t.perAccount.tokens(account)), t.perNetwork.waitFor(1, t.perNetwork.tokens(network)))
	if wait > 0 {
		return rateLimited(wait)
	}
	return nil
}

// recordFailure counts a failed login. Concurrent attempts may fail after the last token
// is spent; they still count.
func (t *loginThrottle) recordFailure(from netip.Addr, login string) {
	account, network := t.bucketKeys(from, login)
	t.perAccount.penalize(account)
	t.perNetwork.penalize(network)
}

// bucketKeys returns the keys of the two buckets. The login is hashed because an invalid
// one may be as long as a header.
func (t *loginThrottle) bucketKeys(from netip.Addr, login string) (account uint64, net netip.Prefix) {
	type pair struct {
		network netip.Prefix
		login   string
	}
	net = networkOf(from)
	return maphash.Comparable(t.seed, pair{net, login}), net
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
