package contract

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
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
	running map[request]bool
}

// request is how a tenant's callers name one.
type request struct{ tenant, key string }

// NewRepeats returns a Repeats that keeps answers where customers are.
func NewRepeats(customers *customer.Service) *Repeats {
	return &Repeats{customers: customers, running: map[request]bool{}}
}

// Changing is a handler that changes something. once is nil for a request that
// will not be sent again.
type Changing func(w http.ResponseWriter, r *http.Request, by access.Actor, once *Once) error

// Once is how a handler keeps its answer with the change itself.
type Once struct {
	key, digest string
}

// Keep is for customer.Service. It runs answer inside the write, beside the run
// that answers the client: answer must say the same each time, and so neither
// look at the clock nor at anything that moves.
func (o *Once) Keep(answer func(http.ResponseWriter, customer.Change) error) *customer.Once {
	if o == nil {
		return nil
	}
	return &customer.Once{Key: o.key, Request: o.digest, Answer: func(ch customer.Change) ([]byte, error) {
		a, err := web.Record(func(w http.ResponseWriter) error { return answer(w, ch) })
		if err != nil {
			return nil, err
		}
		return a.Bytes()
	}}
}

// Handler is f behind Handle.
func (x *Repeats) Handler(fail web.Fail, f Changing) func(http.ResponseWriter, *http.Request, access.Actor) error {
	return func(w http.ResponseWriter, r *http.Request, by access.Actor) error {
		return x.Handle(w, r, by, fail, f)
	}
}

// Handle runs f unless the request has been answered before. fail is the
// contract's.
//
// It returns a Malformed fault for a key that is none, a Running fault while the
// first request with the key is under way, and a Reused fault when that was
// another request.
func (x *Repeats) Handle(w http.ResponseWriter, r *http.Request, by access.Actor, fail web.Fail, f Changing) error {
	once, err := readOnce(r, by)
	if err != nil {
		return err
	}
	if once == nil {
		return f(w, r, by, nil)
	}
	done, err := x.begin(request{by.Tenant, once.key})
	if err != nil {
		return err
	}
	defer done()
	receipt, err := x.customers.Receipt(r.Context(), by, once.key)
	if err == nil {
		return replay(w, receipt, once.digest)
	}
	if !fault.Is(err, fault.Missing) {
		return err
	}
	err = f(w, r, by, once)
	if final(err) {
		return x.refuse(w, r, by, once, fault.Of(err), fail)
	}
	return err
}

// readOnce takes the key from the request, whose body it reads for that. It is
// nil without one.
func readOnce(r *http.Request, by access.Actor) (*Once, error) {
	keys := r.Header.Values("Idempotency-Key")
	if len(keys) == 0 {
		return nil, nil
	}
	if len(keys) > 1 || !validKey(keys[0]) {
		return nil, &fault.Fault{
			Kind:   fault.Malformed,
			Text:   "the request is malformed",
			Fields: []fault.Field{{Path: "Idempotency-Key", Rule: fault.Format, Text: "must be given once, with 1 to 255 visible ASCII characters"}},
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
	invisible := strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
	return len(s) >= 1 && len(s) <= 255 && !invisible
}

// digest tells two requests apart: by who asks, for what, and on what condition.
// The caller is part of it because keys are the tenant's: one caller who meets
// another's key must be refused, and not be told what the other was answered.
func digest(r *http.Request, by access.Actor, body []byte) string {
	h := sha256.New()
	for _, part := range []string{
		by.Name, r.Method, r.URL.EscapedPath(), r.URL.RawQuery,
		r.Header.Get("Content-Type"), strings.Join(r.Header.Values("If-Match"), ","),
	} {
		fmt.Fprintf(h, "%d:%s", len(part), part) // its length first, so that no two lists look alike
	}
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// begin notes that a request is under way, until done is called. Another process
// on the same store is told so by the store instead, when it comes to write.
func (x *Repeats) begin(req request) (done func(), err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.running[req] {
		return nil, fault.New(fault.Running, "the first request with this Idempotency-Key is still running")
	}
	x.running[req] = true
	return func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		delete(x.running, req)
	}, nil
}

func replay(w http.ResponseWriter, receipt customer.Receipt, digest string) error {
	if receipt.Request != digest {
		return fault.New(fault.Reused, "this Idempotency-Key was used for another request")
	}
	answer, err := web.ParseAnswer(receipt.Answer)
	if err != nil {
		return err
	}
	w.Header().Set("Idempotency-Replayed", "true")
	return answer.Send(w)
}

// final reports whether err is about the request and the record as it met it, so
// that its answer is kept. What is about the caller, or may pass, is not.
func final(err error) bool {
	f, ok := errors.AsType[*fault.Fault](err)
	if !ok {
		return false
	}
	switch f.Kind {
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
	if err := x.customers.Keep(r.Context(), by, customer.Once{Key: once.key, Request: once.digest}, kept); err != nil {
		return err
	}
	web.Refused(r, f.Kind)
	return answer.Send(w)
}
