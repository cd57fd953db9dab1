package postgres

import (
	"context"
	"slices"
	"sync"
	"time"
)

// groups have done together what is asked for at the same time. Whoever comes alone
// is a group of one, and waits for nobody.
type groups[T any] struct {
	do func([]*errand[T])

	mu      sync.Mutex
	waiting []*errand[T]
	busy    int // groups that are being done, but for those that take long
}

// errand is what one caller asks for.
type errand[T any] struct {
	ctx  context.Context // the caller's
	what T               // which do may complete
	err  error
	done chan struct{} // closed when what and err are there
}

const (
	// maxGroup is how many errands are in a group at most.
	maxGroup = 128

	// crowd is how many have to wait for another group to begin beside one that is
	// being done. The larger groups are, the less each of a group costs.
	crowd = 32

	// groupsAtOnce is how many are being done at most.
	groupsAtOnce = 4

	// longErrand is when a group makes room for another: it may wait for a customer
	// whom somebody holds.
	longErrand = 20 * time.Millisecond
)

// run has what done, together with others unless there is nobody else, and returns
// what became of it.
func (g *groups[T]) run(ctx context.Context, what T) (T, error) {
	e := &errand[T]{ctx: ctx, what: what, done: make(chan struct{})}
	g.mu.Lock()
	if g.busy == 0 {
		g.busy++
		g.mu.Unlock()
		g.lead([]*errand[T]{e})
		return e.what, e.err
	}
	g.waiting = append(g.waiting, e)
	g.start()
	g.mu.Unlock()
	select {
	case <-e.done:
		return e.what, e.err
	case <-ctx.Done():
		return what, ctx.Err()
	}
}

// start begins a group of all who wait, if it is time for one.
func (g *groups[T]) start() {
	if g.busy > 0 && (len(g.waiting) < crowd || g.busy == groupsAtOnce) {
		return
	}
	g.waiting = slices.DeleteFunc(g.waiting, func(e *errand[T]) bool { return e.ctx.Err() != nil })
	group := slices.Clone(g.waiting[:min(len(g.waiting), maxGroup)])
	if len(group) > 0 {
		g.waiting = slices.Delete(g.waiting, 0, len(group))
		g.busy++
		go g.lead(group)
	}
}

// lead does what a group asks for, and makes room for the next one.
func (g *groups[T]) lead(group []*errand[T]) {
	overdue := time.AfterFunc(longErrand, g.leave)
	defer func() {
		if overdue.Stop() {
			g.leave()
		}
	}()
	g.do(group)
	for _, e := range group {
		close(e.done)
	}
}

// leave makes room for another group.
func (g *groups[T]) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy--
	g.start()
}
