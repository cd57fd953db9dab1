package access

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

func TestMemoryForgets(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	m := newMemory[string, int](2*time.Second, 10, func() time.Time { return now })
	m.put("a", 1)
	for _, step := range []struct {
		at   time.Duration
		want bool
	}{
		{0, true},
		{2*time.Second - 1, true}, // being asked does not make it last
		{2 * time.Second, false},
	} {
		now = time.Unix(0, 0).Add(step.at)
		if got, ok := m.get("a"); ok != step.want || ok && got != 1 || !ok && got != 0 {
			t.Errorf("after %v: got %d, %v, want %v", step.at, got, ok, step.want)
		}
	}
	if len(m.items) != 0 {
		t.Errorf("what is forgotten stays in memory: %v", m.items)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	m := newMemory[int, int](time.Hour, 10, time.Now)
	for i := range 1000 {
		m.put(i, i)
		if got, ok := m.get(i); !ok || got != i {
			t.Fatalf("the newest of %d: got %d, %v, want %d", i+1, got, ok, i)
		}
	}
	if len(m.items) != 10 {
		t.Errorf("items: got %d, want 10", len(m.items))
	}
	for i := range m.items {
		m.put(i, -1) // a known key takes nobody's place
	}
	if len(m.items) != 10 {
		t.Errorf("items after writing them again: got %d, want 10", len(m.items))
	}
}

func TestEveryMemoryOfADirectoryIsBounded(t *testing.T) {
	t.Parallel()
	d := NewDirectory(one{Account{}}, time.Now)
	for i := range remembered + 100 {
		k := fmt.Sprint(i)
		d.accounts.put(k, Account{})
		d.keys.put(k, Key{})
		d.verified.put(d.pair(k, ""), "")
	}
	if a, k, v := len(d.accounts.items), len(d.keys.items), len(d.verified.items); a != remembered || k != remembered || v != remembered {
		t.Errorf("remembered: got %d accounts, %d keys, %d pairs, want %d of each", a, k, v, remembered)
	}
}

func TestAWrongPasswordIsNotRemembered(t *testing.T) {
	t.Parallel()
	d := NewDirectory(one{Account{Login: "kari", PasswordHash: cheapPHC(cheap, "correct horse")}}, time.Now)
	for i := range 5 {
		_, _ = d.ByPassword(t.Context(), home, "kari", fmt.Sprint("guess", i)) // refused, as another test says
	}
	if n := len(d.verified.items); n != 0 {
		t.Errorf("remembered pairs: got %d, want 0", n)
	}
}

func TestMemoryIsSharedSafely(t *testing.T) {
	t.Parallel()
	m := newMemory[int, int](time.Hour, 5, time.Now)
	var users sync.WaitGroup
	for i := range 8 {
		users.Go(func() {
			for j := range 200 {
				m.put(j%9, i)
				m.get(j % 7)
			}
		})
	}
	users.Wait()
	if len(m.items) > 5 {
		t.Errorf("items: got %d, want 5 at most", len(m.items))
	}
}
