package native

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/contract"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/web"
)

// The limits of the feed.
const (
	maxFeed     = 1000 // changes in a page
	defaultFeed = 100
	maxWait     = 30          // seconds
	waitMargin  = time.Second // between the end of the wait and the deadline of the request
)

// fieldBody is the change of one field.
type fieldBody struct {
	Pointer string `json:"pointer"`
	Before  any    `json:"before"`
	After   any    `json:"after"`
}

// changeBody is a change in the history of a customer.
type changeBody struct {
	Version   int64       `json:"version"`
	Event     string      `json:"event"`
	At        timestamp   `json:"at"`
	Actor     string      `json:"actor"`
	ActorName *string     `json:"actorName"`
	Contract  *string     `json:"contract"`
	RequestID *string     `json:"requestId"`
	Changes   []fieldBody `json:"changes"`
}

func newChangeBody(r customer.ChangeRecord) changeBody {
	body := changeBody{
		Version:   r.Version,
		Event:     r.Event,
		At:        timestamp(r.Meta.At),
		Actor:     r.Meta.Actor,
		ActorName: textOrNull(r.Meta.ActorName),
		Contract:  textOrNull(r.Meta.Contract),
		RequestID: textOrNull(r.Meta.RequestID),
	}
	for _, f := range r.Fields {
		body.Changes = append(body.Changes, fieldBody{pointerTo(f.Path), fieldValue(f.Before), fieldValue(f.After)})
	}
	return body
}

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func fieldValue(v any) any {
	if at, ok := v.(time.Time); ok {
		return timestamp(at)
	}
	return v
}

func (h handler) listHistory(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	ref, err := parseRef(r, by)
	if err != nil {
		return err
	}
	return writePage(h, w, r, by, list[customer.ChangeRecord, changeBody]{
		name:    "history",
		filters: []string{r.PathValue("ref")},
		fetch: func(ctx context.Context, _, after string, limit int) ([]customer.ChangeRecord, error) {
			below, _ := strconv.ParseInt(after, 10, 64) // 0, for the first page, when it is empty
			return h.Customers.History(ctx, by, ref, below, limit)
		},
		position: func(c customer.ChangeRecord) string { return strconv.FormatInt(c.Version, 10) },
		body:     newChangeBody,
	})
}

func (h handler) revert(w http.ResponseWriter, r *http.Request, by access.Actor, idem *contract.Idempotency) error {
	if !by.May(access.Read) { // the result depends on stored values
		return missingScope(w, access.Read)
	}
	if err := parseQuery(r).err(); err != nil {
		return err
	}
	if err := requireEmptyBody(r); err != nil {
		return err
	}
	ref, err := parseRef(r, by)
	if err != nil {
		return err
	}
	version, ok := parseCanonicalInt(r.PathValue("version"), 64)
	if !ok {
		return fault.New(fault.NotFound, "no such version: a version is a number")
	}
	edit, err := h.Customers.RevertEdit(r.Context(), by, ref, version)
	if err != nil {
		return err
	}
	if edit, err = withPrecondition(r, by, edit); err != nil {
		return err
	}
	respond := h.changeResponder(r, by, h.Now(), nil)
	ch, err := h.Customers.Update(r.Context(), by, ref, edit, idem.Record(respond))
	if err != nil {
		return err
	}
	return respond(w, ch)
}

// requireEmptyBody accepts no body, or an empty object.
func requireEmptyBody(r *http.Request) error {
	body, err := web.ReadBody(r)
	if err != nil || len(body) == 0 {
		return err
	}
	object, err := parseObject(body)
	if err != nil {
		return err
	}
	if len(object) > 0 {
		return malformed("", fault.Unknown, "must be empty: this operation takes no body")
	}
	return nil
}

// feedBody is a change in the feed of a tenant.
type feedBody struct {
	Seq        int64           `json:"seq"`
	Customer   customerRefBody `json:"customer"`
	changeBody `json:",inline"`
}

type customerRefBody struct {
	ID     string `json:"id"`
	Number int32  `json:"number"`
}

// feedPage is a page of the feed. Next is the position after it, also at the end of the feed.
type feedPage struct {
	Items []feedBody `json:"items"`
	Next  int64      `json:"next"`
}

func (h handler) feed(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	q := parseQuery(r, "after", "limit", "wait")
	after := q.int("after", 0, math.MaxInt64, 0)
	limit := q.limit(maxFeed, defaultFeed)
	wait := time.Duration(q.int("wait", 0, maxWait, 0)) * time.Second
	if err := q.err(); err != nil {
		return err
	}
	if deadline, ok := r.Context().Deadline(); ok {
		wait = min(wait, time.Until(deadline)-waitMargin)
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go func() { // ends with the handler
		select {
		case <-web.Disconnected(r):
			cancel()
		case <-ctx.Done():
		}
	}()
	changes, err := h.Customers.Feed(ctx, by, after, limit, wait, h.Stopping)
	if err != nil {
		return err
	}
	if wait > 0 { // the key may have been revoked meanwhile
		if _, err := h.Authenticator.Directory.ByKey(r.Context(), bearer(r)); err != nil {
			return err
		}
	}
	page := feedPage{Next: after}
	for _, c := range changes {
		page.Items = append(page.Items, feedBody{c.Seq, customerRefBody{c.CustomerID, c.Number}, newChangeBody(c)})
		page.Next = c.Seq
	}
	return write(w, http.StatusOK, page)
}
