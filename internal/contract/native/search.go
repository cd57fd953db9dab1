package native

import (
	"math"
	"net/http"

	"github.com/go-json-experiment/json"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// maxText is the maximum length of a text that is searched for, in characters.
const maxText = 200

// filterParams are the parameters that select the customers of a list.
var filterParams = []string{"email", "phone", "postalCode", "number", "requiresConfirmation"}

// customersBody is the result of a search or one page of a list.
type customersBody struct {
	Items []customerBody `json:"items"`
	Next  *string        `json:"next"` // null after the last page, and in a search
	More  bool           `json:"more"`
}

// customers searches with the parameter q, and lists without it.
func (h handler) customers(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	q := readQuery(r, append([]string{"q", "cursor", "limit"}, filterParams...)...)
	if q.values.Has("q") {
		return h.search(w, r, by, q)
	}
	return h.list(w, r, by, q)
}

func (h handler) search(w http.ResponseWriter, r *http.Request, by access.Actor, q *query) error {
	text, limit := q.words("q", maxText), q.limit(maxPage, defaultPage)
	for _, name := range append([]string{"cursor"}, filterParams...) {
		q.need(!q.values.Has(name), name, fault.Format, "must not be combined with q")
	}
	if err := q.err(); err != nil {
		return err
	}
	found, err := h.Customers.Search(r.Context(), by, text, limit)
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, h.newCustomersBody(found.Customers, found.More))
}

func (h handler) list(w http.ResponseWriter, r *http.Request, by access.Actor, q *query) error {
	filter, limit := h.readFilter(q), q.limit(maxPage, defaultPage)
	var values []string
	for _, name := range filterParams {
		values = append(values, q.values.Get(name))
	}
	scope := listOf(by.Tenant, "customers", values...)
	position := h.cursors.open(q, scope)
	if err := q.err(); err != nil {
		return err
	}
	var after customer.Cursor
	if position != "" {
		if err := json.Unmarshal([]byte(position), &after); err != nil {
			return err
		}
	}
	found, err := h.Customers.List(r.Context(), by, filter, after, limit+1)
	if err != nil {
		return err
	}
	more := len(found) > limit
	found = found[:min(limit, len(found))]
	out := h.newCustomersBody(found, more)
	if more {
		last := found[limit-1]
		after = customer.Cursor{Number: last.Number}
		if !filter.ConfirmedBefore.IsZero() {
			after.ConfirmedAt = last.ConfirmedAt
		}
		next, err := json.Marshal(after)
		if err != nil {
			return err
		}
		out.Next = h.cursors.seal(string(next), scope)
	}
	return write(w, http.StatusOK, out)
}

func (h handler) newCustomersBody(found []customer.Customer, more bool) customersBody {
	out, now := customersBody{More: more}, h.Now()
	for _, c := range found {
		out.Items = append(out.Items, h.fromDomain(c, now))
	}
	return out
}

func (h handler) readFilter(q *query) customer.Filter {
	f := customer.Filter{
		Email:      q.words("email", maxText),
		Phone:      q.phone("phone", maxText),
		PostalCode: q.words("postalCode", maxText),
		Number:     int32(q.whole("number", 1, math.MaxInt32, 0)),
	}
	switch q.values.Get("requiresConfirmation") {
	case "":
	case "true":
		f.ConfirmedBefore = h.Now().Add(-h.ConfirmAfter)
	default:
		q.need(false, "requiresConfirmation", fault.Format, "must be true: there is no list of the other customers")
	}
	return f
}
