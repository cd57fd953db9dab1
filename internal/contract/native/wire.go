package native

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/web"
)

// customerBody is a customer on the wire, with null for a field that it does not have.
type customerBody struct {
	customer.Customer
	requiresConfirmation bool
}

func (h handler) fromDomain(c customer.Customer, now time.Time) customerBody {
	return customerBody{c, c.NeedsConfirmation(now, h.ConfirmAfter)}
}

// MarshalJSONTo implements json.MarshalerTo.
func (b *customerBody) MarshalJSONTo(enc *jsontext.Encoder) error { return b.write(enc, properties) }

func (b *customerBody) write(enc *jsontext.Encoder, list []property) error {
	err := enc.WriteToken(jsontext.BeginObject)
	for _, p := range list {
		if !p.shown() {
			continue
		}
		if err == nil {
			err = enc.WriteToken(jsontext.String(p.name))
		}
		if err == nil && p.parts != nil {
			err = b.write(enc, p.parts)
		} else if err == nil {
			err = enc.WriteToken(token(p.value(b)))
		}
	}
	return cmp.Or(err, enc.WriteToken(jsontext.EndObject))
}

// token is a value of the domain in JSON: nil, a string, a bool, an int64 or a time.
func token(v any) jsontext.Token {
	switch v := v.(type) {
	case string:
		return jsontext.String(v)
	case bool:
		return jsontext.Bool(v)
	case int64:
		return jsontext.Int(v)
	case time.Time:
		return jsontext.String(v.UTC().Format(microseconds))
	}
	return jsontext.Null
}

const microseconds = "2006-01-02T15:04:05.000000Z"

// instant is a time on the wire: RFC 3339 in UTC, with microseconds.
type instant time.Time

// AppendText implements encoding.TextAppender.
func (t instant) AppendText(b []byte) ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(b, microseconds), nil
}

func instantOrNull(t time.Time) *instant {
	if t.IsZero() {
		return nil
	}
	return new(instant(t))
}

func orNull(s *string) *string {
	if *s == "" {
		return nil
	}
	return s
}

// showAt is how a GET at that time shows records.
func (h handler) showAt(now time.Time) showing {
	return func(c customer.Customer) (map[string]any, error) {
		body, err := json.Marshal(h.fromDomain(c, now))
		if err != nil {
			return nil, err
		}
		return readObject(body)
	}
}

// fieldBody is what a change did to one member.
type fieldBody struct {
	Pointer string `json:"pointer"`
	Before  any    `json:"before"`
	After   any    `json:"after"`
}

// changeBody is one change in the history of a customer.
type changeBody struct {
	Version   int64       `json:"version"`
	Event     string      `json:"event"`
	At        instant     `json:"at"`
	Actor     string      `json:"actor"`
	Contract  *string     `json:"contract"`
	RequestID *string     `json:"requestId"`
	Changes   []fieldBody `json:"changes"`
}

// feedBody is one change in the feed of a tenant.
type feedBody struct {
	Seq        int64       `json:"seq"`
	Customer   feedRefBody `json:"customer"`
	changeBody `json:",inline"`
}

type feedRefBody struct {
	ID     string `json:"id"`
	Number int32  `json:"number"`
}

func fromRecorded(r customer.ChangeRecord) changeBody {
	out := changeBody{
		Version:   r.Version,
		Event:     r.Event,
		At:        instant(r.Meta.At),
		Actor:     r.Meta.Actor,
		Contract:  orNull(&r.Meta.Contract),
		RequestID: orNull(&r.Meta.RequestID),
	}
	for _, f := range r.Fields {
		out.Changes = append(out.Changes, fieldBody{pointerTo(f.Path), wireValue(f.Before), wireValue(f.After)})
	}
	return out
}

func wireValue(v any) any {
	if at, ok := v.(time.Time); ok {
		return instant(at)
	}
	return v
}

// listPage is a part of a list. Next is a cursor, or null after the last.
type listPage[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next"`
}

// target is the customer that the path names: by UUID in any case, or by number.
func target(r *http.Request, by access.Actor) (customer.Ref, error) {
	text := r.PathValue("ref")
	if id, ok := parseID(text); ok {
		return customer.ByID(by.Tenant, id), nil
	}
	number, ok := canonical(text, 32)
	if !ok || number < 1 {
		return customer.Ref{}, fault.New(fault.NotFound, "no such customer: it is named by its id, a UUID, or its number")
	}
	return customer.ByNumber(by.Tenant, int32(number)), nil
}

// canonical is the integer that text writes in the one way in which a path may: "+2"
// and "02" name nothing.
func canonical(text string, bits int) (n int64, ok bool) {
	n, err := strconv.ParseInt(text, 10, bits)
	return n, err == nil && strconv.FormatInt(n, 10) == text
}

// parseID takes a UUID in any case and in no other form.
func parseID(text string) (id string, ok bool) {
	if len(text) != 36 {
		return "", false
	}
	u, err := uuid.Parse(text)
	return u.String(), err == nil
}

// write answers with body in JSON.
func write(w http.ResponseWriter, status int, body any) error {
	b, err := json.Marshal(body, json.Deterministic(true))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	return web.Write(w, status, b)
}
