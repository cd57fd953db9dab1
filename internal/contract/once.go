package contract

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"sync"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/web"
)

// Repeats lets clients send a change again without making it again: the header
// Idempotency-Key names the request, and its first answer is kept.
type Repeats struct {
	customers *customer.Service

	mu      sync.Mutex
	running map[string]bool // the requests under way, by tenant and key
}

// NewRepeats returns a Repeats that keeps answers where customers are.
func NewRepeats(customers *customer.Service) *Repeats {
	return &Repeats{customers: customers, running: map[string]bool{}}
}

// Once is how a handler keeps the answer of a change with the change itself. It is
// nil for a request without an Idempotency-Key.
type Once struct {
	key, request string
}

// Keep is for customer.Service: answer is run inside the write, and must answer
// the same when it is run again.
func (o *Once) Keep(answer func(http.ResponseWriter, customer.Change) error) *customer.Once {
	if o == nil {
		return nil
	}
	return &customer.Once{Key: o.key, Request: o.request, Answer: func(ch customer.Change) ([]byte, error) {
		a, err := web.Record(func(w http.ResponseWriter) error { return answer(w, ch) })
		if err != nil {
			return nil, err
		}
		return a.Bytes()
	}}
}

// Changing is a handler that changes something.
type Changing func(w http.ResponseWriter, r *http.Request, by access.Actor, once *Once) error

// Handle runs f unless the request has been answered before. fail is the
// contract's.
func (x *Repeats) Handle(w http.ResponseWriter, r *http.Request, by access.Actor, fail web.Fail, f Changing) error {
	once, err := readOnce(r, by)
	if err != nil {
		return err
	}
	if once == nil {
		return f(w, r, by, nil)
	}
	done, err := x.begin(by.Tenant, once.key)
	if err != nil {
		return err
	}
	defer done()
	receipt, err := x.customers.Receipt(r.Context(), by, once.key)
	if err == nil {
		return replay(w, receipt, once.request)
	}
	if !fault.Is(err, fault.Missing) {
		return err
	}
	err = f(w, r, by, once)
	if f := fault.Of(err); err != nil && final(f.Kind) {
		return x.refuse(w, r, by, once, f, fail)
	}
	return err
}

// readOnce takes the key from the request, whose body it reads for that.
func readOnce(r *http.Request, by access.Actor) (*Once, error) {
	keys := r.Header.Values("Idempotency-Key")
	if len(keys) == 0 {
		return nil, nil
	}
	if len(keys) > 1 || !validKey(keys[0]) {
		return nil, &fault.Fault{
			Kind:   fault.Malformed,
			Text:   "the request is malformed",
			Fields: []fault.Field{{Path: "Idempotency-Key", Rule: fault.Format, Text: "must be one of 1 to 255 visible ASCII characters"}},
		}
	}
	body, err := web.ReadBody(r)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return &Once{keys[0], digest(r, by, body)}, nil
}

func validKey(s string) bool {
	for _, b := range []byte(s) {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 255
}

// digest tells two requests apart: by who asks, for what, and on what condition.
func digest(r *http.Request, by access.Actor, body []byte) string {
	h := sha256.New()
	for _, part := range []string{
		by.Name, r.Method, r.URL.EscapedPath(), r.URL.RawQuery,
		r.Header.Get("Content-Type"), fmt.Sprintf("%q", r.Header.Values("If-Match")),
	} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// begin notes that a request is under way, until done is called.
func (x *Repeats) begin(tenant, key string) (done func(), err error) {
	name := tenant + " " + key // neither holds a space
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.running[name] {
		return nil, fault.New(fault.Running, "the first request with this Idempotency-Key is still running")
	}
	x.running[name] = true
	return func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		delete(x.running, name)
	}, nil
}

func replay(w http.ResponseWriter, receipt customer.Receipt, request string) error {
	if receipt.Request != request {
		return fault.New(fault.Reused, "this Idempotency-Key was used for another request")
	}
	answer, err := web.ParseAnswer(receipt.Answer)
	if err != nil {
		return err
	}
	w.Header().Set("Idempotency-Replayed", "true")
	return answer.Send(w)
}

// final reports whether the same request would be refused again, so that its
// answer is kept.
func final(kind fault.Kind) bool {
	switch kind {
	case fault.Malformed, fault.Invalid, fault.Conflict, fault.Stale:
		return true
	}
	return false
}

// refuse answers with the fault and keeps the answer.
func (x *Repeats) refuse(w http.ResponseWriter, r *http.Request, by access.Actor, once *Once, f *fault.Fault, fail web.Fail) error {
	answer, err := web.Record(func(w http.ResponseWriter) error {
		fail(w, r, f)
		return nil
	})
	if err != nil {
		return err
	}
	kept, err := answer.Bytes()
	if err != nil {
		return err
	}
	if err := x.customers.Keep(r.Context(), by, customer.Once{Key: once.key, Request: once.request}, kept); err != nil {
		return err
	}
	web.Refused(r, f.Kind)
	return answer.Send(w)
}
