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

// keysMakeChangesHappenOnce sends requests with keys at random: new ones, again,
// with the key of another, a day later, after a restart, and as one who did not
// look for a receipt first. A model says what each must hear.
func keysMakeChangesHappenOnce(t *testing.T, s *suite) {
	tenants := 0
	rapid.Check(t, func(t *rapid.T) {
		tenants++
		m := &sender{
			subject: s,
			tenant:  fmt.Sprint("tenant-", tenants),
			now:     timeAt(0),
			kept:    map[string]customer.IdempotencyRecord{},
			counts:  map[int32]int{},
		}
		for n := int32(1); n <= 2; n++ {
			s.create(t, m.tenant, n)
		}
		m.births = 2
		t.Repeat(map[string]func(*rapid.T){
			"send":    m.send,
			"create":  m.create,
			"keep":    m.keep,
			"wait":    m.wait,
			"restart": m.restart,
		})
		m.check(t)
	})
}

// sender is a client, and what it knows must be so.
type sender struct {
	subject *suite
	tenant  string
	now     time.Time
	kept    map[string]customer.IdempotencyRecord // by key
	counts  map[int32]int                         // of each customer's changes but the birth
	births  int
	sent    int
}

func (m *sender) service() *customer.Service {
	return service(m.subject.Store, func() time.Time { return m.now })
}

// actor signs each request with an id of its own.
func (m *sender) actor() access.Actor {
	by := actor(m.tenant)
	by.RequestID = fmt.Sprint("sent-", m.sent)
	return by
}

// request draws a key, and a request that may be another than the key's first.
func (m *sender) request(t *rapid.T) (key, request string) {
	key = rapid.SampledFrom([]string{"k1", "k2", "k3", "k4"}).Draw(t, "key")
	return key, rapid.SampledFrom([]string{key, key, key, "another"}).Draw(t, "request")
}

// used reports whether the key has a receipt, which the store must tell as it is.
func (m *sender) used(t *rapid.T, key string) bool {
	want, ok := m.kept[key]
	live := ok && m.now.Sub(want.At) <= customer.IdempotencyTTL
	got, err := m.service().FindResponse(t.Context(), m.actor(), key)
	if !live {
		wantFault(t, err, fault.NotFound, "")
		return false
	}
	if err != nil || got.Digest != want.Digest || !bytes.Equal(got.Response, want.Response) || got.At != want.At {
		t.Fatalf("receipt %s: got %+v %q (%v), want %+v %q", key, got, got.Response, err, want, want.Response)
	}
	return true
}

// heard notes what came of a request with a key: a receipt, or nothing at all.
func (m *sender) heard(t *rapid.T, used bool, o *customer.Idempotency, ch customer.Change, err error) (written bool) {
	if used {
		wantFault(t, err, fault.IdempotencyInProgress, "")
		return false
	}
	if err != nil {
		t.Fatalf("key %s: %v", o.Key, err)
	}
	m.kept[o.Key] = customer.IdempotencyRecord{Tenant: m.tenant, Key: o.Key, Digest: o.Digest, Response: responseTo(ch), At: m.now}
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
	if !used && fault.Is(err, fault.Invalid) { // of the edit, which must not be kept
		m.used(t, key)
		return
	}
	if m.heard(t, used, o, ch, err) {
		m.counts[number]++
	}
}

func (m *sender) create(t *rapid.T) {
	m.sent++
	key, request := m.request(t)
	used := m.used(t, key)
	o := withKey(key)
	o.Digest = request
	ch, err := m.service().Create(t.Context(), m.actor(), customer.Upsert{ID: id(int32(100 + m.sent)), Edit: setLastName("Bo")}, o)
	if m.heard(t, used, o, ch, err) {
		m.births++
	}
}

func (m *sender) keep(t *rapid.T) {
	key, request := m.request(t)
	used := m.used(t, key)
	err := m.service().SaveResponse(t.Context(), m.actor(), customer.Idempotency{Key: key, Digest: request}, []byte("refused"))
	if used {
		wantFault(t, err, fault.IdempotencyInProgress, "")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	m.kept[key] = customer.IdempotencyRecord{Tenant: m.tenant, Key: key, Digest: request, Response: []byte("refused"), At: m.now}
}

func (m *sender) wait(t *rapid.T) {
	m.now = m.now.Add(rapid.SampledFrom([]time.Duration{
		time.Microsecond, time.Hour, 12 * time.Hour, customer.IdempotencyTTL,
	}).Draw(t, "wait"))
}

// restart is rare, because it is slow.
func (m *sender) restart(t *rapid.T) {
	if rapid.IntRange(1, 16).Draw(t, "rare") == 16 {
		m.subject.reopen()
	}
}

// check counts the changes: each request made one at most, and none got lost.
func (m *sender) check(t *rapid.T) {
	requests := map[string]int{}
	changes := feed(t, m.subject, m.tenant)
	for _, r := range changes {
		requests[r.Meta.RequestID]++
	}
	for request, n := range requests {
		if n != 1 && request != meta(0).RequestID {
			t.Errorf("request %s made %d changes", request, n)
		}
	}
	want := m.births
	for number, n := range m.counts {
		want += n
		c, err := m.subject.Find(t.Context(), customer.ByNumber(m.tenant, number))
		if err != nil || c.Version != int64(n)+1 {
			t.Errorf("customer %d: got version %d (%v), want %d", number, c.Version, err, n+1)
		}
	}
	if len(changes) != want {
		t.Errorf("got %d changes, want %d", len(changes), want)
	}
}
