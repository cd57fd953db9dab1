package lochting

import (
	"hash/maphash"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"kartotek/internal/access"
	"kartotek/internal/customer"
)

// lastSeen remembers, per API key and customer, the value of each property that the client last
// received or sent. The contract requires six properties in every PATCH, so a client must send
// values that it does not mean to change: a last-seen value that the record no longer has is a
// stale write and is not applied.
//
// The cache is local to the process, evicts the least recently used entries, and holds only hashes,
// no personal data.
type lastSeen struct {
	seed  maphash.Seed
	mu    sync.Mutex
	cache *simplelru.LRU[lastSeenKey, fingerprints]
}

type lastSeenKey struct{ apiKey, customer string }

// fingerprints has a hash of each property's value, in the order of properties; 0 means unknown.
type fingerprints [len(properties)]uint64

// maxLastSeen limits the cache to about 4 MB.
const maxLastSeen = 10_000

func newLastSeen() *lastSeen {
	cache, err := simplelru.NewLRU[lastSeenKey, fingerprints](maxLastSeen, nil)
	if err != nil {
		panic(err) // only for a size of 0
	}
	return &lastSeen{seed: maphash.MakeSeed(), cache: cache}
}

// ofCustomer returns the fingerprints of all properties of c. A value that the contract cannot
// express is included: it reads as null, but no client can send it, so it never matches.
func (l *lastSeen) ofCustomer(c customer.Customer) (all fingerprints) {
	for i, p := range properties {
		all[i] = l.hash(p.text(c))
	}
	return all
}

func (l *lastSeen) ofPatch(fields customer.Patch) (some fingerprints) {
	for i, p := range properties {
		if _, ok := fields[p.path]; ok {
			some[i] = l.hash(fields.Text(p.path))
		}
	}
	return some
}

func (l *lastSeen) hash(text string) uint64 {
	return maphash.String(l.seed, customer.NormalText(text)) | 1 // never 0
}

func (l *lastSeen) get(actor access.Actor, ref customer.Ref) fingerprints {
	l.mu.Lock()
	defer l.mu.Unlock()
	all, _ := l.cache.Get(lastSeenKey{actor.ID, ref.ID}) // zero if there are none
	return all
}

// merge replaces the last-seen values of the properties in updates. Call it before the response is
// sent, so that the client's next request finds them.
func (l *lastSeen) merge(actor access.Actor, ref customer.Ref, updates fingerprints) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := lastSeenKey{actor.ID, ref.ID}
	all, _ := l.cache.Get(key) // zero if there are none
	for i, hash := range updates {
		if hash != 0 {
			all[i] = hash
		}
	}
	l.cache.Add(key, all)
}

// matching returns the properties whose sent value equals the last-seen one.
func (f fingerprints) matching(sent fingerprints) []property {
	var matches []property
	for i, hash := range sent {
		if hash != 0 && hash == f[i] {
			matches = append(matches, properties[i])
		}
	}
	return matches
}
