// Package native speaks Kartotek's own API: customers read, searched, created and
// changed, their history and the feed of changes, and the keys and accounts of a
// tenant.
//
// Routes and the handlers of customers are here, of history and feed in
// history.go, of searches in search.go, of keys and accounts in credentials.go.
// What a record looks like is in wire.go, what a PATCH says of one in patch.go and
// jsonpatch.go, errors in fail.go and the pages about them in problems.go, the
// operations in spec.yaml. Every behaviour has a transcript in testdata.
package native

import (
	"embed"
	"math"
	"net/http"
	"strings"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/contract"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/web"
)

//go:embed spec.yaml
var spec []byte

//go:embed testdata/*.txt
var transcripts embed.FS

// Settings is what the contract works with.
type Settings struct {
	Customers     *customer.Service
	Authenticator contract.Authenticator
	Idempotency   *contract.IdempotencyMiddleware
	Registry      access.Registry
	CursorSecret  []byte // which all servers on a store share
	Now           func() time.Time
	ConfirmAfter  time.Duration   // contact details confirmed longer ago need confirmation
	Stopping      <-chan struct{} // closed when the server stops: nobody waits any more; may be nil
}

const name = "native"

// New returns the contract.
func New(s Settings) contract.Contract {
	h := handler{s, newSealer(s.CursorSecret)}
	return contract.Contract{
		Name:        name,
		Prefix:      "/v1/",
		Routes:      h.routes(),
		Fail:        fail,
		Spec:        spec,
		Transcripts: transcripts,
	}
}

type handler struct {
	Settings
	cursors sealer
}

func (h handler) routes() []contract.Route {
	const (
		customers = "/v1/customers"
		one       = customers + "/{ref}"
		history   = one + "/changes"
	)
	return []contract.Route{
		{Method: http.MethodGet, Path: customers, Operation: "searchCustomers", Handle: h.authenticated(access.Read, h.customers)},
		{Method: http.MethodPost, Path: customers, Operation: "createCustomer", Handle: h.changing(h.create)},
		{Method: http.MethodGet, Path: one, Operation: "getCustomer", Handle: h.authenticated(access.Read, h.get)},
		{Method: http.MethodPatch, Path: one, Operation: "updateCustomer", Handle: h.changing(h.patch)},
		{Method: http.MethodGet, Path: history, Operation: "listCustomerChanges", Handle: h.authenticated(access.Read, h.history)},
		{Method: http.MethodPost, Path: history + "/{version}/revert", Operation: "revertChange", Handle: h.changing(h.revert)},
		{Method: http.MethodGet, Path: "/v1/changes", Operation: "listChanges", Handle: h.authenticated(access.Read, h.feed)},
		{Method: http.MethodGet, Path: "/v1/me", Operation: "getCaller", Handle: h.authenticated("", h.me)},
		{Method: http.MethodGet, Path: "/v1/keys", Operation: "listKeys", Handle: h.authenticated(access.Admin, h.keys)},
		{Method: http.MethodPost, Path: "/v1/keys", Operation: "createKey", Handle: h.authenticated(access.Admin, h.createKey)},
		{Method: http.MethodDelete, Path: "/v1/keys/{id}", Operation: "revokeKey", Handle: h.authenticated(access.Admin, h.revokeKey)},
		{Method: http.MethodGet, Path: "/v1/accounts", Operation: "listAccounts", Handle: h.authenticated(access.Admin, h.accounts)},
		{Method: http.MethodPost, Path: "/v1/accounts", Operation: "createAccount", Handle: h.authenticated(access.Admin, h.createAccount)},
		{Method: http.MethodDelete, Path: "/v1/accounts/{login}", Operation: "revokeAccount", Handle: h.authenticated(access.Admin, h.revokeAccount)},
	}
}

// authenticated hands f the caller whose key stands in Authorization, when it has
// the scope. The scope "" is everybody's.
func (h handler) authenticated(scope access.Scope, f func(http.ResponseWriter, *http.Request, access.Actor) error) web.Func {
	return func(w http.ResponseWriter, r *http.Request) error {
		protect(w.Header())
		if bearer(r) == "" {
			return noKey(r)
		}
		by, err := h.Authenticator.ByKey(w, r, name, bearer(r))
		if err != nil {
			return err
		}
		if scope != "" && !by.May(scope) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="Kartotek", error="insufficient_scope", scope="`+string(scope)+`"`)
			return fault.New(fault.Forbidden, "the key lacks the scope %s", scope)
		}
		return f(w, r, by)
	}
}

// bearer is the key in Authorization (RFC 6750), or empty.
func bearer(r *http.Request) string {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

// noKey tells a header that is not there from one that holds no key.
func noKey(r *http.Request) error {
	if r.Header.Get("Authorization") == "" {
		return fault.New(fault.Unauthenticated, "the header Authorization is missing")
	}
	return fault.New(fault.Unauthenticated, "the header Authorization holds no key after Bearer")
}

// changing is a handler that needs the right to write, and whose changes may be
// sent again. A dry run has nothing to repeat.
func (h handler) changing(f contract.MutatingHandler) web.Func {
	return h.authenticated(access.Write, func(w http.ResponseWriter, r *http.Request, by access.Actor) error {
		if r.URL.Query().Get("dryRun") == "true" {
			return f(w, r, by, nil)
		}
		return h.Idempotency.Handle(w, r, by, fail, f)
	})
}

func (h handler) get(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	q := readQuery(r, "version", "at")
	version, at := q.whole("version", 1, math.MaxInt64, 0), q.instant("at")
	q.need(version == 0 || at.IsZero(), "at", fault.Format, "must not be sent with version: a record is read at the one or the other")
	if err := q.err(); err != nil {
		return err
	}
	ref, err := target(r, by)
	if err != nil {
		return err
	}
	c, err := h.read(r, by, ref, version, at)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", web.ETag(c.Version))
	if web.NotModified(r, web.ETag(c.Version)) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return write(w, http.StatusOK, h.fromDomain(c, h.Now()))
}

// read is the customer now, or at that version or time when they are not zero.
func (h handler) read(r *http.Request, by access.Actor, ref customer.Ref, version int64, at time.Time) (customer.Customer, error) {
	switch {
	case version != 0:
		return h.Customers.GetVersion(r.Context(), by, ref, version)
	case !at.IsZero():
		return h.Customers.GetAt(r.Context(), by, ref, at)
	}
	return h.Customers.Get(r.Context(), by, ref)
}

const (
	typeJSON       = "application/json"
	typeMergePatch = "application/merge-patch+json"
	typeJSONPatch  = "application/json-patch+json"
)

func (h handler) patch(w http.ResponseWriter, r *http.Request, by access.Actor, once *contract.Idempotency) error {
	q := readQuery(r, "dryRun")
	dry := q.flag("dryRun")
	if err := q.err(); err != nil {
		return err
	}
	now := h.Now()
	in, err := readPatch(w, r, h.showAt(now))
	if err != nil {
		return err
	}
	ref, err := target(r, by)
	if err != nil {
		return err
	}
	edit, err := guarded(r, by, in.edit)
	if err != nil {
		return err
	}
	answer := h.changed(r, by, now, in.sent)
	if dry {
		ch, err := h.Customers.Preview(r.Context(), by, ref, edit)
		if err != nil {
			return err
		}
		return dryRun(w, func(w http.ResponseWriter) error { return answer(w, ch) })
	}
	ch, err := h.Customers.Update(r.Context(), by, ref, edit, once.Record(answer))
	if err != nil {
		return err
	}
	return answer(w, ch)
}

// readPatch reads the body of a PATCH in any of its media types.
func readPatch(w http.ResponseWriter, r *http.Request, show showing) (proposal, error) {
	media, err := web.RequestType(r, typeMergePatch, typeJSONPatch, typeJSON)
	if err != nil {
		w.Header().Set("Accept-Patch", typeMergePatch+", "+typeJSONPatch+", "+typeJSON)
		return proposal{}, err
	}
	body, err := web.ReadBody(r)
	if err != nil {
		return proposal{}, err
	}
	if media == typeJSONPatch {
		return readJSONPatch(body, show)
	}
	return readMergePatch(body, show)
}

// guarded ties edit to the versions in If-Match, without which some keys may not
// change anything.
func guarded(r *http.Request, by access.Actor, edit customer.Edit) (customer.Edit, error) {
	versions, conditional, err := web.IfMatch(r)
	switch {
	case err != nil:
		return nil, err
	case conditional:
		return customer.AtVersion(versions, edit), nil
	case by.Options.RequireIfMatch:
		return nil, fault.New(fault.PreconditionRequired, "this key may change a customer only with If-Match, and the ETag of the version that it has read")
	}
	return edit, nil
}

// changed answers with the customer after the change, or without it when minimal
// says so.
func (h handler) changed(r *http.Request, by access.Actor, now time.Time, sent []string) func(http.ResponseWriter, customer.Change) error {
	return func(w http.ResponseWriter, ch customer.Change) error {
		outcome(sent, ch).SetHeader(w.Header())
		w.Header().Set("ETag", web.ETag(ch.After.Version))
		if minimal(w, r, by) {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		return write(w, http.StatusOK, h.fromDomain(ch.After, now))
	}
}

// minimal reports whether the answer leaves the record out: the caller wants none,
// and is told that this is heard, or may not read.
func minimal(w http.ResponseWriter, r *http.Request, by access.Actor) bool {
	if web.Prefers(r, "return", "minimal") {
		w.Header().Set("Preference-Applied", "return=minimal")
		return true
	}
	return !by.May(access.Read)
}

// dryRun answers as if a change had been made. No tag: there is no such version.
func dryRun(w http.ResponseWriter, answer func(http.ResponseWriter) error) error {
	a, err := web.Capture(answer)
	if err != nil {
		return err
	}
	a.Header.Del("ETag")
	a.Header.Set("Dry-Run", "true")
	return a.WriteTo(w)
}
