// Package lochting speaks Lochting's public API: a pharmacy's customers, changed
// by a PATCH with six required properties, under an access token.
//
// Routes and handlers are here, wire types in wire.go, what a client believes of a
// customer in belief.go, errors in fail.go, the operations in spec.yaml. Every
// behaviour has a transcript in testdata.
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

// Settings is what the contract works with.
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
			{Method: http.MethodPatch, Path: customerPath, Operation: "updateCustomer", Handle: h.authenticated(access.Write, h.Idempotency.Handler(fail, h.patch))},
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

// authenticated hands f the key in Authorization, which is the token alone; the
// scheme that other APIs want before it is taken as well. The contract knows no
// 403: a key without the scope is no key.
func (h handler) authenticated(scope access.Scope, f func(http.ResponseWriter, *http.Request, access.Actor) error) web.Func {
	return func(w http.ResponseWriter, r *http.Request) error {
		token := strings.TrimSpace(r.Header.Get("Authorization"))
		if scheme, rest, ok := strings.Cut(token, " "); ok && strings.EqualFold(scheme, "Bearer") {
			token = strings.TrimSpace(rest)
		}
		by, err := h.Authenticator.ByKey(w, r, name, token)
		if err != nil {
			return err
		}
		if !by.May(scope) {
			return fault.New(fault.Unauthenticated, "the key lacks %s", scope)
		}
		return f(w, r, by)
	}
}

func (h handler) get(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	ref, err := target(r, by)
	if err != nil {
		return err
	}
	c, err := h.Customers.Get(r.Context(), by, ref)
	if err != nil {
		return err
	}
	if r.Method != http.MethodHead { // whose sender sees nothing of it
		h.lastSeen.merge(by, ref, h.lastSeen.ofCustomer(c))
	}
	return write(w, c)
}

func (h handler) patch(w http.ResponseWriter, r *http.Request, by access.Actor, once *contract.Idempotency) error {
	in, err := readPatch(r)
	if err != nil {
		return err
	}
	ref, err := target(r, by)
	if err != nil {
		return err
	}
	if in.invalid == nil {
		in.versions, in.conditional, in.invalid = ifMatch(r, by)
	}
	if in.invalid != nil { // it need not wait for its turn to write, but 404 goes before 400
		_, err := h.Customers.Preview(r.Context(), by, ref, in.apply)
		return err
	}
	said := h.lastSeen.ofPatch(in.fields)
	if !in.conditional && !by.Options.AllowStaleWrites { // otherwise the client means all that it says
		in.repeated = h.lastSeen.get(by, ref).matching(said)
	}
	whole := web.Prefers(r, "return", "representation")
	answer := func(w http.ResponseWriter, ch customer.Change) error {
		in.outcome(ch).SetHeader(w.Header())
		if whole {
			w.Header().Set("Preference-Applied", "return=representation")
			return write(w, ch.After)
		}
		w.Header().Set("ETag", web.ETag(ch.After.Version))
		return web.Write(w, http.StatusOK, nil)
	}
	ch, err := h.Customers.Update(r.Context(), by, ref, in.edit(), once.Record(answer))
	if err != nil {
		return err
	}
	if whole {
		said = h.lastSeen.ofCustomer(ch.After)
	}
	h.lastSeen.merge(by, ref, said)
	return answer(w, ch)
}

// ifMatch reads the condition of a PATCH: the versions of which the customer must
// be at one. A key may be held to send one; "*" names no version, and so is none.
func ifMatch(r *http.Request, by access.Actor) (versions []int64, conditional bool, err error) {
	versions, conditional, err = web.IfMatch(r)
	if err == nil && !conditional && by.Options.RequireIfMatch {
		err = fault.New(fault.PreconditionRequired, "the key must say which version it changes")
	}
	return versions, conditional, err
}

// target is the customer that the path names: "customer-" and a UUID in any case.
func target(r *http.Request, by access.Actor) (customer.Ref, error) {
	text, prefixed := strings.CutPrefix(r.PathValue("customerId"), idPrefix)
	id, err := uuid.Parse(text)
	if !prefixed || err != nil || len(text) != len(id.String()) { // the library knows more forms
		return customer.Ref{}, fault.New(fault.NotFound, "no such customer")
	}
	return customer.ByID(by.Tenant, id.String()), nil
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
