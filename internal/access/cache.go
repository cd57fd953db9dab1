package access

import (
	"sync"
	"time"
)

// ttlCache keeps at most limit values, each for ttl. It is not the LRU of golang-lru,
// whose expiry cannot run on an injected clock.
type ttlCache[K comparable, V any] struct {
	ttl     time.Duration
	limit   int
	now     func() time.Time
	mu      sync.Mutex
	entries map[K]cacheEntry[V]
}

type cacheEntry[V any] struct {
	value   V
	expires time.Time
}

func newTTLCache[K comparable, V any](ttl time.Duration, limit int, now func() time.Time) *ttlCache[K, V] {
	return &ttlCache[K, V]{ttl: ttl, limit: limit, now: now, entries: map[K]cacheEntry[V]{}}
}

func (c *ttlCache[K, V]) get(k K) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[k]
	if !ok || !c.now().Before(e.expires) {
		delete(c.entries, k)
		return v, false
	}
	return e.value, true
}

// put evicts an arbitrary entry when the cache is full: a frequently used one is soon
// added again.
func (c *ttlCache[K, V]) put(k K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, exists := c.entries[k]; !exists && len(c.entries) >= c.limit {
		for victim := range c.entries {
			delete(c.entries, victim)
			break
		}
	}
	c.entries[k] = cacheEntry[V]{v, c.now().Add(c.ttl)}
}
