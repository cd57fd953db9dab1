// Package lochting implements Lochting's public API: customers of a pharmacy, updated by a PATCH
// with six required properties and authenticated by an access token.
//
// Routes and handlers are in lochting.go, wire types in wire.go, the protection against stale
// writes in lastseen.go, errors in fail.go and operations in spec.yaml. Every behaviour has a
// transcript in testdata.
package lochting

import (
	"embed"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

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

// Settings are the dependencies of the contract.
type Settings struct {
	Customers     *customer.Service
	Authenticator contract.Authenticator
	Idempotency   *contract.IdempotencyMiddleware
}

const name = "lochting"

// New returns the contract.
func New(s Settings) contract.Contract {
	h := handler{s, newLastSeen()}
	const customerPath = "/public/v1/customer/{customerId}"
	return contract.Contract{
		Name:   name,
		Prefix: "/public/",
		Routes: []contract.Route{
			{Method: http.MethodGet, Path: customerPath, Operation: "getCustomer", Handle: h.authenticated(access.Read, h.get)},
			{Method: http.MethodPatch, Path: customerPath, Operation: "updateCustomer", Handle: h.authenticated(access.Write, h.Idempotency.Handler(fail, h.Idempotency.AuthorizeUpdate(target), h.patch))},
		},
		Fail:        fail,
		Spec:        spec,
		Transcripts: transcripts,
	}
}

type handler struct {
	Settings
	lastSeen *lastSeen
}

// authenticated authenticates the caller by the key in Authorization, with or without the scheme
// Bearer, and passes its actor to f. The contract has no 403: a key without the scope gets 401.
func (h handler) authenticated(scope access.Scope, f func(http.ResponseWriter, *http.Request, access.Actor) error) web.Func {
	return func(w http.ResponseWriter, r *http.Request) error {
		web.Protect(w.Header())
		token := strings.TrimSpace(r.Header.Get("Authorization"))
		if scheme, rest, ok := strings.Cut(token, " "); ok && strings.EqualFold(scheme, "Bearer") {
			token = strings.TrimSpace(rest)
		}
		actor, err := h.Authenticator.ByKey(w, r, name, token)
		if err != nil {
			return err
		}
		if !actor.May(scope) {
			return fault.New(fault.Unauthenticated, "the key lacks %s", scope)
		}
		return f(w, r, actor)
	}
}

func (h handler) get(w http.ResponseWriter, r *http.Request, actor access.Actor) error {
	ref, err := target(r, actor)
	if err != nil {
		return err
	}
	c, err := h.Customers.Get(r.Context(), actor, ref)
	if err != nil {
		return err
	}
	if r.Method != http.MethodHead { // the response to HEAD has no values
		h.lastSeen.merge(actor, ref, h.lastSeen.ofCustomer(c))
	}
	return write(w, c)
}

func (h handler) patch(w http.ResponseWriter, r *http.Request, actor access.Actor, idem *contract.Idempotency) error {
	in, err := readPatch(r)
	if err != nil {
		return err
	}
	ref, err := target(r, actor)
	if err != nil {
		return err
	}
	if in.invalid == nil {
		in.condition, in.conditional, in.invalid = precondition(r, actor)
	}
	if in.invalid != nil { // nothing is written, but 404 precedes 400
		_, err := h.Customers.Preview(r.Context(), actor, ref, in.apply)
		return err
	}
	seen := h.lastSeen.ofPatch(in.fields)
	if !in.conditional && !actor.Options.AllowStaleWrites { // otherwise every value is written
		in.repeated = h.lastSeen.get(actor, ref).matching(seen)
	}
	mayRead := actor.May(access.Read)
	wantsBody := mayRead && web.Prefers(r, "return", "representation")
	respond := func(w http.ResponseWriter, ch customer.Change) error {
		if !mayRead { // the rest would tell whether a value is the stored one
			web.Outcome{Ignored: in.ignored}.SetHeader(w.Header())
			return web.Write(w, http.StatusOK, nil)
		}
		in.outcome(ch).SetHeader(w.Header())
		if wantsBody {
			w.Header().Set("Preference-Applied", "return=representation")
			return write(w, ch.After)
		}
		w.Header().Set("ETag", web.ETag(ch.After.Version))
		return web.Write(w, http.StatusOK, nil)
	}
	ch, err := h.Customers.Update(r.Context(), actor, ref, in.edit(), idem.Record(respond))
	if err != nil {
		return err
	}
	if wantsBody {
		seen = h.lastSeen.ofCustomer(ch.After)
	}
	h.lastSeen.merge(actor, ref, seen)
	return respond(w, ch)
}

// precondition parses If-Match and the like. A key with RequireIfMatch must send versions; "*" is
// not one.
func precondition(r *http.Request, actor access.Actor) (condition customer.Precondition, named bool, err error) {
	condition, named, err = contract.Precondition(r)
	if err == nil && !named && actor.Options.RequireIfMatch {
		err = fault.New(fault.PreconditionRequired, "this key requires If-Match with a version")
	}
	return condition, named, err
}

// target returns the customer in the path: "customer-" and a UUID in any case.
func target(r *http.Request, actor access.Actor) (customer.Ref, error) {
	text, prefixed := strings.CutPrefix(r.PathValue("customerId"), idPrefix)
	id, err := uuid.Parse(text)
	if !prefixed || err != nil || len(text) != len(id.String()) { // Parse accepts more formats
		return customer.Ref{}, fault.New(fault.NotFound, "no such customer")
	}
	web.SetCustomer(r, id.String())
	return customer.ByID(actor.Tenant, id.String()), nil
}

func write(w http.ResponseWriter, c customer.Customer) error {
	b, err := json.Marshal(fromDomain(c))
	if err != nil {
		return err
	}
	w.Header().Set("ETag", web.ETag(c.Version))
	w.Header().Set("Content-Type", "application/json")
	return web.Write(w, http.StatusOK, b)
}
