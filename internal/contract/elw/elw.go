// Package elw speaks the energy utility's self-service API: whole customers in
// ASP.NET's manner, three properties that a customer may change, HTTP Basic.
//
// Routes and handlers are here, wire types in wire.go, what type a property has
// in properties.go, the choice of a media type in media.go, errors in fail.go, the
// operations in spec.yaml. Every behaviour has a transcript in testdata.
package elw

import (
	"embed"
	"net/http"
	"strconv"
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
	Now           func() time.Time
	ConfirmAfter  time.Duration // contact details confirmed longer ago need confirmation
}

const name = "elw"

// New returns the contract.
func New(s Settings) contract.Contract {
	h := handler{s}
	const customerPath = "/api/customers/{customerId}"
	return contract.Contract{
		Name:     name,
		Prefix:   "/api/",
		FoldCase: true,
		Routes: []contract.Route{
			{Method: http.MethodGet, Path: customerPath, Operation: "getCustomer", Handle: h.authenticated(h.get)},
			{Method: http.MethodPatch, Path: customerPath, Operation: "updateCustomer", Handle: h.authenticated(h.Idempotency.Handler(fail, h.patch))},
		},
		Fail:        fail,
		Spec:        spec,
		Transcripts: transcripts,
	}
}

type handler struct{ Settings }

// authenticated hands f the account that HTTP Basic names.
func (h handler) authenticated(f func(http.ResponseWriter, *http.Request, access.Actor) error) web.Func {
	return func(w http.ResponseWriter, r *http.Request) error {
		login, password, ok := r.BasicAuth()
		if !ok {
			return fault.New(fault.Unauthenticated, "no HTTP Basic credentials")
		}
		by, err := h.Authenticator.ByPassword(w, r, name, login, password)
		if err != nil {
			return err
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
	return h.writeCustomer(w, r, c, h.Now())
}

func (h handler) patch(w http.ResponseWriter, r *http.Request, by access.Actor, once *contract.Idempotency) error {
	now := h.Now()
	in, err := readPatch(r)
	if err != nil {
		return err
	}
	ref, err := target(r, by)
	if err != nil {
		return err
	}
	edit, err := ifMatch(r, confirming(by, now, in))
	if err != nil {
		return err
	}
	answer := func(w http.ResponseWriter, ch customer.Change) error {
		in.outcome(ch).SetHeader(w.Header())
		return h.writeCustomer(w, r, ch.After, now)
	}
	ch, err := h.Customers.Update(r.Context(), by, ref, edit, once.Record(answer))
	if err != nil {
		return err
	}
	return answer(w, ch)
}

// confirming is the patch as an edit. A customer who sends contact details has
// thereby confirmed them, even when they are what they were.
func confirming(by access.Actor, now time.Time, in customerPatch) customer.Edit {
	if by.Customers.All() || !in.carriesValues() {
		return in.apply
	}
	return customer.Confirm(now, in.apply)
}

// ifMatch ties edit to the versions in If-Match, when the caller sent any.
func ifMatch(r *http.Request, edit customer.Edit) (customer.Edit, error) {
	versions, conditional, err := web.IfMatch(r)
	if err != nil {
		return nil, fault.New(fault.BadRequest, "If-Match is not a list of entity tags")
	}
	if !conditional {
		return edit, nil
	}
	return customer.AtVersion(versions, edit), nil
}

// target is the customer that the path names: an Int32, as .NET reads one. The
// header X-Area names a part of the utility (1 Net, 2 Power); the customer is the
// same in both.
func target(r *http.Request, by access.Actor) (customer.Ref, error) {
	number, err := strconv.ParseInt(r.PathValue("customerId"), 10, 32)
	if err != nil {
		return customer.Ref{}, fault.New(fault.BadRequest, "customerId is not an Int32")
	}
	switch r.Header.Get("X-Area") {
	case "", "1", "2":
		return customer.ByNumber(by.Tenant, int32(number)), nil
	default:
		return customer.Ref{}, fault.New(fault.BadRequest, "X-Area is not 1 or 2")
	}
}

func (h handler) writeCustomer(w http.ResponseWriter, r *http.Request, c customer.Customer, now time.Time) error {
	w.Header().Set("ETag", web.ETag(c.Version))
	return write(w, r, http.StatusOK, fromDomain(c, c.NeedsConfirmation(now, h.ConfirmAfter)))
}
