package postgres

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kartotek/internal/customer"
)

// gather has n callers wait for each other, so that they are one group.
func gather[T any](t *testing.T, g *groups[T], n int, call func(caller int)) {
	t.Helper()
	release := g.fill()
	var callers sync.WaitGroup
	for caller := range n {
		callers.Go(func() { call(caller) })
	}
	waitFor(t, "all callers", func() bool { return g.count() == n })
	release()
	callers.Wait()
}

// fillApart is fill for customers none of whom shares a turn with another: they would
// not be in one group.
func fillApart(t *testing.T, s *Store, n int) {
	t.Helper()
	fill(t, s, n)
	for taken := map[chan struct{}]bool{}; len(taken) < n; {
		s.turns = newTurns()
		clear(taken)
		for number := range n {
			taken[s.turns.turn(customer.ByNumber("north", int32(number+1)))] = true
		}
	}
}

// fill leaves no room for a group until it is released.
func (g *groups[T]) fill() (release func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy += groupsAtOnce
	return func() {
		g.mu.Lock()
		g.busy -= groupsAtOnce - 1
		g.mu.Unlock()
		g.leave()
	}
}

// count is how many wait.
func (g *groups[T]) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting)
}

func waitFor(t *testing.T, what string, come func() bool) {
	t.Helper()
	for began := time.Now(); !come(); time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// doubling doubles what callers ask for, and notes how many are in each group.
func doubling(sizes *[]int) *groups[int] {
	return &groups[int]{do: func(group []*errand[int]) {
		*sizes = append(*sizes, len(group))
		for _, e := range group {
			e.what *= 2
		}
	}}
}

func TestWhoComesAloneWaitsForNobody(t *testing.T) {
	t.Parallel()
	var sizes []int
	if got, err := doubling(&sizes).run(t.Context(), 21); got != 42 || err != nil {
		t.Errorf("got %d (%v), want 42", got, err)
	}
	if !slices.Equal(sizes, []int{1}) {
		t.Errorf("got groups of %v, want one of 1", sizes)
	}
}

func TestThoseWhoWaitAreAGroup(t *testing.T) {
	t.Parallel()
	var sizes []int
	g := doubling(&sizes)
	const callers = maxGroup + 3
	gather(t, g, callers, func(caller int) {
		if got, err := g.run(t.Context(), caller); got != 2*caller || err != nil {
			t.Errorf("got %d (%v), want %d", got, err, 2*caller)
		}
	})
	if !slices.Equal(sizes, []int{maxGroup, 3}) {
		t.Errorf("got groups of %v, want %d and 3", sizes, maxGroup)
	}
	waitFor(t, "the end of the work", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.busy == 0
	})
}

func TestNothingIsDoneForWhoHasLeft(t *testing.T) {
	t.Parallel()
	var sizes []int
	g := doubling(&sizes)
	release := g.fill()
	ctx, leave := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, leave)
	if _, err := g.run(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	var other sync.WaitGroup
	other.Go(func() { _, _ = g.run(t.Context(), 2) })
	waitFor(t, "the other", func() bool { return g.count() == 2 })
	release()
	other.Wait()
	if !slices.Equal(sizes, []int{1}) {
		t.Errorf("got groups of %v, want one of 1", sizes)
	}
}

// TestOthersGoOnBesideALongErrand has more long errands than there is room for.
func TestOthersGoOnBesideALongErrand(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var long atomic.Int64
	g := &groups[bool]{}
	g.do = func(group []*errand[bool]) {
		if group[0].what {
			long.Add(1)
			<-release
		}
	}
	var callers sync.WaitGroup
	for n := range int64(2 * groupsAtOnce) {
		callers.Go(func() { _, _ = g.run(t.Context(), true) })
		waitFor(t, "a long errand", func() bool { return long.Load() > n })
	}
	if _, err := g.run(t.Context(), false); err != nil {
		t.Error(err)
	}
	close(release)
	callers.Wait()
	waitFor(t, "the end of the work", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.busy == 0
	})
}
