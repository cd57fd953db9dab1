package lochting

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"kartotek/internal/fault"
	"kartotek/internal/web"
)

type errorBody struct {
	Message string `json:"message"`
}

// statusOf is web.Status, except that this contract has 400 for broken rules and no 403.
func statusOf(kind fault.Kind) int {
	switch kind {
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.Forbidden:
		return http.StatusUnauthorized
	}
	return web.Status(kind)
}

func fail(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
	web.Protect(w.Header())
	status := statusOf(f.Kind)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
		_ = web.Write(w, http.StatusUnauthorized, nil) // never fails
		return
	}
	b, _ := json.Marshal(errorBody{message(r, f)}, jsontext.AllowInvalidUTF8(true)) // always encodes with this option
	w.Header().Set("Content-Type", "application/json")
	_ = web.Write(w, status, b) // never fails
}

// messages has the message of each kind of fault, apart from those that describe the request.
var messages = map[fault.Kind]string{
	fault.RouteNotFound:         "Not found",
	fault.MethodNotAllowed:      "Method not allowed",
	fault.Conflict:              "Customer is in conflict with another one",
	fault.PreconditionFailed:    "Customer has been changed",
	fault.PreconditionRequired:  "If-Match must name a version",
	fault.IdempotencyInProgress: "The first request with this Idempotency-Key is still running",
	fault.IdempotencyKeyReused:  "This Idempotency-Key was used for another request",
	fault.RateLimited:           "Too many requests",
	fault.TooLarge:              "The body is too large",
	fault.UnsupportedMediaType:  "Content-Type must be application/json, in UTF-8",
	fault.RequestTimeout:        "The request took too long to arrive",
	fault.Unavailable:           "The server is busy, try again",
	fault.StorageFull:           "The server has no room for changes, try again later",
	fault.Internal:              "Internal server error",
}

func message(r *http.Request, f *fault.Fault) string {
	switch {
	case f.Kind == fault.BadRequest || f.Kind == fault.Invalid:
		return reasons(f)
	case f.Kind == fault.NotFound:
		return "Customer not found: " + r.PathValue("customerId")
	case f.Kind == fault.UnsupportedMediaType && web.HasContentEncoding(r):
		return "The body must be sent without Content-Encoding"
	}
	return messages[f.Kind]
}

// reasons lists every violation, in the order of the documentation.
func reasons(f *fault.Fault) string {
	if len(f.Fields) == 0 {
		return strings.ToUpper(f.Text[:1]) + f.Text[1:]
	}
	fields := slices.Clone(f.Fields)
	slices.SortStableFunc(fields, func(a, b fault.Field) int { return cmp.Compare(position(a.Path), position(b.Path)) })
	var out []string
	for _, field := range fields {
		out = append(out, cmp.Or(wireName(field.Path), "body")+": "+field.Text)
	}
	return strings.Join(out, "; ")
}

func position(path string) int {
	return slices.IndexFunc(properties[:], func(p property) bool { return p.path == path })
}
