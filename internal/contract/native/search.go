package native

import (
	"context"
	"math"
	"net/http"
	"slices"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// filterParams are the parameters that select the customers of a list.
var filterParams = []string{"email", "phone", "postalCode", "number", "requiresConfirmation"}

// customersBody is the result of a search, where Next is null, or a page of a list.
type customersBody struct {
	pageBody[jsontext.Value] `json:",inline"`
	More                     bool `json:"more"`
}

// listCustomers searches when there is a parameter q, and lists otherwise.
func (h handler) listCustomers(w http.ResponseWriter, r *http.Request, by access.Actor) (err error) {
	q := parseQuery(r, slices.Concat([]string{"q", "cursor", "limit"}, filterParams)...)
	var body customersBody
	if q.values.Has("q") {
		body, err = h.search(r, by, q)
	} else {
		body.pageBody, err = h.list(r, by, q)
		body.More = body.Next != nil
	}
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, body)
}

func (h handler) search(r *http.Request, by access.Actor, q *query) (body customersBody, err error) {
	text, limit := q.text("q", isLetterOrDigit, "a letter or a digit"), q.limit(maxPage, defaultPage)
	for _, name := range append([]string{"cursor"}, filterParams...) {
		q.require(!q.values.Has(name), name, fault.Format, "must not be combined with q")
	}
	if err := q.err(); err != nil {
		return body, err
	}
	found, err := h.Customers.Search(r.Context(), by, text, limit)
	if err != nil {
		return body, err
	}
	now := h.Now()
	for _, c := range found.Customers {
		body.Items = append(body.Items, h.representation(c, now))
	}
	body.More = found.More
	return body, nil
}

func (h handler) list(r *http.Request, by access.Actor, q *query) (pageBody[jsontext.Value], error) {
	now := h.Now()
	filter := h.parseFilter(q)
	var values []string
	for _, name := range filterParams {
		values = append(values, q.values.Get(name))
	}
	return readPage(h, r, by, q, list[customer.Customer, jsontext.Value]{
		name:    "customers",
		filters: values,
		fetch: func(ctx context.Context, _, position string, limit int) ([]customer.Customer, error) {
			var after customer.Cursor
			if position != "" {
				if err := json.Unmarshal([]byte(position), &after); err != nil {
					return nil, err
				}
			}
			return h.Customers.List(ctx, by, filter, after, limit)
		},
		position: func(c customer.Customer) string {
			at := customer.Cursor{Number: c.Number}
			if !filter.ConfirmedBefore.IsZero() {
				at.ConfirmedAt = c.ConfirmedAt
			}
			position, _ := json.Marshal(at) // cannot fail: a time and a number
			return string(position)
		},
		body: func(c customer.Customer) jsontext.Value { return h.representation(c, now) },
	})
}

func (h handler) parseFilter(q *query) customer.Filter {
	f := customer.Filter{
		Email:      q.text("email", isLetterOrDigit, "a letter or a digit"),
		Phone:      q.text("phone", unicode.IsDigit, "a digit"),
		PostalCode: q.text("postalCode", isLetterOrDigit, "a letter or a digit"),
		Number:     int32(q.int("number", 1, math.MaxInt32, 0)),
	}
	switch q.values.Get("requiresConfirmation") {
	case "":
	case "true":
		f.ConfirmedBefore = h.Now().Add(-h.ConfirmAfter)
	default:
		q.require(false, "requiresConfirmation", fault.Format, "must be true; there is no list of the other customers")
	}
	return f
}
