package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// idempotencyTests test customer.IdempotencyStore, and the idempotency records of customer.Store.
var idempotencyTests = map[string]func(*testing.T, *suite){
	"RecordIsStoredWithUpdate":          recordWithUpdate,
	"RecordIsStoredWithEmptyChange":     recordWithEmptyChange,
	"RecordIsStoredWithCreation":        recordWithCreation,
	"FailedRequestStoresNoRecord":       failedRequest,
	"UsedKeyWritesNothing":              usedKey,
	"KeyCanBeUsedAgainAfterADay":        keyAfterADay,
	"OneOfConcurrentUsesOfAKeyWrites":   concurrentKeys,
	"FailedResponseWritesNothing":       failedResponse,
	"ResponseCanBeAnyBytes":             responseBytes,
	"TenantsHaveSeparateRecords":        separateRecords,
	"ActorsHaveSeparateRecords":         separateActors,
	"RecordsSurviveReopening":           recordsSurvive,
	"ExpiredRecordsAreDeleted":          expiredRecords,
	"ResponseIsStoredWithoutChange":     savedResponse,
	"CanceledCallStoresNoRecord":        canceledRecord,
	"FailedResponseDoesNotAffectOthers": failedResponseBesideOthers,
}

// withKey returns an idempotency key whose response is responseTo the change.
func withKey(key string) *customer.Idempotency {
	return &customer.Idempotency{Key: key, Digest: "digest of " + key, Respond: func(ch customer.Change) ([]byte, error) {
		return responseTo(ch), nil
	}}
}

func responseTo(ch customer.Change) []byte {
	return fmt.Appendf(nil, "%s is %s at version %d", ch.After.ID, ch.After.LastName, ch.After.Version)
}

// wantIdempotencyRecord checks that the tenant has this record and no newer one.
func (s *suite) wantIdempotencyRecord(t tb, want customer.IdempotencyRecord) {
	t.Helper()
	got, err := s.FindResponse(t.Context(), want.Tenant, want.Actor, want.Key, want.At)
	same := got.Tenant == want.Tenant && got.Key == want.Key && got.Digest == want.Digest &&
		slices.Equal(got.Response, want.Response) && got.At == want.At
	if err != nil || !same {
		t.Errorf("idempotency record %s: got %+v, %q (%v), want %+v, %q", want.Key, got, got.Response, err, want, want.Response)
	}
	_, err = s.FindResponse(t.Context(), want.Tenant, want.Actor, want.Key, want.At.Add(time.Microsecond))
	wantFault(t, err, fault.NotFound, "")
}

// wantNoIdempotencyRecord checks that the tenant has no record with the key, however old.
func (s *suite) wantNoIdempotencyRecord(t tb, tenant, key string) {
	t.Helper()
	got, err := s.FindResponse(t.Context(), tenant, actorID, key, time.Time{})
	if !fault.Is(err, fault.NotFound) || got.Key != "" || got.Response != nil {
		t.Errorf("idempotency record %s: got %+v (%v), want a NotFound fault", key, got, err)
	}
}

func recordWithUpdate(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	for seconds, ref := range []customer.Ref{customer.ByID("north", c.ID), customer.ByNumber("north", 1)} {
		key := fmt.Sprint("key-", seconds)
		s.wantNoIdempotencyRecord(t, "north", key)
		ch, err := s.Update(t.Context(), ref, meta(seconds), increment, withKey(key))
		if err != nil {
			t.Fatal(err)
		}
		s.wantIdempotencyRecord(t, customer.IdempotencyRecord{Tenant: "north", Actor: actorID, Key: key, Digest: "digest of " + key, Response: responseTo(ch), At: timeAt(seconds)})
		s.wantCustomer(t, ch.After)
	}
}

func recordWithEmptyChange(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	ch, err := s.Update(t.Context(), customer.ByID("north", c.ID), meta(5), setLastName("Ada"), withKey("k"))
	if err != nil || !ch.Empty() {
		t.Fatalf("got %#v (%v), want an empty change", ch, err)
	}
	s.wantIdempotencyRecord(t, customer.IdempotencyRecord{Tenant: "north", Actor: actorID, Key: "k", Digest: "digest of k", Response: responseTo(ch), At: timeAt(5)})
	s.wantCustomer(t, c)
}

func recordWithCreation(t *testing.T, s *suite) {
	ch, err := s.Create(t.Context(), "north", meta(5), customer.Upsert{GeneratedID: id(1), Edit: setLastName("Ada")}, withKey("k"))
	if err != nil {
		t.Fatal(err)
	}
	s.wantIdempotencyRecord(t, customer.IdempotencyRecord{Tenant: "north", Actor: actorID, Key: "k", Digest: "digest of k", Response: responseTo(ch), At: timeAt(5)})
	_, err = s.Create(t.Context(), "north", meta(5), customer.Upsert{GeneratedID: id(2), Edit: setLastName("Ada")}, withKey("k"))
	wantFault(t, err, fault.IdempotencyInProgress, "")
	s.wantNoCustomer(t, customer.ByID("north", id(2)), id(2))
	s.wantFeed(t, "north", 1)
}

func failedRequest(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	broken := errors.New("broken on purpose")
	for key, request := range map[string]func(*customer.Idempotency) (customer.Change, error){
		"missing": func(o *customer.Idempotency) (customer.Change, error) {
			return s.Update(t.Context(), customer.ByID("north", id(9)), meta(5), increment, o)
		},
		"stale": func(o *customer.Idempotency) (customer.Change, error) {
			return s.Update(t.Context(), customer.ByID("north", c.ID), meta(5), customer.Precondition{Versions: []int64{9}}.Edit(increment), o)
		},
		"invalid": func(o *customer.Idempotency) (customer.Change, error) {
			return s.Update(t.Context(), customer.ByID("north", c.ID), meta(5), setLastName(""), o)
		},
		"broken": func(o *customer.Idempotency) (customer.Change, error) {
			return s.Update(t.Context(), customer.ByID("north", c.ID), meta(5), func(*customer.Customer) error { return broken }, o)
		},
		"taken": func(o *customer.Idempotency) (customer.Change, error) {
			return s.Create(t.Context(), "north", meta(5), customer.Upsert{ID: c.ID, Edit: setLastName("Bo")}, o)
		},
		"taken number": func(o *customer.Idempotency) (customer.Change, error) {
			return s.Create(t.Context(), "north", meta(5), customer.Upsert{ID: id(2), Number: 1, Edit: setLastName("Bo")}, o)
		},
	} {
		if ch, err := request(withKey(key)); err == nil || ch != (customer.Change{}) {
			t.Errorf("%s: got %#v, want an error", key, ch)
		}
		s.wantNoIdempotencyRecord(t, "north", key)
	}
	s.wantCustomer(t, c)
	s.wantFeed(t, "north", 1)
}

func usedKey(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	first := s.updateWithKey(t, c, 5, "k")
	record := customer.IdempotencyRecord{Tenant: "north", Actor: actorID, Key: "k", Digest: "digest of k", Response: responseTo(first), At: timeAt(5)}
	for name, again := range map[string]func() error{
		"the same request": func() error {
			_, err := s.Update(t.Context(), customer.ByID("north", c.ID), meta(6), increment, withKey("k"))
			return err
		},
		"another request": func() error {
			other := withKey("k")
			other.Digest = "another digest"
			_, err := s.Update(t.Context(), customer.ByID("north", c.ID), meta(6), setLastName("King"), other)
			return err
		},
		"a clock that went back": func() error {
			_, err := s.Update(t.Context(), customer.ByID("north", c.ID), meta(-3600), increment, withKey("k"))
			return err
		},
		"a response without a change": func() error {
			return s.SaveResponse(t.Context(), customer.IdempotencyRecord{Tenant: "north", Actor: actorID, Key: "k", Digest: "r", Response: []byte("a"), At: timeAt(6)})
		},
		// The key is checked before the customer.
		"an unknown customer": func() error {
			_, err := s.Update(t.Context(), customer.ByID("north", id(9)), meta(6), increment, withKey("k"))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			wantFault(t, again(), fault.IdempotencyInProgress, "")
			s.wantIdempotencyRecord(t, record)
			s.wantCustomer(t, first.After)
		})
	}
}

// updateWithKey increments the customer's first name, with an idempotency key.
func (s *suite) updateWithKey(t tb, c customer.Customer, seconds int, key string) customer.Change {
	t.Helper()
	ch, err := s.Update(t.Context(), customer.ByID(c.Tenant, c.ID), meta(seconds), increment, withKey(key))
	if err != nil {
		t.Fatalf("update with key %s: %v", key, err)
	}
	return ch
}

func keyAfterADay(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	s.updateWithKey(t, c, 0, "updated")
	saved := customer.IdempotencyRecord{Tenant: "north", Actor: actorID, Key: "saved", Digest: "r", Response: []byte("a"), At: timeAt(0)}
	if err := s.SaveResponse(t.Context(), saved); err != nil {
		t.Fatal(err)
	}
	day := int(customer.IdempotencyTTL.Seconds())
	_, err := s.Update(t.Context(), customer.ByID("north", c.ID), meta(day), increment, withKey("updated"))
	wantFault(t, err, fault.IdempotencyInProgress, "")
	saved.At = timeAt(day)
	wantFault(t, s.SaveResponse(t.Context(), saved), fault.IdempotencyInProgress, "")

	ch := s.updateWithKey(t, c, day+1, "updated")
	s.wantIdempotencyRecord(t, customer.IdempotencyRecord{Tenant: "north", Actor: actorID, Key: "updated", Digest: "digest of updated", Response: responseTo(ch), At: timeAt(day + 1)})
	saved.Response, saved.At = []byte("b"), timeAt(day+1)
	if err := s.SaveResponse(t.Context(), saved); err != nil {
		t.Error(err)
	}
	s.wantIdempotencyRecord(t, saved)
	s.wantCustomer(t, ch.After)
}

func concurrentKeys(t *testing.T, s *suite) {
	const keys, senders = 8, 8
	c := s.create(t, "north", 1)
	other := s.openAgain()
	var written atomic.Int64
	var wg sync.WaitGroup
	for key := range keys {
		for sender := range senders {
			store := []customer.Store{s, other}[sender%2]
			wg.Go(func() {
				_, err := store.Update(t.Context(), customer.ByID("north", c.ID), meta(5), increment, withKey(fmt.Sprint("key-", key)))
				if err != nil {
					wantFault(t, err, fault.IdempotencyInProgress, "")
					return
				}
				written.Add(1)
			})
		}
	}
	wg.Wait()
	if written.Load() != keys {
		t.Errorf("%d keys were written %d times", keys, written.Load())
	}
	c.FirstName, c.Version, c.UpdatedAt = fmt.Sprint(keys), keys+1, timeAt(5)
	s.wantCustomer(t, c)
}

// failingResponses fail. An engine may pass a panic on to the caller or return it as an error.
func failingResponses() map[string]func(customer.Change) ([]byte, error) {
	return map[string]func(customer.Change) ([]byte, error){
		"by an error": func(customer.Change) ([]byte, error) { return nil, errors.New("broken on purpose") },
		"by a fault":  func(customer.Change) ([]byte, error) { return nil, fault.New(fault.Conflict, "on purpose") },
		"by a panic":  func(customer.Change) ([]byte, error) { panic("on purpose") },
	}
}

// tryUpdate is Update with an idempotency key. It returns a panic as an error.
func (s *suite) tryUpdate(t tb, c customer.Customer, o *customer.Idempotency) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	_, err = s.Update(t.Context(), customer.ByID(c.Tenant, c.ID), meta(5), increment, o)
	return err
}

func failedResponse(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	for name, respond := range failingResponses() {
		if err := s.tryUpdate(t, c, &customer.Idempotency{Key: name, Digest: "r", Respond: respond}); err == nil {
			t.Errorf("%s: got no error", name)
		}
		s.wantNoIdempotencyRecord(t, "north", name)
	}
	s.wantCustomer(t, c)
	s.wantFeed(t, "north", 1)
}

// failedResponseBesideOthers runs requests beside some whose responses fail: a store that runs them
// again must not find their own records.
func failedResponseBesideOthers(t *testing.T, s *suite) {
	const each = 16
	c := s.create(t, "north", 1)
	var wg sync.WaitGroup
	for n := range each {
		for name, respond := range failingResponses() {
			wg.Go(func() {
				if err := s.tryUpdate(t, c, &customer.Idempotency{Key: fmt.Sprint(name, n), Digest: "r", Respond: respond}); err == nil {
					t.Errorf("%s: got no error", name)
				}
			})
		}
		wg.Go(func() { s.updateWithKey(t, c, 5, fmt.Sprint("good-", n)) })
	}
	wg.Wait()
	c.FirstName, c.Version, c.UpdatedAt = fmt.Sprint(each), each+1, timeAt(5)
	s.wantCustomer(t, c)
	for n := range each {
		if _, err := s.FindResponse(t.Context(), "north", actorID, fmt.Sprint("good-", n), time.Time{}); err != nil {
			t.Errorf("idempotency record %d: %v", n, err)
		}
	}
}

func responseBytes(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	long := make([]byte, 1<<20)
	for i := range long {
		long[i] = byte(i * 7)
	}
	for name, response := range map[string][]byte{"none": nil, "empty": {}, "not text": {0, 0xff, '\'', 0}, "long": long} {
		o := customer.Idempotency{Key: name, Digest: "r", Respond: func(customer.Change) ([]byte, error) { return response, nil }}
		if _, err := s.Update(t.Context(), customer.ByID("north", c.ID), meta(5), increment, &o); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s.wantIdempotencyRecord(t, customer.IdempotencyRecord{Tenant: "north", Actor: actorID, Key: name, Digest: "r", Response: response, At: timeAt(5)})
	}
}

func separateRecords(t *testing.T, s *suite) {
	north, south := s.create(t, "north", 1), s.create(t, "south", 1)
	s.updateWithKey(t, north, 5, "k")
	s.wantNoIdempotencyRecord(t, "south", "k")
	s.wantNoIdempotencyRecord(t, "north", "K")
	ch := s.updateWithKey(t, south, 6, "k")
	s.wantIdempotencyRecord(t, customer.IdempotencyRecord{Tenant: "south", Actor: actorID, Key: "k", Digest: "digest of k", Response: responseTo(ch), At: timeAt(6)})
}

func separateActors(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	s.updateWithKey(t, c, 5, "k")
	by := meta(6)
	by.Actor = "acc_other"
	ch, err := s.Update(t.Context(), customer.ByID("north", c.ID), by, increment, withKey("k"))
	if err != nil {
		t.Fatal(err)
	}
	s.wantIdempotencyRecord(t, customer.IdempotencyRecord{Tenant: "north", Actor: "acc_other", Key: "k", Digest: "digest of k", Response: responseTo(ch), At: timeAt(6)})
	_, err = s.Update(t.Context(), customer.ByID("north", c.ID), by, increment, withKey("k"))
	wantFault(t, err, fault.IdempotencyInProgress, "")
	saved := customer.IdempotencyRecord{Tenant: "north", Actor: "acc_third", Key: "k", Digest: "r", Response: []byte("a"), At: timeAt(7)}
	if err := s.SaveResponse(t.Context(), saved); err != nil {
		t.Fatal(err)
	}
	s.wantIdempotencyRecord(t, saved)
}

func recordsSurvive(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	ch := s.updateWithKey(t, c, 5, "k")
	s.reopen()
	s.wantIdempotencyRecord(t, customer.IdempotencyRecord{Tenant: "north", Actor: actorID, Key: "k", Digest: "digest of k", Response: responseTo(ch), At: timeAt(5)})
	_, err := s.Update(t.Context(), customer.ByID("north", c.ID), meta(6), increment, withKey("k"))
	wantFault(t, err, fault.IdempotencyInProgress, "")
	s.wantCustomer(t, ch.After)
}

// expiredRecords sends as many requests a day later as before: then all old records must be deleted,
// and all new ones must exist.
func expiredRecords(t *testing.T, s *suite) {
	const requests = 40
	c := s.create(t, "north", 1)
	day := int(customer.IdempotencyTTL.Seconds())
	for n := range requests {
		s.updateWithKey(t, c, n, fmt.Sprint("old-", n))
	}
	for n := range requests {
		s.updateWithKey(t, c, day+requests+n, fmt.Sprint("new-", n))
	}
	for n := range requests {
		s.wantNoIdempotencyRecord(t, "north", fmt.Sprint("old-", n))
		if _, err := s.FindResponse(t.Context(), "north", actorID, fmt.Sprint("new-", n), timeAt(day)); err != nil {
			t.Errorf("new-%d: %v", n, err)
		}
	}
}

func savedResponse(t *testing.T, s *suite) {
	s.create(t, "north", 1)
	r := customer.IdempotencyRecord{Tenant: "north", Actor: actorID, Key: "k", Digest: "digest", Response: []byte("rejected"), At: timeAt(5)}
	if err := s.SaveResponse(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	s.wantIdempotencyRecord(t, r)
	s.wantFeed(t, "north", 1)
	s.reopen()
	s.wantIdempotencyRecord(t, r)
}

func canceledRecord(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	cause := errors.New("the caller has disconnected")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	_, err := s.Update(ctx, customer.ByID("north", c.ID), meta(5), increment, withKey("updated"))
	wantCause(t, "update", err, cause)
	err = s.SaveResponse(ctx, customer.IdempotencyRecord{Tenant: "north", Actor: actorID, Key: "saved", Digest: "r", Response: []byte("a"), At: timeAt(5)})
	wantCause(t, "save response", err, cause)
	_, err = s.FindResponse(ctx, "north", actorID, "saved", time.Time{})
	wantCause(t, "find response", err, cause)

	s.create(t, "north", 2) // after everything that was queued before
	s.wantNoIdempotencyRecord(t, "north", "updated")
	s.wantNoIdempotencyRecord(t, "north", "saved")
	s.wantCustomer(t, c)
}
