package customer

import "sync"

// notifier wakes the feed requests of a tenant when this process has written a change. Each of them
// then reads the store.
type notifier struct {
	mu       sync.Mutex
	channels map[string]chan struct{} // by tenant; closed at its next change
}

// wait returns a channel that is closed at the tenant's next change.
func (n *notifier) wait(tenant string) <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.channels == nil {
		n.channels = map[string]chan struct{}{}
	}
	if n.channels[tenant] == nil {
		n.channels[tenant] = make(chan struct{})
	}
	return n.channels[tenant]
}

func (n *notifier) notify(tenant string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if ch := n.channels[tenant]; ch != nil {
		close(ch)
		delete(n.channels, tenant)
	}
}
