package access

import (
	"hash/maphash"
	"net/netip"
	"time"

	"golang.org/x/time/rate"
)

// guesses slows down who tries passwords: first on one account, so that its owner
// at another address still gets in, and then on any number of accounts. Failures
// alone count.
type guesses struct {
	seed     maphash.Seed
	ofOne    *buckets[uint64]       // by login and network
	ofAnyone *buckets[netip.Prefix] // by network
}

func newGuesses(now func() time.Time) *guesses {
	return &guesses{
		seed:     maphash.MakeSeed(),
		ofOne:    newBuckets[uint64](rate.Every(6*time.Second), 10, now),
		ofAnyone: newBuckets[netip.Prefix](rate.Every(time.Second), 100, now),
	}
}

// check is a RateLimited fault for who has failed too often.
func (g *guesses) check(from netip.Addr, login string) error {
	one, anyone := g.names(from, login)
	wait := max(g.ofOne.until(1, g.ofOne.left(one)), g.ofAnyone.until(1, g.ofAnyone.left(anyone)))
	if wait > 0 {
		return limited(wait)
	}
	return nil
}

// missed counts a failure, also one that was under way when the last token was
// spent.
func (g *guesses) missed(from netip.Addr, login string) {
	one, anyone := g.names(from, login)
	g.ofOne.charge(one)
	g.ofAnyone.charge(anyone)
}

// names are what the buckets go by. A login is hashed, since one that was made up
// may be as long as a header.
func (g *guesses) names(from netip.Addr, login string) (one uint64, anyone netip.Prefix) {
	type pair struct {
		network netip.Prefix
		login   string
	}
	anyone = network(from)
	return maphash.Comparable(g.seed, pair{anyone, login}), anyone
}

// network is what one caller is sure to hold of the addresses around his: of
// IPv6, a /64.
func network(from netip.Addr) netip.Prefix {
	from = from.Unmap().WithZone("")
	bits := from.BitLen()
	if from.Is6() {
		bits = 64
	}
	prefix, _ := from.Prefix(bits) // without an address, all are one network
	return prefix
}
