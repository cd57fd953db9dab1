package native

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/contract"
	"kartotek/internal/fault"
	"kartotek/internal/web"
)

const (
	maxPage     = 100 // items of a page
	defaultPage = 20

	maxFeed     = 1000 // changes of a page of the feed
	defaultFeed = 100
	maxWait     = 30 // seconds

	// spare is how long before its deadline a request that waits is answered.
	spare = time.Second
)

func (h handler) history(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	ref, err := target(r, by)
	if err != nil {
		return err
	}
	q := readQuery(r, "cursor", "limit")
	limit := q.limit(maxPage, defaultPage)
	where := listOf(by.Tenant, "history", r.PathValue("ref"))
	position := h.cursors.open(q, where)
	if err := q.err(); err != nil {
		return err
	}
	below, _ := strconv.ParseInt(position, 10, 64) // the cursor is ours; 0 is the first page
	changes, err := h.Customers.History(r.Context(), by, ref, below, limit)
	if err != nil {
		return err
	}
	out := listPage[changeBody]{}
	for _, c := range changes {
		out.Items = append(out.Items, fromRecorded(c))
	}
	if n := len(changes); n == limit && changes[n-1].Version > 1 {
		out.Next = h.cursors.seal(strconv.FormatInt(changes[n-1].Version, 10), where)
	}
	return write(w, http.StatusOK, out)
}

func (h handler) revert(w http.ResponseWriter, r *http.Request, by access.Actor, once *contract.Idempotency) error {
	if err := readQuery(r).err(); err != nil {
		return err
	}
	if err := readNothing(r); err != nil {
		return err
	}
	ref, err := target(r, by)
	if err != nil {
		return err
	}
	version, ok := canonical(r.PathValue("version"), 64)
	if !ok {
		return fault.New(fault.NotFound, "no such version: versions are numbers")
	}
	undo, err := h.Customers.RevertEdit(r.Context(), by, ref, version)
	if err != nil {
		return err
	}
	edit, err := guarded(r, by, undo)
	if err != nil {
		return err
	}
	answer := h.changed(r, by, h.Now(), nil)
	ch, err := h.Customers.Update(r.Context(), by, ref, edit, once.Record(answer))
	if err != nil {
		return err
	}
	return answer(w, ch)
}

// readNothing refuses a body that says something: an operation that takes none
// would drop it in silence.
func readNothing(r *http.Request) error {
	body, err := web.ReadBody(r)
	if err != nil || len(body) == 0 {
		return err
	}
	members, err := readObject(body)
	if err != nil {
		return err
	}
	if len(members) > 0 {
		return malformed(fault.Field{Rule: fault.Unknown, Text: "must be empty: this operation takes no body"})
	}
	return nil
}

// feedPage is a page of the feed. Next is where to go on, also at its end.
type feedPage struct {
	Items []feedBody `json:"items"`
	Next  int64      `json:"next"`
}

func (h handler) feed(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	q := readQuery(r, "after", "limit", "wait")
	after := q.whole("after", 0, math.MaxInt64, 0)
	limit := q.limit(maxFeed, defaultFeed)
	wait := time.Duration(q.whole("wait", 0, maxWait, 0)) * time.Second
	if err := q.err(); err != nil {
		return err
	}
	if deadline, ok := r.Context().Deadline(); ok {
		wait = min(wait, time.Until(deadline)-spare)
	}
	changes, err := h.Customers.Feed(r.Context(), by, after, limit, wait, h.Stopping)
	if err != nil {
		return err
	}
	if wait > 0 {
		if _, err := h.Authenticator.Directory.ByKey(r.Context(), bearer(r)); err != nil { // it may have been revoked meanwhile
			return err
		}
	}
	out := feedPage{Next: after}
	for _, c := range changes {
		out.Items = append(out.Items, feedBody{c.Seq, feedRefBody{c.CustomerID, c.Number}, fromRecorded(c)})
		out.Next = c.Seq
	}
	return write(w, http.StatusOK, out)
}
