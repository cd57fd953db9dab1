package storetest

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// keysPreventRepeatedChanges sends random requests with idempotency keys: new ones, retries, with the
// key of another request, a day later, and after a restart. A model predicts each result.
func keysPreventRepeatedChanges(t *testing.T, s *suite) {
	tenants := 0
	rapid.Check(t, func(t *rapid.T) {
		tenants++
		m := &sender{
			suite:   s,
			tenant:  fmt.Sprint("tenant-", tenants),
			now:     timeAt(0),
			records: map[string]customer.IdempotencyRecord{},
			updates: map[int32]int{},
		}
		for n := int32(1); n <= 2; n++ {
			s.create(t, m.tenant, n)
		}
		m.created = 2
		t.Repeat(map[string]func(*rapid.T){
			"send":    m.send,
			"create":  m.create,
			"save":    m.save,
			"wait":    m.wait,
			"restart": m.restart,
		})
		m.check(t)
	})
}

// sender is a client with a model of the store.
type sender struct {
	suite   *suite
	tenant  string
	now     time.Time
	records map[string]customer.IdempotencyRecord // by key
	updates map[int32]int                         // by number
	created int
	sent    int
}

func (m *sender) service() *customer.Service {
	return service(m.suite.Store, func() time.Time { return m.now })
}

// actor gives each request its own id.
func (m *sender) actor() access.Actor {
	by := actor(m.tenant)
	by.RequestID = fmt.Sprint("sent-", m.sent)
	return by
}

// request draws a key and a request, which may differ from the first request with the key.
func (m *sender) request(t *rapid.T) (key, request string) {
	key = rapid.SampledFrom([]string{"k1", "k2", "k3", "k4"}).Draw(t, "key")
	return key, rapid.SampledFrom([]string{key, key, key, "another"}).Draw(t, "request")
}

// used reports whether the key has a record, and checks it.
func (m *sender) used(t *rapid.T, key string) bool {
	want, ok := m.records[key]
	live := ok && m.now.Sub(want.At) <= customer.IdempotencyTTL
	got, err := m.service().FindResponse(t.Context(), m.actor(), key)
	if !live {
		wantFault(t, err, fault.NotFound, "")
		return false
	}
	if err != nil || got.Digest != want.Digest || !bytes.Equal(got.Response, want.Response) || got.At != want.At {
		t.Fatalf("idempotency record %s: got %+v %q (%v), want %+v %q", key, got, got.Response, err, want, want.Response)
	}
	return true
}

// checkResult checks the result of a request with a key, and adds its record to the model.
func (m *sender) checkResult(t *rapid.T, used bool, o *customer.Idempotency, ch customer.Change, err error) (written bool) {
	if used {
		wantFault(t, err, fault.IdempotencyInProgress, "")
		return false
	}
	if err != nil {
		t.Fatalf("key %s: %v", o.Key, err)
	}
	m.records[o.Key] = customer.IdempotencyRecord{Tenant: m.tenant, Actor: actorID, Key: o.Key, Digest: o.Digest, Response: responseTo(ch), At: m.now}
	return !ch.Empty()
}

func (m *sender) send(t *rapid.T) {
	m.sent++
	key, request := m.request(t)
	number := rapid.Int32Range(1, 2).Draw(t, "customer")
	edit := rapid.SampledFrom([]customer.Edit{increment, increment, setLastName("Ada"), setLastName("")}).Draw(t, "edit")
	used := m.used(t, key)
	o := withKey(key)
	o.Digest = request
	ch, err := m.service().Update(t.Context(), m.actor(), customer.ByNumber(m.tenant, number), edit, o)
	if !used && fault.Is(err, fault.Invalid) { // of the edit; no record is stored
		m.used(t, key)
		return
	}
	if m.checkResult(t, used, o, ch, err) {
		m.updates[number]++
	}
}

func (m *sender) create(t *rapid.T) {
	m.sent++
	key, request := m.request(t)
	used := m.used(t, key)
	o := withKey(key)
	o.Digest = request
	ch, err := m.service().Create(t.Context(), m.actor(), customer.Upsert{ID: id(int32(100 + m.sent)), Edit: setLastName("Bo")}, o)
	if m.checkResult(t, used, o, ch, err) {
		m.created++
	}
}

func (m *sender) save(t *rapid.T) {
	key, request := m.request(t)
	used := m.used(t, key)
	err := m.service().SaveResponse(t.Context(), m.actor(), customer.Idempotency{Key: key, Digest: request}, []byte("rejected"))
	if used {
		wantFault(t, err, fault.IdempotencyInProgress, "")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	m.records[key] = customer.IdempotencyRecord{Tenant: m.tenant, Actor: actorID, Key: key, Digest: request, Response: []byte("rejected"), At: m.now}
}

func (m *sender) wait(t *rapid.T) {
	m.now = m.now.Add(rapid.SampledFrom([]time.Duration{
		time.Microsecond, time.Hour, 12 * time.Hour, customer.IdempotencyTTL,
	}).Draw(t, "wait"))
}

// restart is rare, because it is slow.
func (m *sender) restart(t *rapid.T) {
	if rapid.IntRange(1, 16).Draw(t, "rare") == 16 {
		m.suite.reopen()
	}
}

// check counts the changes: each request made at most one, and none was lost.
func (m *sender) check(t *rapid.T) {
	requests := map[string]int{}
	changes := feed(t, m.suite, m.tenant)
	for _, r := range changes {
		requests[r.Meta.RequestID]++
	}
	for request, n := range requests {
		if n != 1 && request != meta(0).RequestID {
			t.Errorf("request %s made %d changes", request, n)
		}
	}
	want := m.created
	for number, n := range m.updates {
		want += n
		c, err := m.suite.Find(t.Context(), customer.ByNumber(m.tenant, number))
		if err != nil || c.Version != int64(n)+1 {
			t.Errorf("customer %d: got version %d (%v), want %d", number, c.Version, err, n+1)
		}
	}
	if len(changes) != want {
		t.Errorf("got %d changes, want %d", len(changes), want)
	}
}
