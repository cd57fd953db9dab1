// Package native implements Kartotek's own API: it reads, searches, creates and changes customers,
// returns their history and the feed of changes, and manages the keys and accounts of a tenant.
//
// This file has the routes. customers.go, search.go, history.go and credentials.go have their
// handlers. record.go defines the JSON of a customer, patch.go and jsonpatch.go read a PATCH.
// fail.go writes errors, problems.go has their texts. The operations are documented in spec.yaml,
// and every behaviour has a transcript in testdata.
package native

import (
	"embed"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

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

// Settings configures the contract.
type Settings struct {
	Customers     *customer.Service
	Authenticator contract.Authenticator
	Idempotency   *contract.IdempotencyMiddleware
	Registry      access.Registry
	CursorSecret  []byte // the same on all servers of a store
	Now           func() time.Time
	ConfirmAfter  time.Duration   // the age at which contact details need a new confirmation
	Stopping      <-chan struct{} // closed when the server stops, to end long polls; may be nil
}

const name = "native"

// New returns the contract.
func New(s Settings) contract.Contract {
	h := handler{s, newCursorCodec(s.CursorSecret)}
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
	cursors cursorCodec
}

func (h handler) routes() []contract.Route {
	const (
		customers = "/v1/customers"
		one       = customers + "/{ref}"
		history   = one + "/changes"
	)
	mayCreate := func(_ *http.Request, by access.Actor) error { return h.Customers.AuthorizeCreate(by) }
	mayUpdate := h.Idempotency.AuthorizeUpdate(parseRef)
	return []contract.Route{
		{Method: http.MethodGet, Path: customers, Operation: "searchCustomers", Handle: h.authenticated(access.Read, h.listCustomers)},
		{Method: http.MethodPost, Path: customers, Operation: "createCustomer", Handle: h.mutating(mayCreate, h.create)},
		{Method: http.MethodGet, Path: one, Operation: "getCustomer", Handle: h.authenticated(access.Read, h.get)},
		{Method: http.MethodPatch, Path: one, Operation: "updateCustomer", Handle: h.mutating(mayUpdate, h.patch)},
		{Method: http.MethodGet, Path: history, Operation: "listCustomerChanges", Handle: h.authenticated(access.Read, h.listHistory)},
		{Method: http.MethodPost, Path: history + "/{version}/revert", Operation: "revertChange", Handle: h.mutating(mayUpdate, h.revert)},
		{Method: http.MethodGet, Path: "/v1/changes", Operation: "listChanges", Handle: h.authenticated(access.Read, h.feed)},
		{Method: http.MethodGet, Path: "/v1/me", Operation: "getCaller", Handle: h.authenticated("", h.me)},
		{Method: http.MethodGet, Path: "/v1/keys", Operation: "listKeys", Handle: h.authenticated(access.Admin, h.listKeys)},
		{Method: http.MethodPost, Path: "/v1/keys", Operation: "createKey", Handle: h.authenticated(access.Admin, h.createKey)},
		{Method: http.MethodDelete, Path: "/v1/keys/{id}", Operation: "revokeKey", Handle: h.authenticated(access.Admin, h.revokeKey)},
		{Method: http.MethodGet, Path: "/v1/accounts", Operation: "listAccounts", Handle: h.authenticated(access.Admin, h.listAccounts)},
		{Method: http.MethodPost, Path: "/v1/accounts", Operation: "createAccount", Handle: h.authenticated(access.Admin, h.createAccount)},
		{Method: http.MethodDelete, Path: "/v1/accounts/{id}", Operation: "revokeAccount", Handle: h.authenticated(access.Admin, h.revokeAccount)},
	}
}

// authenticated calls f with the caller if the key has the scope. Every key has the scope "".
func (h handler) authenticated(scope access.Scope, f func(http.ResponseWriter, *http.Request, access.Actor) error) web.Func {
	return func(w http.ResponseWriter, r *http.Request) error {
		web.Protect(w.Header())
		if bearer(r) == "" {
			return missingKey(r)
		}
		by, err := h.Authenticator.ByKey(w, r, name, bearer(r))
		if err != nil {
			return err
		}
		if scope != "" && !by.May(scope) {
			return missingScope(w, scope)
		}
		return f(w, r, by)
	}
}

func missingScope(w http.ResponseWriter, scope access.Scope) error {
	w.Header().Set("WWW-Authenticate", `Bearer realm="Kartotek", error="insufficient_scope", scope="`+string(scope)+`"`)
	return fault.New(fault.Forbidden, "the key lacks the scope %s", scope)
}

// bearer returns the key in Authorization (RFC 6750), or "".
func bearer(r *http.Request) string {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

func missingKey(r *http.Request) error {
	if r.Header.Get("Authorization") == "" {
		return fault.New(fault.Unauthenticated, "the Authorization header is missing")
	}
	return fault.New(fault.Unauthenticated, "the Authorization header has no Bearer key")
}

// mutating requires the scope to write, and makes retries safe. A dry run changes nothing and needs
// no idempotency, but tells what is stored.
func (h handler) mutating(authorize contract.Authorize, f contract.MutatingHandler) web.Func {
	return h.authenticated(access.Write, func(w http.ResponseWriter, r *http.Request, by access.Actor) error {
		if r.URL.Query().Get("dryRun") != "true" {
			return h.Idempotency.Handle(w, r, by, fail, authorize, f)
		}
		if !by.May(access.Read) {
			return missingScope(w, access.Read)
		}
		return f(w, r, by, nil)
	})
}

// write sends body as JSON. A jsontext.Value is sent as it is.
func write(w http.ResponseWriter, status int, body any) error {
	encoded, ok := body.(jsontext.Value)
	if !ok {
		var err error
		if encoded, err = json.Marshal(body, json.Deterministic(true)); err != nil {
			return err
		}
	}
	w.Header().Set("Content-Type", typeJSON)
	return web.Write(w, status, encoded)
}
