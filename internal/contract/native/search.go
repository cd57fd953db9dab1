package native

import (
	"math"
	"net/http"

	"github.com/go-json-experiment/json"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// maxText is the longest text that is searched for, in characters.
const maxText = 200

// narrowing are the parameters that say which customers are wanted. A cursor goes
// on in the search that it was given out for.
var narrowing = []string{"q", "name", "email", "phone", "postalCode", "number", "requiresConfirmation"}

func (h handler) search(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	q := readQuery(r, append([]string{"cursor", "limit"}, narrowing...)...)
	wanted := h.readSearch(q)
	limit := q.limit(maxPage, defaultPage)
	var values []string
	for _, name := range narrowing {
		values = append(values, q.values.Get(name))
	}
	where := listOf(by.Tenant, "customers", values...)
	after, err := readPosition(h.cursors.open(q, where))
	if err := q.err(); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	found, err := h.Customers.Search(r.Context(), by, wanted, after, limit)
	if err != nil {
		return err
	}
	out := listPage[customerBody]{}
	now := h.Now()
	for _, c := range found.Customers {
		out.Items = append(out.Items, h.fromDomain(c, now))
	}
	if found.More {
		next, err := json.Marshal(found.Next)
		if err != nil {
			return err
		}
		out.Next = h.cursors.seal(string(next), where)
	}
	return write(w, http.StatusOK, out)
}

func (h handler) readSearch(q *query) customer.Query {
	wanted := customer.Query{
		Words:      q.words("q", maxText),
		Name:       q.words("name", maxText),
		Email:      q.words("email", maxText),
		Phone:      q.phone("phone", maxText),
		PostalCode: q.words("postalCode", maxText),
		Number:     int32(q.whole("number", 1, math.MaxInt32, 0)),
	}
	switch q.values.Get("requiresConfirmation") {
	case "":
	case "true":
		wanted.ConfirmedBefore = h.Now().Add(-h.ConfirmAfter)
	default:
		q.need(false, "requiresConfirmation", fault.Format, "must be true: those who need no confirmation cannot be searched for")
	}
	return wanted
}

// readPosition reads what a cursor held.
func readPosition(text string) (p customer.Position, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &p)
	}
	return p, err
}
