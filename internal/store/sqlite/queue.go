package sqlite

import (
	"sync"

	"kartotek/internal/fault"
)

// writeQueue has the queued writes of each tenant. It returns them in turn, one of each tenant, so
// that a tenant with many writes does not delay those of others.
type writeQueue struct {
	mu      sync.Mutex
	ready   sync.Cond
	tenants map[string][]*writeRequest
	turns   []string // the tenants with queued writes; the first one is next
	length  int
	closed  bool
}

const (
	// maxQueue is the number of queued writes, and maxTenantQueue that of a tenant; beyond it a write
	// fails at once, and the client should retry.
	maxQueue       = 4096
	maxTenantQueue = maxQueue / 4
)

func newWriteQueue() *writeQueue {
	q := &writeQueue{tenants: map[string][]*writeRequest{}}
	q.ready.L = &q.mu
	return q
}

func (q *writeQueue) add(tenant string, r *writeRequest) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return errClosed
	}
	queued := q.tenants[tenant]
	if len(queued) >= maxTenantQueue || q.length >= maxQueue {
		return fault.New(fault.Unavailable, "too many queued writes")
	}
	if len(queued) == 0 {
		q.turns = append(q.turns, tenant)
	}
	q.tenants[tenant] = append(queued, r)
	q.length++
	q.ready.Signal()
	return nil
}

// take waits for writes and appends up to limit of them to batch. It appends none when the queue is
// closed and empty.
func (q *writeQueue) take(batch []*writeRequest, limit int) []*writeRequest {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.length == 0 && !q.closed {
		q.ready.Wait()
	}
	for ; q.length > 0 && limit > 0; limit-- {
		tenant := q.turns[0]
		queued := q.tenants[tenant]
		batch = append(batch, queued[0])
		q.length--
		q.turns = q.turns[1:]
		if len(queued) == 1 {
			delete(q.tenants, tenant)
			continue
		}
		q.tenants[tenant] = queued[1:]
		q.turns = append(q.turns, tenant)
	}
	return batch
}

// close rejects further writes. It returns false if the queue was closed before.
func (q *writeQueue) close() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	first := !q.closed
	q.closed = true
	q.ready.Signal()
	return first
}

func (q *writeQueue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

func (q *writeQueue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.length
}
