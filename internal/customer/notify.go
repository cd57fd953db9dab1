package customer

import (
	"context"
	"sync"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/fault"
)

// notifier wakes the feed requests of a tenant when this process has written a change. Each of them
// then reads the store. One of them also polls for changes of other processes, and wakes the rest.
type notifier struct {
	mu      sync.Mutex
	tenants map[string]*feedWaiters
	actors  map[string]int // requests that wait, by the id of the actor
}

// feedWaiters are the waiting feed requests of a tenant.
type feedWaiters struct {
	changed chan struct{} // closed at the next change
	polling chan struct{} // has room for one: the request that polls
}

// maxFeedWaits is the number of feed requests of an account or key that may wait.
const maxFeedWaits = 20

// enter counts a request that waits. The caller must call leave, unless there is a RateLimited fault.
func (n *notifier) enter(by access.Actor) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.actors[by.ID] >= maxFeedWaits {
		return &fault.Fault{Kind: fault.RateLimited, Text: "too many waiting requests", RetryAfter: time.Second}
	}
	if n.actors == nil {
		n.actors = map[string]int{}
	}
	n.actors[by.ID]++
	return nil
}

func (n *notifier) leave(by access.Actor) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.actors[by.ID]--; n.actors[by.ID] == 0 {
		delete(n.actors, by.ID)
	}
}

// waiters returns the channels for the tenant's next change.
func (n *notifier) waiters(tenant string) feedWaiters {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.tenants == nil {
		n.tenants = map[string]*feedWaiters{}
	}
	if n.tenants[tenant] == nil {
		n.tenants[tenant] = &feedWaiters{make(chan struct{}), make(chan struct{}, 1)}
	}
	return *n.tenants[tenant]
}

func (n *notifier) notify(tenant string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if w := n.tenants[tenant]; w != nil {
		close(w.changed)
		w.changed = make(chan struct{})
	}
}

// wait returns when changed is closed, or when it is the turn of this request to poll. ok is false
// when the request is to end.
func (n *notifier) wait(ctx context.Context, tenant string, changed, stop <-chan struct{}) (polled, ok bool) {
	turn := n.waiters(tenant).polling
	var poll <-chan time.Time
	for {
		select {
		case turn <- struct{}{}:
			defer func(polling chan struct{}) { <-polling }(turn)
			turn, poll = nil, time.After(pollInterval)
		case <-poll:
			return true, true
		case <-changed:
			return false, true
		case <-stop:
			return false, false
		case <-ctx.Done():
			return false, false
		}
	}
}

// pollInterval is how often a feed request of the tenant looks for changes of other processes.
const pollInterval = time.Second
