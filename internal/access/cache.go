package access

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// ttlCache keeps at most limit values, each for ttl. golang-lru's own expirable cache cannot
// run on an injected clock.
type ttlCache[K comparable, V any] struct {
	ttl     time.Duration
	now     func() time.Time
	entries *lru.Cache[K, cacheEntry[V]]
}

type cacheEntry[V any] struct {
	value   V
	expires time.Time
}

func newTTLCache[K comparable, V any](ttl time.Duration, limit int, now func() time.Time) *ttlCache[K, V] {
	entries, err := lru.New[K, cacheEntry[V]](limit)
	if err != nil {
		panic(err) // only for a limit below 1
	}
	return &ttlCache[K, V]{ttl, now, entries}
}

func (c *ttlCache[K, V]) get(k K) (v V, ok bool) {
	e, ok := c.entries.Get(k)
	if !ok {
		return v, false
	}
	if !c.now().Before(e.expires) {
		c.entries.Remove(k)
		return v, false
	}
	return e.value, true
}

func (c *ttlCache[K, V]) put(k K, v V) { c.entries.Add(k, cacheEntry[V]{v, c.now().Add(c.ttl)}) }
