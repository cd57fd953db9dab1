package access

import (
	"sync"
	"time"
)

// memory remembers values for a while, and no more than max of them.
type memory[K comparable, V any] struct {
	ttl   time.Duration
	max   int
	now   func() time.Time
	mu    sync.Mutex
	items map[K]item[V]
}

type item[V any] struct {
	value   V
	expires time.Time
}

func newMemory[K comparable, V any](ttl time.Duration, max int, now func() time.Time) *memory[K, V] {
	return &memory[K, V]{ttl: ttl, max: max, now: now, items: map[K]item[V]{}}
}

func (m *memory[K, V]) get(k K) (v V, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	it, ok := m.items[k]
	if !ok || !m.now().Before(it.expires) {
		delete(m.items, k)
		return v, false
	}
	return it.value, true
}

// put forgets any one value when the memory is full: what is used again is soon
// remembered again.
func (m *memory[K, V]) put(k K, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.items[k]; !known && len(m.items) >= m.max {
		for victim := range m.items {
			delete(m.items, victim)
			break
		}
	}
	m.items[k] = item[V]{v, m.now().Add(m.ttl)}
}
