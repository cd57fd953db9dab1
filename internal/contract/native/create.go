package native

import (
	"math"
	"net/http"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/contract"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/web"
)

func (h handler) create(w http.ResponseWriter, r *http.Request, by access.Actor, once *contract.Idempotency) error {
	q := readQuery(r, "dryRun")
	dry := q.flag("dryRun")
	if err := q.err(); err != nil {
		return err
	}
	members, err := readPost(w, r)
	if err != nil {
		return err
	}
	entry := readDocument(members).entry()
	if dry {
		if err := h.Customers.CheckCreate(r.Context(), by, entry); err != nil {
			return err
		}
		w.Header().Set("Dry-Run", "true")
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	now := h.Now()
	answer := func(w http.ResponseWriter, ch customer.Change) error {
		w.Header().Set("Location", "/v1/customers/"+ch.After.ID)
		w.Header().Set("ETag", web.ETag(ch.After.Version))
		if minimal(w, r, by) {
			return web.Write(w, http.StatusCreated, nil)
		}
		return write(w, http.StatusCreated, h.fromDomain(ch.After, now))
	}
	ch, err := h.Customers.Create(r.Context(), by, entry, once.Record(answer))
	if err != nil {
		return err
	}
	return answer(w, ch)
}

// readPost reads the body of a POST: one JSON object.
func readPost(w http.ResponseWriter, r *http.Request) (map[string]any, error) {
	if _, err := web.RequestType(r, typeJSON); err != nil {
		w.Header().Set("Accept-Post", typeJSON)
		return nil, err
	}
	body, err := web.ReadBody(r)
	if err != nil {
		return nil, err
	}
	return readObject(body)
}

// entry is the document as a new customer, whom it may give an id, a number and
// the time of a confirmation.
func (d document) entry() customer.Upsert {
	var e customer.Upsert
	for at, v := range d.kept {
		switch {
		case v == nil: // as good as absent
		case at == "/id":
			d.given(at, v, func(text string) {
				id, ok := parseID(text)
				d.need(ok, at, fault.Format, "must be a UUID (RFC 9562)")
				e.ID = id
			})
		case at == "/number":
			n, isNumber := v.(number)
			value, whole := n.integer()
			d.need(isNumber && whole, at, fault.Type, "must be an integer or null")
			d.need(!isNumber || !whole || 1 <= value && value <= math.MaxInt32, at, fault.Range, "must be from 1 to 2147483647")
			e.Number = int32(value)
		case at == "/confirmedAt":
			d.given(at, v, func(text string) {
				confirmed, err := time.Parse(time.RFC3339Nano, text)
				d.need(err == nil, at, fault.Format, "must be a time of RFC 3339, such as 2026-01-02T12:00:00Z, or null")
				d.fields["confirmedAt"] = confirmed
			})
		default:
			d.need(false, at, fault.Immutable, "is kept by the server: leave it out")
		}
	}
	e.Edit = func(c *customer.Customer) error {
		if err := d.fields.Apply(c); err != nil {
			return err
		}
		return invalid(d.broken)
	}
	if len(d.broken) > 0 {
		e.ID, e.Number = "", 0 // they may be what is broken, and nobody is to be created
	}
	return e
}

// given hands take the text of a kept member; an empty one is as good as absent.
func (d *document) given(at string, v any, take func(text string)) {
	text, ok := v.(string)
	d.need(ok, at, fault.Type, "must be a string or null")
	if text != "" {
		take(text)
	}
}
