package customer

import "sync"

// growth tells those who wait for it that this process has written a change of
// their tenant. Others sleep on: each of them asks the store when woken.
type growth struct {
	mu      sync.Mutex
	waiting map[string]chan struct{} // by tenant; closed at its next change
}

// next is closed when the tenant's changes grow from now on.
func (g *growth) next(tenant string) <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting == nil {
		g.waiting = map[string]chan struct{}{}
	}
	if g.waiting[tenant] == nil {
		g.waiting[tenant] = make(chan struct{})
	}
	return g.waiting[tenant]
}

// grown wakes all who wait for the tenant's changes.
func (g *growth) grown(tenant string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if ch := g.waiting[tenant]; ch != nil {
		close(ch)
		delete(g.waiting, tenant)
	}
}
