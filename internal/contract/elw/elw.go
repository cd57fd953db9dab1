// Package elw implements the energy utility's self-service API: whole customers in the format of
// ASP.NET, of which clients can update three properties, with HTTP Basic authentication.
//
// Routes and handlers are in elw.go, the properties of a customer in properties.go, the body of a
// PATCH in patch.go, content negotiation in media.go, errors in fail.go and operations in
// spec.yaml. Every behaviour has a transcript in testdata.
package elw

import (
	"embed"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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

// Settings are the dependencies and options of the contract.
type Settings struct {
	Customers     *customer.Service
	Authenticator contract.Authenticator
	Idempotency   *contract.IdempotencyMiddleware
	Now           func() time.Time
	ConfirmAfter  time.Duration // how long confirmed contact details stay valid
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
			{Method: http.MethodPatch, Path: customerPath, Operation: "updateCustomer", Handle: h.authenticated(h.Idempotency.Handler(fail, h.Idempotency.AuthorizeUpdate(target), h.patch))},
		},
		Fail:        fail,
		Spec:        spec,
		Transcripts: transcripts,
	}
}

type handler struct{ Settings }

// authenticated authenticates the caller by HTTP Basic and passes its actor to f.
func (h handler) authenticated(f func(http.ResponseWriter, *http.Request, access.Actor) error) web.Func {
	return func(w http.ResponseWriter, r *http.Request) error {
		login, password, ok := r.BasicAuth()
		if !ok {
			return fault.New(fault.Unauthenticated, "no HTTP Basic credentials")
		}
		actor, err := h.Authenticator.ByPassword(w, r, name, decodeLatin1(login), decodeLatin1(password))
		if err != nil {
			return err
		}
		return f(w, r, actor)
	}
}

// decodeLatin1 returns the text of bytes that are not UTF-8, in ISO-8859-1: older clients encode
// credentials so, whatever the challenge asks for.
func decodeLatin1(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var decoded strings.Builder
	for _, b := range []byte(text) {
		decoded.WriteRune(rune(b))
	}
	return decoded.String()
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
	return h.writeCustomer(w, r, c, h.Now())
}

func (h handler) patch(w http.ResponseWriter, r *http.Request, actor access.Actor, idem *contract.Idempotency) error {
	now := h.Now()
	in, err := readPatch(r)
	if err != nil {
		return err
	}
	ref, err := target(r, actor)
	if err != nil {
		return err
	}
	edit, err := withPrecondition(r, confirming(actor, now, in))
	if err != nil {
		return err
	}
	respond := func(w http.ResponseWriter, ch customer.Change) error {
		in.outcome(ch).SetHeader(w.Header())
		return h.writeCustomer(w, r, ch.After, now)
	}
	ch, err := h.Customers.Update(r.Context(), actor, ref, edit, idem.Record(respond))
	if err != nil {
		return err
	}
	return respond(w, ch)
}

// confirming returns the patch as an edit. Contact details sent by the customer's own account count
// as confirmed, even if they are unchanged.
func confirming(actor access.Actor, now time.Time, in customerPatch) customer.Edit {
	if actor.Customers.All() || len(in.values) == 0 {
		return in.apply
	}
	return customer.Confirm(now, in.apply)
}

// withPrecondition makes the edit conditional on If-Match and the like.
func withPrecondition(r *http.Request, edit customer.Edit) (customer.Edit, error) {
	condition, _, err := contract.Precondition(r)
	if err != nil {
		return nil, fault.New(fault.BadRequest, "If-Match is not a list of entity tags")
	}
	return condition.Edit(edit), nil
}

// target returns the customer in the path, whose id is an Int32 as in .NET. The header X-Area names
// a division of the utility (1 Net, 2 Power); the customer is the same in both.
func target(r *http.Request, actor access.Actor) (customer.Ref, error) {
	number, err := strconv.ParseInt(r.PathValue("customerId"), 10, 32)
	if err != nil {
		return customer.Ref{}, fault.New(fault.BadRequest, "customerId is not an Int32")
	}
	web.SetCustomer(r, strconv.FormatInt(number, 10))
	switch r.Header.Get("X-Area") {
	case "", "1", "2":
		return customer.ByNumber(actor.Tenant, int32(number)), nil
	default:
		return customer.Ref{}, fault.New(fault.BadRequest, "X-Area is not 1 or 2")
	}
}

func (h handler) writeCustomer(w http.ResponseWriter, r *http.Request, c customer.Customer, now time.Time) error {
	w.Header().Set("ETag", web.ETag(c.Version))
	return write(w, r, http.StatusOK, properties.of(&representation{c, c.NeedsConfirmation(now, h.ConfirmAfter)}))
}
