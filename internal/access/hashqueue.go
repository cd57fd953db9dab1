package access

import (
	"context"
	"net/netip"
	"runtime"
	"slices"
	"sync"

	"kartotek/internal/fault"
)

// hashQueue limits concurrent argon2 runs (19 MiB each) to the number of CPUs, and the logins that
// wait for one. A flood of logins does not delay others for long: the newest login is next, and when
// too many wait, the oldest one is rejected.
type hashQueue struct {
	mu      sync.Mutex
	free    int
	waiting []*waitingLogin // oldest first
}

// waitingLogin is a login in the queue. A privileged one is next before all others, and is not
// rejected.
type waitingLogin struct {
	network    netip.Prefix
	privileged bool
	turn       chan bool // receives true for a slot, or false for a rejection
}

const (
	maxWaiting           = 50
	maxWaitingPerNetwork = 2
)

func newHashQueue() *hashQueue { return &hashQueue{free: runtime.GOMAXPROCS(0)} }

// acquire waits for a slot. The caller must release it.
func (q *hashQueue) acquire(ctx context.Context, from netip.Addr, privileged bool) error {
	login := &waitingLogin{networkOf(from, 24), privileged, make(chan bool, 1)}
	if q.enter(login) {
		return nil
	}
	select {
	case ok := <-login.turn:
		if ok {
			return nil
		}
	case <-ctx.Done():
		if !q.leave(login) && <-login.turn {
			q.release()
		}
	}
	return errTooManyLogins()
}

// enter reports whether there is a free slot. Otherwise the login waits for its turn.
func (q *hashQueue) enter(login *waitingLogin) (acquired bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.free > 0 {
		q.free--
		return true
	}
	q.waiting = append(q.waiting, login)
	if login.privileged {
		return false
	}
	total, sameNetwork := 0, 0
	for _, other := range q.waiting {
		if other.privileged {
			continue
		}
		total++
		if other.network == login.network {
			sameNetwork++
		}
	}
	switch {
	case sameNetwork > maxWaitingPerNetwork:
		q.take(len(q.waiting)-1, false)
	case total > maxWaiting:
		q.take(slices.IndexFunc(q.waiting, func(w *waitingLogin) bool { return !w.privileged }), false)
	}
	return false
}

// take removes a login from the queue.
func (q *hashQueue) take(i int, turn bool) {
	q.waiting[i].turn <- turn
	q.waiting = slices.Delete(q.waiting, i, i+1)
}

// leave reports whether the login was still waiting.
func (q *hashQueue) leave(login *waitingLogin) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, login)
	if i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
	return i >= 0
}

func (q *hashQueue) release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.free++
		return
	}
	next := slices.IndexFunc(q.waiting, func(w *waitingLogin) bool { return w.privileged })
	if next < 0 {
		next = len(q.waiting) - 1
	}
	q.take(next, true)
}

func errTooManyLogins() error {
	return fault.New(fault.Unavailable, "too many logins at the same time; retry later")
}
