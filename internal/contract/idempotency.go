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

// IdempotencyMiddleware lets clients send a change again without making it again: the header
// Idempotency-Key names the request, and its first answer is kept.
type IdempotencyMiddleware struct {
	customers *customer.Service

	mu      sync.Mutex
	running map[requestKey]bool
}

// request is how a tenant's callers name one.
type requestKey struct{ tenant, key string }

// NewIdempotencyMiddleware returns a Repeats that keeps answers where customers are.
func NewIdempotencyMiddleware(customers *customer.Service) *IdempotencyMiddleware {
	return &IdempotencyMiddleware{customers: customers, running: map[requestKey]bool{}}
}

// MutatingHandler is a handler that changes something. once is nil for a request that
// will not be sent again.
type MutatingHandler func(w http.ResponseWriter, r *http.Request, by access.Actor, once *Idempotency) error

// Idempotency is how a handler keeps its answer with the change itself.
type Idempotency struct {
	key, digest string
}

// Record is for customer.Service. It runs answer inside the write, beside the run
// that answers the client: answer must say the same each time, and so neither
// look at the clock nor at anything that moves.
func (o *Idempotency) Record(answer func(http.ResponseWriter, customer.Change) error) *customer.Idempotency {
	if o == nil {
		return nil
	}
	return &customer.Idempotency{Key: o.key, Digest: o.digest, Respond: func(ch customer.Change) ([]byte, error) {
		a, err := web.Capture(func(w http.ResponseWriter) error { return answer(w, ch) })
		if err != nil {
			return nil, err
		}
		return a.Encode()
	}}
}

// Handler is f behind Handle.
func (x *IdempotencyMiddleware) Handler(fail web.Fail, f MutatingHandler) func(http.ResponseWriter, *http.Request, access.Actor) error {
	return func(w http.ResponseWriter, r *http.Request, by access.Actor) error {
		return x.Handle(w, r, by, fail, f)
	}
}

// Handle runs f unless the request has been answered before. fail is the
// contract's.
//
// It returns a BadRequest fault for a key that is none, an IdempotencyInProgress fault while the
// first request with the key is under way, and an IdempotencyKeyReused fault when that was
// another request.
func (x *IdempotencyMiddleware) Handle(w http.ResponseWriter, r *http.Request, by access.Actor, fail web.Fail, f MutatingHandler) error {
	once, err := parseIdempotencyKey(r, by)
	if err != nil {
		return err
	}
	if once == nil {
		return f(w, r, by, nil)
	}
	done, err := x.begin(requestKey{by.Tenant, once.key})
	if err != nil {
		return err
	}
	defer done()
	receipt, err := x.customers.FindResponse(r.Context(), by, once.key)
	if err == nil {
		return replay(w, receipt, once.digest)
	}
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	err = f(w, r, by, once)
	if isCacheable(err) {
		return x.saveError(w, r, by, once, fault.From(err), fail)
	}
	return err
}

// readOnce takes the key from the request, whose body it reads for that. It is
// nil without one.
func parseIdempotencyKey(r *http.Request, by access.Actor) (*Idempotency, error) {
	keys := r.Header.Values("Idempotency-Key")
	if len(keys) == 0 {
		return nil, nil
	}
	if len(keys) > 1 || !isValidKey(keys[0]) {
		return nil, &fault.Fault{
			Kind:   fault.BadRequest,
			Text:   "the request is malformed",
			Fields: []fault.Field{{Path: "Idempotency-Key", Rule: fault.Format, Text: "must be given once, with 1 to 255 visible ASCII characters"}},
		}
	}
	body, err := web.ReadBody(r)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return &Idempotency{keys[0], digest(r, by, body)}, nil
}

func isValidKey(s string) bool {
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
func (x *IdempotencyMiddleware) begin(req requestKey) (done func(), err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.running[req] {
		return nil, fault.New(fault.IdempotencyInProgress, "the first request with this Idempotency-Key is still running")
	}
	x.running[req] = true
	return func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		delete(x.running, req)
	}, nil
}

func replay(w http.ResponseWriter, receipt customer.IdempotencyRecord, digest string) error {
	if receipt.Digest != digest {
		return fault.New(fault.IdempotencyKeyReused, "this Idempotency-Key was used for another request")
	}
	answer, err := web.DecodeResponse(receipt.Response)
	if err != nil {
		return err
	}
	w.Header().Set("Idempotency-Replayed", "true")
	return answer.WriteTo(w)
}

// final reports whether err is about the request and the record as it met it, so
// that its answer is kept. What is about the caller, or may pass, is not.
func isCacheable(err error) bool {
	f, ok := errors.AsType[*fault.Fault](err)
	if !ok {
		return false
	}
	switch f.Kind {
	case fault.BadRequest, fault.Invalid, fault.Conflict, fault.PreconditionFailed:
		return true
	}
	return false
}

// refuse answers with the fault and keeps the answer.
func (x *IdempotencyMiddleware) saveError(w http.ResponseWriter, r *http.Request, by access.Actor, once *Idempotency, f *fault.Fault, fail web.Fail) error {
	answer, err := web.Capture(func(w http.ResponseWriter) error {
		fail(w, r, f)
		return nil
	})
	if err != nil {
		return err
	}
	kept, err := answer.Encode()
	if err != nil {
		return err
	}
	if err := x.customers.SaveResponse(r.Context(), by, customer.Idempotency{Key: once.key, Digest: once.digest}, kept); err != nil {
		return err
	}
	web.SetFault(r, f.Kind)
	return answer.WriteTo(w)
}
