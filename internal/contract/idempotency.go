package contract

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/web"
)

// IdempotencyMiddleware makes retries of a change safe: a request with an Idempotency-Key is
// executed once, and a retry gets the stored response.
type IdempotencyMiddleware struct {
	customers *customer.Service
	running   sync.Map // of actor and key
}

// NewIdempotencyMiddleware returns middleware that stores responses with the customers.
func NewIdempotencyMiddleware(customers *customer.Service) *IdempotencyMiddleware {
	return &IdempotencyMiddleware{customers: customers}
}

// MutatingHandler is a handler that changes something. idem is nil when the request has no
// Idempotency-Key.
type MutatingHandler func(w http.ResponseWriter, r *http.Request, actor access.Actor, idem *Idempotency) error

// Idempotency is the idempotency key of a request and a digest of the request.
type Idempotency struct {
	key, digest string
}

// Record returns what customer.Service needs to store the response in the transaction of the
// change; it is nil when i is nil. respond runs inside the transaction and once more to send the
// response, so it must be deterministic and must not read the clock.
func (i *Idempotency) Record(respond func(http.ResponseWriter, customer.Change) error) *customer.Idempotency {
	if i == nil {
		return nil
	}
	return &customer.Idempotency{Key: i.key, Digest: i.digest, Respond: func(ch customer.Change) ([]byte, error) {
		response, err := web.Capture(func(w http.ResponseWriter) error { return respond(w, ch) })
		if err != nil {
			return nil, err
		}
		return response.Encode()
	}}
}

// Authorize returns a fault unless the actor may make the change that the request asks for. The
// middleware calls it before it replays a response: permissions may have changed since.
type Authorize func(r *http.Request, actor access.Actor) error

// AuthorizeUpdate authorizes the update of the customer that target returns.
func (m *IdempotencyMiddleware) AuthorizeUpdate(target func(*http.Request, access.Actor) (customer.Ref, error)) Authorize {
	return func(r *http.Request, actor access.Actor) error {
		ref, err := target(r, actor)
		if err != nil {
			return err
		}
		return m.customers.Authorize(r.Context(), actor, access.Write, ref)
	}
}

// Handler wraps f with Handle.
func (m *IdempotencyMiddleware) Handler(fail web.Fail, authorize Authorize, f MutatingHandler) func(http.ResponseWriter, *http.Request, access.Actor) error {
	return func(w http.ResponseWriter, r *http.Request, actor access.Actor) error {
		return m.Handle(w, r, actor, fail, authorize, f)
	}
}

// Handle runs f, or replays the stored response of an earlier request of the actor with the same
// key. fail is the contract's.
//
// It returns a BadRequest fault for an invalid key, an IdempotencyInProgress fault while the first
// request is running, and an IdempotencyKeyReused fault when the first request was a different one.
func (m *IdempotencyMiddleware) Handle(w http.ResponseWriter, r *http.Request, actor access.Actor, fail web.Fail, authorize Authorize, f MutatingHandler) error {
	idem, err := parseIdempotencyKey(r)
	if err != nil {
		return err
	}
	if idem == nil {
		return f(w, r, actor, nil)
	}
	// The store detects a concurrent request to another server process when it writes.
	running := [2]string{actor.ID, idem.key}
	if _, exists := m.running.LoadOrStore(running, nil); exists {
		return fault.New(fault.IdempotencyInProgress, "the first request with this Idempotency-Key is still running")
	}
	defer m.running.Delete(running)
	record, err := m.customers.FindResponse(r.Context(), actor, idem.key)
	if err == nil {
		if err := authorize(r, actor); err != nil {
			return err
		}
		return replay(w, actor, record, idem.digest)
	}
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	err = f(w, r, actor, idem)
	if isCacheable(err) {
		return m.saveError(w, r, actor, idem, fault.From(err), fail)
	}
	return err
}

// parseIdempotencyKey returns nil when the request has no key. Otherwise it reads the body for the
// digest and replaces it.
func parseIdempotencyKey(r *http.Request) (*Idempotency, error) {
	keys := r.Header.Values("Idempotency-Key")
	if len(keys) == 0 {
		return nil, nil
	}
	if len(keys) > 1 || !web.IsVisibleASCII(keys[0], 255) {
		return nil, fault.NewField(fault.BadRequest, "the request is malformed",
			"Idempotency-Key", fault.Format, "must be given once, with 1 to 255 visible ASCII characters")
	}
	body, err := web.ReadBody(r)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return &Idempotency{keys[0], digest(r, body)}, nil
}

// digest identifies the content of a request.
func digest(r *http.Request, body []byte) string {
	h := sha256.New()
	for _, part := range []string{
		r.Method, r.URL.EscapedPath(), r.URL.RawQuery,
		r.Header.Get("Content-Type"), strings.Join(r.Header.Values("If-Match"), ","),
		strings.Join(r.Header.Values("If-None-Match"), ","), r.Header.Get("If-Unmodified-Since"),
	} {
		fmt.Fprintf(h, "%d:%s", len(part), part) // the length makes the encoding unambiguous
	}
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

func replay(w http.ResponseWriter, actor access.Actor, record customer.IdempotencyRecord, digest string) error {
	if record.Digest != digest {
		return fault.New(fault.IdempotencyKeyReused, "this Idempotency-Key was used for another request")
	}
	response, err := web.DecodeResponse(record.Response)
	if err != nil {
		return err
	}
	if response.Status < 300 && len(response.Body) > 0 && !actor.May(access.Read) {
		return fault.New(fault.Forbidden, "the stored response has the customer, and the caller lacks %s", access.Read)
	}
	w.Header().Set("Idempotency-Replayed", "true")
	return response.WriteTo(w)
}

// isCacheable reports whether the error response is stored: errors caused by the request and the
// state of the record are, errors of authorization and temporary ones are not.
func isCacheable(err error) bool {
	kinds := []fault.Kind{fault.BadRequest, fault.Invalid, fault.Conflict, fault.PreconditionFailed}
	return slices.ContainsFunc(kinds, func(kind fault.Kind) bool { return fault.Is(err, kind) })
}

func (m *IdempotencyMiddleware) saveError(w http.ResponseWriter, r *http.Request, actor access.Actor, idem *Idempotency, f *fault.Fault, fail web.Fail) error {
	record := idem.Record(func(w http.ResponseWriter, _ customer.Change) error {
		fail(w, r, f)
		return nil
	})
	encoded, err := record.Respond(customer.Change{})
	if err != nil {
		return err
	}
	if err := m.customers.SaveResponse(r.Context(), actor, *record, encoded); err != nil {
		return err
	}
	web.SetFault(r, f.Kind)
	response, err := web.DecodeResponse(encoded)
	if err != nil {
		return err
	}
	return response.WriteTo(w)
}
