package customer

import "sync"

// growth tells those who wait for it that this process has written a change.
type growth struct {
	mu      sync.Mutex
	waiting chan struct{} // closed at the next change; nil while nobody waits
}

// next is closed when something grows from now on.
func (g *growth) next() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting == nil {
		g.waiting = make(chan struct{})
	}
	return g.waiting
}

// grown wakes all who wait.
func (g *growth) grown() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting != nil {
		close(g.waiting)
		g.waiting = nil
	}
}
