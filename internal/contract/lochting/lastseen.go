package lochting

import (
	"hash/maphash"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"kartotek/internal/access"
	"kartotek/internal/customer"
)

// beliefs is what each key believes of each customer: what it was last shown, or
// has said since. A client of this contract sends six properties each time, most of
// them only because it must; one that repeats its belief says nothing new.
//
// The memory is this process's own, and forgets whom it has not heard of longest.
// It holds hashes, so that it is small and nobody's data.
type lastSeen struct {
	seed  maphash.Seed
	mu    sync.Mutex
	cache *simplelru.LRU[lastSeenKey, fingerprints]
}

// believer is a key that knows a customer.
type lastSeenKey struct{ tenant, key, customer string }

// belief is a hash of each property's value, in the order of properties; 0 where
// the key has none.
type fingerprints [len(properties)]uint64

// maxBeliefs bounds the memory to about 4 MB.
const maxLastSeen = 10_000

func newLastSeen() *lastSeen {
	known, err := simplelru.NewLRU[lastSeenKey, fingerprints](maxLastSeen, nil)
	if err != nil {
		panic(err) // there is room for some
	}
	return &lastSeen{seed: maphash.MakeSeed(), cache: known}
}

// shown is the belief of who has seen c. What the contract cannot express is shown
// as null; but nobody can say that value either.
func (b *lastSeen) ofCustomer(c customer.Customer) (all fingerprints) {
	for i, p := range properties {
		all[i] = b.hash(*p.value(&c))
	}
	return all
}

// said is the belief of who has sent this patch.
func (b *lastSeen) ofPatch(fields customer.Patch) (some fingerprints) {
	for i, p := range properties {
		if f := p.patchField(&fields); !f.Absent() {
			some[i] = b.hash(f.Value())
		}
	}
	return some
}

func (b *lastSeen) hash(text string) uint64 {
	return maphash.String(b.seed, customer.NormalText(text)) | 1 // never 0
}

// of is what the caller believes of the customer.
func (b *lastSeen) get(by access.Actor, ref customer.Ref) fingerprints {
	b.mu.Lock()
	defer b.mu.Unlock()
	all, _ := b.cache.Get(lastSeenKey{by.Tenant, by.Name, ref.ID}) // none of a stranger
	return all
}

// learn puts what is new in place of what the caller believed. It is called before
// the caller is answered, so that the next request finds it.
func (b *lastSeen) merge(by access.Actor, ref customer.Ref, news fingerprints) {
	b.mu.Lock()
	defer b.mu.Unlock()
	who := lastSeenKey{by.Tenant, by.Name, ref.ID}
	all, _ := b.cache.Get(who) // none of a stranger
	for i, hash := range news {
		if hash != 0 {
			all[i] = hash
		}
	}
	b.cache.Add(who, all)
}

// echoed are the properties of which news says no more than what was believed.
func (b fingerprints) matching(news fingerprints) []property {
	var echoes []property
	for i, hash := range news {
		if hash != 0 && hash == b[i] {
			echoes = append(echoes, properties[i])
		}
	}
	return echoes
}
