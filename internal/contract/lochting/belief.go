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
type beliefs struct {
	seed  maphash.Seed
	mu    sync.Mutex
	known *simplelru.LRU[believer, belief]
}

// believer is a key that knows a customer.
type believer struct{ tenant, key, customer string }

// belief is a hash of each property's value, in the order of properties; 0 where
// the key has none.
type belief [len(properties)]uint64

// maxBeliefs bounds the memory to about 4 MB.
const maxBeliefs = 10_000

func newBeliefs() *beliefs {
	known, err := simplelru.NewLRU[believer, belief](maxBeliefs, nil)
	if err != nil {
		panic(err) // there is room for some
	}
	return &beliefs{seed: maphash.MakeSeed(), known: known}
}

// shown is the belief of who has seen c. What the contract cannot express is shown
// as null; but nobody can say that value either.
func (b *beliefs) shown(c customer.Customer) (all belief) {
	for i, p := range properties {
		all[i] = b.hash(*p.in(&c))
	}
	return all
}

// said is the belief of who has sent this patch.
func (b *beliefs) said(fields customer.Patch) (some belief) {
	for i, p := range properties {
		if f := p.field(&fields); !f.Absent() {
			some[i] = b.hash(f.Value())
		}
	}
	return some
}

func (b *beliefs) hash(text string) uint64 {
	return maphash.String(b.seed, customer.NormalText(text)) | 1 // never 0
}

// of is what the caller believes of the customer.
func (b *beliefs) of(by access.Actor, ref customer.Ref) belief {
	b.mu.Lock()
	defer b.mu.Unlock()
	all, _ := b.known.Get(believer{by.Tenant, by.Name, ref.ID}) // none of a stranger
	return all
}

// learn puts what is new in place of what the caller believed. It is called before
// the caller is answered, so that the next request finds it.
func (b *beliefs) learn(by access.Actor, ref customer.Ref, news belief) {
	b.mu.Lock()
	defer b.mu.Unlock()
	who := believer{by.Tenant, by.Name, ref.ID}
	all, _ := b.known.Get(who) // none of a stranger
	for i, hash := range news {
		if hash != 0 {
			all[i] = hash
		}
	}
	b.known.Add(who, all)
}

// echoed are the properties of which news says no more than what was believed.
func (b belief) echoed(news belief) []property {
	var echoes []property
	for i, hash := range news {
		if hash != 0 && hash == b[i] {
			echoes = append(echoes, properties[i])
		}
	}
	return echoes
}
