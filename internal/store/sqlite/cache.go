package sqlite

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"kartotek/internal/customer"
)

// record is a customer with its rowid, which is valid until the file is vacuumed, and the seq of
// its newest change.
type record struct {
	customer.Customer
	row    int64
	change int64
}

// cache holds the most recently used records as the last commit left them.
//
// A cached record is never older than the last commit that a client has seen. The writer removes a
// record before the commit that changes it and adds the new version after. A reader adds what it
// read from the file only if no commit has begun since, so that a slow reader cannot put an older
// version back. Commits of other processes clear the cache within externalWriteDelay.
type cache struct {
	mu         sync.Mutex
	records    *simplelru.LRU[customer.Ref, record] // by id
	ids        map[customer.Ref]customer.Ref        // by number, of the cached records
	generation uint64                               // odd during a commit
}

// maxCached limits the cache to about 20 MB.
const maxCached = 1 << 14

func newCache() *cache {
	c := &cache{ids: map[customer.Ref]customer.Ref{}}
	onEvict := func(_ customer.Ref, r record) { delete(c.ids, byNumber(r)) }
	records, err := simplelru.NewLRU(maxCached, onEvict)
	if err != nil {
		panic(err) // only for a size of 0
	}
	c.records = records
	return c
}

func byID(r record) customer.Ref     { return customer.ByID(r.Tenant, r.ID) }
func byNumber(r record) customer.Ref { return customer.ByNumber(r.Tenant, r.Number) }

// find returns the cached record, if there is one, and the generation to pass to addIfCurrent.
func (c *cache) find(ref customer.Ref) (r record, generation uint64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ref.ID == "" {
		ref = c.ids[ref]
	}
	ref.Number = 0 // the id decides
	r, ok = c.records.Get(ref)
	return r, c.generation, ok
}

// addIfCurrent adds a record that was read from the file, unless a commit has begun since find or
// was in progress then.
func (c *cache) addIfCurrent(r record, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation == c.generation && generation%2 == 0 {
		c.add(r)
	}
}

// beginCommit removes the records that a commit is about to change.
func (c *cache) beginCommit(changed []record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	for _, r := range changed {
		c.records.Remove(byID(r))
	}
}

// endCommit adds the records that a commit has changed. A failed commit has none.
func (c *cache) endCommit(changed []record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	for _, r := range changed {
		c.add(r)
	}
}

func (c *cache) add(r record) {
	c.records.Add(byID(r), r)
	c.ids[byNumber(r)] = byID(r)
}

// clear removes all records, when another process has committed.
func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation += 2
	c.records.Purge()
}
