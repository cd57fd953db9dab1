package customer_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// heard is how a call of Feed ended.
type heard struct {
	changes []customer.ChangeRecord
	err     error
	after   time.Duration
}

// follow waits for the changes of north that are not there yet, in a bubble of
// synctest. The channel tells once it has ended.
func follow(ctx context.Context, svc *customer.Service, store *shelf, wait time.Duration, stop <-chan struct{}) <-chan heard {
	ended := make(chan heard, 1)
	var last int64
	for i, r := range store.changes {
		if store.tenants[i] == "north" {
			last = r.Seq
		}
	}
	start := time.Now()
	go func() {
		changes, err := svc.Feed(ctx, anyone, last, 100, wait, stop)
		ended <- heard{changes, err, time.Since(start)}
	}()
	synctest.Wait()
	return ended
}

func addLetter(c *customer.Customer) error {
	c.FirstName += "x"
	return nil
}

func wantHeard(t *testing.T, got heard, changes int, after time.Duration) {
	t.Helper()
	if got.err != nil || len(got.changes) != changes || got.after != after {
		t.Errorf("got %d changes after %v (%v), want %d after %v", len(got.changes), got.after, got.err, changes, after)
	}
}

func TestFeedAnswersAtOnceWithWhatIsThere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		svc, _ := service() // north has changes 1 to 4, south 5 and 6
		start := time.Now()
		for _, tt := range []struct {
			after int64
			limit int
			wait  time.Duration
			want  []int64
		}{
			{0, 100, time.Minute, []int64{1, 2, 3, 4}},
			{1, 2, time.Minute, []int64{2, 3}},
			{4, 100, 0, nil},
			{4, 100, -time.Second, nil},
		} {
			changes, err := svc.Feed(t.Context(), anyone, tt.after, tt.limit, tt.wait, nil)
			if err != nil || len(changes) != len(tt.want) {
				t.Errorf("after %d: got %+v (%v), want %v", tt.after, changes, err, tt.want)
				continue
			}
			for i, r := range changes {
				if r.Seq != tt.want[i] {
					t.Errorf("after %d: change %d has seq %d, want %d", tt.after, i, r.Seq, tt.want[i])
				}
			}
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("waited %v, want no time", waited)
		}
	})
}

func TestFeedRefusesAPlaceItHasNotComeTo(t *testing.T) {
	t.Parallel()
	svc, _ := service()
	for _, after := range []int64{5, 6, 99} { // 5 and 6 are another tenant's
		_, err := svc.Feed(t.Context(), anyone, after, 100, time.Hour, nil)
		f := fault.From(err)
		if f.Kind != fault.BadRequest || len(f.Fields) != 1 || f.Fields[0].Path != "after" || f.Fields[0].Rule != fault.Range {
			t.Errorf("after %d: got %v, want a Malformed fault on after", after, err)
		}
	}
}

func TestFeedWakesAtOnceOnAChange(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*customer.Service) error{
		"an update": func(svc *customer.Service) error {
			_, err := svc.Update(context.Background(), anyone, mineRef, addLetter, nil)
			return err
		},
		"a birth": func(svc *customer.Service) error {
			_, err := svc.Create(context.Background(), anyone, customer.Upsert{Edit: surname}, nil)
			return err
		},
		"a bulk load": func(svc *customer.Service) error {
			_, err := svc.Upsert(context.Background(), anyone, []customer.Upsert{{Edit: refuse}, {Edit: surname}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				svc, store := service()
				first, second := follow(t.Context(), svc, store, time.Minute, nil), follow(t.Context(), svc, store, time.Minute, nil)
				time.Sleep(300 * time.Millisecond)
				if err := write(svc); err != nil {
					t.Fatal(err)
				}
				wantHeard(t, <-first, 1, 300*time.Millisecond)
				wantHeard(t, <-second, 1, 300*time.Millisecond)
				wantHeard(t, <-follow(t.Context(), svc, store, 500*time.Millisecond, nil), 0, 500*time.Millisecond)
				if err := write(svc); err != nil { // which nobody waits for
					t.Error(err)
				}
			})
		})
	}
}

// TestFeedSleepsWhileNothingGrows would see a look for each request of a busy
// server otherwise.
func TestFeedSleepsWhileNothingGrows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		svc, store := service()
		ended := follow(t.Context(), svc, store, 500*time.Millisecond, nil)
		south := anyone
		south.Tenant = "south"
		_, sameErr := svc.Update(t.Context(), anyone, mineRef, rename("Ada"), nil)
		_, southErr := svc.Update(t.Context(), south, customer.ByID("south", foreign.ID), rename("Eve"), nil)
		_, putErr := svc.Upsert(t.Context(), anyone, []customer.Upsert{{Edit: refuse}})
		if err := errors.Join(sameErr, southErr, putErr); err != nil {
			t.Fatal(err)
		}
		wantHeard(t, <-ended, 0, 500*time.Millisecond)
		if store.looks != 2 { // for changes, and whether the feed has come that far
			t.Errorf("looked %d times, want twice", store.looks)
		}
	})
}

func TestFeedHearsOfAChangeDuringItsLook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		svc, store := service()
		store.onFeed = func() {
			store.onFeed = nil
			revise(t, svc, rename("Eve"))
		}
		wantHeard(t, <-follow(t.Context(), svc, store, time.Minute, nil), 1, 0)
	})
}

func TestFeedHearsOfAnotherProcessWithinASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		svc, store := service()
		ended := follow(t.Context(), svc, store, time.Minute, nil)
		time.Sleep(3*time.Second + 300*time.Millisecond)
		store.record(life("north", 9)[0]) // and tells nobody
		wantHeard(t, <-ended, 1, 4*time.Second)
	})
}

func TestFeedEndsEmptyHanded(t *testing.T) {
	t.Parallel()
	const soon = 2500 * time.Millisecond
	for name, end := range map[string]func(cancel func(), stop chan struct{}){
		"when the wait is over":   func(func(), chan struct{}) { time.Sleep(time.Hour) },
		"when the caller leaves":  func(cancel func(), _ chan struct{}) { cancel() },
		"when the server is told": func(_ func(), stop chan struct{}) { close(stop) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				svc, store := service()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				stop := make(chan struct{})
				wait := soon
				if name != "when the wait is over" {
					wait = time.Hour
				}
				ended := follow(ctx, svc, store, wait, stop)
				time.Sleep(soon)
				end(cancel, stop)
				wantHeard(t, <-ended, 0, soon)
			})
		})
	}
}

func TestFeedTellsOfAnOutage(t *testing.T) {
	t.Parallel()
	svc, store := service()
	store.broken = errors.New("disk full")
	if changes, err := svc.Feed(t.Context(), anyone, 99, 100, time.Minute, nil); !errors.Is(err, store.broken) {
		t.Errorf("got %+v, %v, want %v", changes, err, store.broken)
	}
}

func TestFeedNeedsReadForAll(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		by   access.Actor
		want fault.Kind
	}{
		"read for all":    {actor(access.AllCustomers(), access.Read), ""},
		"read for some":   {actor(access.OnlyCustomers(7, 8), access.Read), fault.Forbidden},
		"read for none":   {actor(access.OnlyCustomers(), access.Read), fault.Forbidden},
		"all but read":    {actor(access.AllCustomers(), access.Write, access.Erase, access.Admin), fault.Forbidden},
		"nothing for all": {actor(access.AllCustomers()), fault.Forbidden},
	} {
		svc, store := service()
		changes, err := svc.Feed(t.Context(), tt.by, 0, 100, 0, nil)
		if kindOf(err) != tt.want || (store.looks == 1) != (tt.want == "") {
			t.Errorf("%s: got %v and %d looks, want %q", name, err, store.looks, tt.want)
		}
		for _, r := range changes {
			if r.CustomerID == foreign.ID {
				t.Errorf("%s: got a change of another tenant", name)
			}
		}
	}
}
