package native

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"kartotek/internal/access"
	"kartotek/internal/contract"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/web"
)

const (
	typeJSON       = "application/json"
	typeMergePatch = "application/merge-patch+json"
	typeJSONPatch  = "application/json-patch+json"
)

func (h handler) get(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	q := parseQuery(r, "version", "at")
	version, at := q.int("version", 1, math.MaxInt64, 0), q.time("at")
	q.require(version == 0 || at.IsZero(), "at", fault.Format, "must not be combined with version")
	if err := q.err(); err != nil {
		return err
	}
	ref, err := parseRef(r, by)
	if err != nil {
		return err
	}
	c, err := h.read(r, by, ref, version, at)
	if err != nil {
		return err
	}
	tag := web.ETag(c.Version)
	w.Header().Set("ETag", tag)
	if web.NotModified(r, tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return write(w, http.StatusOK, h.representation(c, h.Now()))
}

// read returns the current customer, or the one at a version or a time that is not zero.
func (h handler) read(r *http.Request, by access.Actor, ref customer.Ref, version int64, at time.Time) (customer.Customer, error) {
	switch {
	case version != 0:
		return h.Customers.GetVersion(r.Context(), by, ref, version)
	case !at.IsZero():
		return h.Customers.GetAt(r.Context(), by, ref, at)
	}
	return h.Customers.Get(r.Context(), by, ref)
}

func (h handler) create(w http.ResponseWriter, r *http.Request, by access.Actor, idem *contract.Idempotency) error {
	dryRun, err := parseDryRun(r)
	if err != nil {
		return err
	}
	object, err := readPost(w, r)
	if err != nil {
		return err
	}
	m := newMergePatch(object)
	entry := m.upsert()
	if dryRun {
		if err := h.Customers.CheckCreate(r.Context(), by, entry); err != nil {
			return err
		}
		w.Header().Set("Dry-Run", "true")
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	now := h.Now()
	respond := func(w http.ResponseWriter, ch customer.Change) error {
		w.Header().Set("Location", "/v1/customers/"+ch.After.ID)
		w.Header().Set("ETag", web.ETag(ch.After.Version))
		if omitsRecord(w, r, by) {
			return web.Write(w, http.StatusCreated, nil)
		}
		return write(w, http.StatusCreated, h.representation(ch.After, now))
	}
	ch, err := h.Customers.Create(r.Context(), by, entry, idem.Record(respond))
	if err != nil {
		return err
	}
	return respond(w, ch)
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
	return parseObject(body)
}

func (h handler) patch(w http.ResponseWriter, r *http.Request, by access.Actor, idem *contract.Idempotency) error {
	dryRun, err := parseDryRun(r)
	if err != nil {
		return err
	}
	now := h.Now()
	in, err := h.readPatch(w, r, by, now)
	if err != nil {
		return err
	}
	ref, err := parseRef(r, by)
	if err != nil {
		return err
	}
	edit, err := withPrecondition(r, by, in.edit)
	if err != nil {
		return err
	}
	respond := h.changeResponder(r, by, now, in.sent)
	if dryRun {
		ch, err := h.Customers.Preview(r.Context(), by, ref, edit)
		if err != nil {
			return err
		}
		return writeDryRun(w, ch, respond)
	}
	ch, err := h.Customers.Update(r.Context(), by, ref, edit, idem.Record(respond))
	if err != nil {
		return err
	}
	return respond(w, ch)
}

// readPatch reads the body of a PATCH in any of its media types. A key that may not read gets no
// answer that depends on a stored value.
func (h handler) readPatch(w http.ResponseWriter, r *http.Request, by access.Actor, now time.Time) (patch, error) {
	media, err := web.RequestType(r, typeMergePatch, typeJSONPatch, typeJSON)
	if err != nil {
		w.Header().Set("Accept-Patch", typeMergePatch+", "+typeJSONPatch+", "+typeJSON)
		return patch{}, err
	}
	body, err := web.ReadBody(r)
	if err != nil {
		return patch{}, err
	}
	reader := recordReader{
		allowed: by.May(access.Read),
		record:  func(c customer.Customer) *record { return h.record(c, now) },
	}
	if media != typeJSONPatch {
		return parseMergePatch(body, reader)
	}
	in, err := parseJSONPatch(body, reader)
	if err == nil && in.reads && !reader.allowed {
		return patch{}, missingScope(w, access.Read)
	}
	return in, err
}

// withPrecondition makes the edit conditional on If-Match and the like.
func withPrecondition(r *http.Request, by access.Actor, edit customer.Edit) (customer.Edit, error) {
	condition, named, err := contract.Precondition(r)
	if err != nil {
		return nil, err
	}
	if !named && by.Options.RequireIfMatch {
		return nil, fault.New(fault.PreconditionRequired, "this key requires If-Match with the ETag of the customer for each change")
	}
	return condition.Edit(edit), nil
}

// changeResponder returns the function that writes the response to a change. sent lists the
// properties in the request.
func (h handler) changeResponder(r *http.Request, by access.Actor, now time.Time, sent []string) func(http.ResponseWriter, customer.Change) error {
	return func(w http.ResponseWriter, ch customer.Change) error {
		if by.May(access.Read) { // both tell whether a value was the stored one
			outcome(sent, ch).SetHeader(w.Header())
			w.Header().Set("ETag", web.ETag(ch.After.Version))
		}
		if omitsRecord(w, r, by) {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		return write(w, http.StatusOK, h.representation(ch.After, now))
	}
}

// omitsRecord reports whether the response leaves the record out: the client prefers it so, or the
// key may not read.
func omitsRecord(w http.ResponseWriter, r *http.Request, by access.Actor) bool {
	if web.Prefers(r, "return", "minimal") {
		w.Header().Set("Preference-Applied", "return=minimal")
		return true
	}
	return !by.May(access.Read)
}

func parseDryRun(r *http.Request) (bool, error) {
	q := parseQuery(r, "dryRun")
	return q.flag("dryRun"), q.err()
}

// writeDryRun writes the response to a change that was not made. It has no ETag, because there is
// no such version.
func writeDryRun(w http.ResponseWriter, ch customer.Change, respond func(http.ResponseWriter, customer.Change) error) error {
	response, err := web.Capture(func(w http.ResponseWriter) error { return respond(w, ch) })
	if err != nil {
		return err
	}
	response.Header.Del("ETag")
	response.Header.Set("Dry-Run", "true")
	return response.WriteTo(w)
}

// parseRef parses the customer in the path: a UUID in any case, or a number.
func parseRef(r *http.Request, by access.Actor) (customer.Ref, error) {
	text := r.PathValue("ref")
	if id, ok := parseID(text); ok {
		web.SetCustomer(r, id)
		return customer.ByID(by.Tenant, id), nil
	}
	number, ok := parseCanonicalInt(text, 32)
	if !ok || number < 1 {
		return customer.Ref{}, fault.New(fault.NotFound, "no such customer; use an id (UUID) or a number")
	}
	web.SetCustomer(r, text)
	return customer.ByNumber(by.Tenant, int32(number)), nil
}

// parseCanonicalInt rejects other spellings of an integer, such as "+2" and "02".
func parseCanonicalInt(text string, bits int) (n int64, ok bool) {
	n, err := strconv.ParseInt(text, 10, bits)
	return n, err == nil && strconv.FormatInt(n, 10) == text
}

// parseID parses a UUID in its usual form, in any case.
func parseID(text string) (id string, ok bool) {
	if len(text) != 36 {
		return "", false
	}
	u, err := uuid.Parse(text)
	return u.String(), err == nil
}
