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

// feedResult is the result of a call of Feed.
type feedResult struct {
	changes []customer.ChangeRecord
	err     error
	after   time.Duration
}

// startFeed starts a call of Feed after the last change of north, in a synctest bubble. It sends the
// result when the call returns.
func startFeed(ctx context.Context, svc *customer.Service, store *memoryStore, wait time.Duration, stop <-chan struct{}) <-chan feedResult {
	ended := make(chan feedResult, 1)
	var last int64
	for i, r := range store.changes {
		if store.tenants[i] == "north" {
			last = r.Seq
		}
	}
	start := time.Now()
	go func() {
		changes, err := svc.Feed(ctx, fullAccess, last, 100, wait, stop)
		ended <- feedResult{changes, err, time.Since(start)}
	}()
	synctest.Wait()
	return ended
}

// takeFeedReads returns the number of reads of the feed since the last call.
func (s *memoryStore) takeFeedReads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.feedReads
	s.feedReads = 0
	return n
}

func addLetter(c *customer.Customer) error {
	c.FirstName += "x"
	return nil
}

func wantFeed(t *testing.T, got feedResult, changes int, after time.Duration) {
	t.Helper()
	if got.err != nil || len(got.changes) != changes || got.after != after {
		t.Errorf("got %d changes after %v (%v), want %d after %v", len(got.changes), got.after, got.err, changes, after)
	}
}

func TestFeedReturnsExistingChangesAtOnce(t *testing.T) {
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
			changes, err := svc.Feed(t.Context(), fullAccess, tt.after, tt.limit, tt.wait, nil)
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

func TestFeedRejectsCursorBeyondEnd(t *testing.T) {
	t.Parallel()
	svc, _ := service()
	for _, after := range []int64{5, 6, 99} { // 5 and 6 belong to another tenant
		_, err := svc.Feed(t.Context(), fullAccess, after, 100, time.Hour, nil)
		f := fault.From(err)
		if f.Kind != fault.BadRequest || len(f.Fields) != 1 || f.Fields[0].Path != "after" || f.Fields[0].Rule != fault.Range {
			t.Errorf("after %d: got %v, want a BadRequest fault with after", after, err)
		}
	}
}

func TestFeedReturnsNewChangeAtOnce(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*customer.Service) error{
		"an update": func(svc *customer.Service) error {
			_, err := svc.Update(context.Background(), fullAccess, mineRef, addLetter, nil)
			return err
		},
		"a creation": func(svc *customer.Service) error {
			_, err := svc.Create(context.Background(), fullAccess, customer.Upsert{Edit: setLastName}, nil)
			return err
		},
		"a bulk load": func(svc *customer.Service) error {
			_, err := svc.Upsert(context.Background(), fullAccess, []customer.Upsert{{Edit: failEdit}, {Edit: setLastName}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				svc, store := service()
				first, second := startFeed(t.Context(), svc, store, time.Minute, nil), startFeed(t.Context(), svc, store, time.Minute, nil)
				time.Sleep(300 * time.Millisecond)
				if err := write(svc); err != nil {
					t.Fatal(err)
				}
				wantFeed(t, <-first, 1, 300*time.Millisecond)
				wantFeed(t, <-second, 1, 300*time.Millisecond)
				wantFeed(t, <-startFeed(t.Context(), svc, store, 500*time.Millisecond, nil), 0, 500*time.Millisecond)
				if err := write(svc); err != nil { // no call is waiting
					t.Error(err)
				}
			})
		})
	}
}

// On a busy server each waiting request would otherwise read the feed again and again.
func TestFeedReadsOnlyAfterChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		svc, store := service()
		ended := startFeed(t.Context(), svc, store, 500*time.Millisecond, nil)
		south := fullAccess
		south.Tenant = "south"
		_, sameErr := svc.Update(t.Context(), fullAccess, mineRef, setFirstName("Ada"), nil)
		_, southErr := svc.Update(t.Context(), south, customer.ByID("south", foreign.ID), setFirstName("Eve"), nil)
		_, putErr := svc.Upsert(t.Context(), fullAccess, []customer.Upsert{{Edit: failEdit}})
		if err := errors.Join(sameErr, southErr, putErr); err != nil {
			t.Fatal(err)
		}
		wantFeed(t, <-ended, 0, 500*time.Millisecond)
		if store.feedReads != 2 { // for changes, and to check the cursor
			t.Errorf("read the feed %d times, want 2", store.feedReads)
		}
	})
}

func TestFeedReturnsChangeWrittenDuringRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		svc, store := service()
		store.afterFeedRead = func() {
			store.afterFeedRead = nil
			updateMine(t, svc, setFirstName("Eve"))
		}
		wantFeed(t, <-startFeed(t.Context(), svc, store, time.Minute, nil), 1, 0)
	})
}

func TestFeedReturnsChangeOfOtherProcessWithinOneSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		svc, store := service()
		ended := startFeed(t.Context(), svc, store, time.Minute, nil)
		time.Sleep(3*time.Second + 300*time.Millisecond)
		store.record(createAndUpdate("north", 9)[0]) // without a notification
		wantFeed(t, <-ended, 1, 4*time.Second)
	})
}

// However many requests wait, one at a time polls for changes of other processes, and wakes the rest.
func TestOneWaitingRequestPolls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		svc, store := service()
		var ended []<-chan feedResult
		for i := range 15 {
			wait := time.Minute
			if i < 5 {
				wait = 2500 * time.Millisecond // the next one has to take over
			}
			ended = append(ended, startFeed(t.Context(), svc, store, wait, nil))
		}
		store.takeFeedReads()
		time.Sleep(10*time.Second + 100*time.Millisecond)
		if reads := store.takeFeedReads(); reads < 9 || reads > 11 {
			t.Errorf("15 requests read the feed %d times in 10 s, want once a second", reads)
		}
		store.record(createAndUpdate("north", 9)[0]) // without a notification
		for i, e := range ended {
			if i < 5 {
				wantFeed(t, <-e, 0, 2500*time.Millisecond)
				continue
			}
			if got := <-e; got.err != nil || len(got.changes) != 1 || got.after > 11*time.Second+100*time.Millisecond {
				t.Errorf("request %d: got %+v, want a change within a second", i, got)
			}
		}
	})
}

func TestWaitingRequestsOfAKeyAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		svc, store := service()
		var ended []<-chan feedResult
		for range 20 {
			ended = append(ended, startFeed(t.Context(), svc, store, 3*time.Second, nil))
		}
		if got := <-startFeed(t.Context(), svc, store, time.Minute, nil); !fault.Is(got.err, fault.RateLimited) || got.after != 0 {
			t.Errorf("one more: got %v after %v, want rate-limited at once", got.err, got.after)
		}
		wantFeed(t, <-startFeed(t.Context(), svc, store, 0, nil), 0, 0)
		other := fullAccess
		other.ID = "key_other"
		if changes, err := svc.Feed(t.Context(), other, store.changes[3].Seq, 100, time.Second, nil); err != nil || len(changes) > 0 {
			t.Errorf("another key: got %v (%v), want no changes", changes, err)
		}
		for _, e := range ended {
			wantFeed(t, <-e, 0, 3*time.Second)
		}
		wantFeed(t, <-startFeed(t.Context(), svc, store, time.Second, nil), 0, time.Second)
	})
}

func TestFeedEndsWithoutChanges(t *testing.T) {
	t.Parallel()
	const soon = 2500 * time.Millisecond
	for name, end := range map[string]func(cancel func(), stop chan struct{}){
		"when the wait is over":         func(func(), chan struct{}) { time.Sleep(time.Hour) },
		"when the request is cancelled": func(cancel func(), _ chan struct{}) { cancel() },
		"when the server stops":         func(_ func(), stop chan struct{}) { close(stop) },
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
				ended := startFeed(ctx, svc, store, wait, stop)
				time.Sleep(soon)
				end(cancel, stop)
				wantFeed(t, <-ended, 0, soon)
			})
		})
	}
}

func TestFeedReturnsStoreError(t *testing.T) {
	t.Parallel()
	svc, store := service()
	store.failure = errors.New("disk full")
	if changes, err := svc.Feed(t.Context(), fullAccess, 99, 100, time.Minute, nil); !errors.Is(err, store.failure) {
		t.Errorf("got %+v, %v, want %v", changes, err, store.failure)
	}
}

func TestFeedRequiresReadForAllCustomers(t *testing.T) {
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
		if kindOf(err) != tt.want || (store.feedReads == 1) != (tt.want == "") {
			t.Errorf("%s: got %v and %d reads, want %q", name, err, store.feedReads, tt.want)
		}
		for _, r := range changes {
			if r.CustomerID == foreign.ID {
				t.Errorf("%s: got a change of another tenant", name)
			}
		}
	}
}
