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

var status = map[fault.Kind]int{
	fault.Malformed:       http.StatusBadRequest,
	fault.Invalid:         http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusUnauthorized, // the contract knows no 403
	fault.Missing:         http.StatusNotFound,
	fault.NoRoute:         http.StatusNotFound,
	fault.NoMethod:        http.StatusMethodNotAllowed,
	fault.Conflict:        http.StatusConflict,
	fault.Stale:           http.StatusPreconditionFailed,
	fault.Unguarded:       http.StatusPreconditionRequired,
	fault.Running:         http.StatusConflict,
	fault.Reused:          http.StatusUnprocessableEntity,
	fault.Limited:         http.StatusTooManyRequests,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.Unsupported:     http.StatusUnsupportedMediaType,
	fault.Slow:            http.StatusRequestTimeout,
	fault.Busy:            http.StatusServiceUnavailable,
	fault.Full:            http.StatusInsufficientStorage,
	fault.Internal:        http.StatusInternalServerError,
}

// fail writes f as this contract's error body.
func fail(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
	if status[f.Kind] == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
		_ = web.Write(w, http.StatusUnauthorized, nil) // never fails
		return
	}
	b, _ := json.Marshal(errorBody{message(r, f)}, jsontext.AllowInvalidUTF8(true)) // a string then always encodes
	w.Header().Set("Content-Type", "application/json")
	_ = web.Write(w, status[f.Kind], b) // never fails
}

func message(r *http.Request, f *fault.Fault) string {
	switch f.Kind {
	case fault.Malformed, fault.Invalid:
		return reasons(f)
	case fault.Missing:
		return "Customer not found: " + r.PathValue("customerId")
	case fault.NoRoute:
		return "Not found"
	case fault.NoMethod:
		return "Method not allowed"
	case fault.Conflict:
		return "Customer is in conflict with another one"
	case fault.Stale:
		return "Customer has been changed"
	case fault.Unguarded:
		return "If-Match must name a version"
	case fault.Running:
		return "The first request with this Idempotency-Key is still running"
	case fault.Reused:
		return "This Idempotency-Key was used for another request"
	case fault.Limited:
		return "Too many requests"
	case fault.TooLarge:
		return "The body is too large"
	case fault.Unsupported:
		return unsupported(r)
	case fault.Slow:
		return "The request took too long to arrive"
	case fault.Busy:
		return "The server is busy, try again"
	case fault.Full:
		return "The server has no room for changes, try again later"
	default:
		return "Internal server error"
	}
}

func unsupported(r *http.Request) string {
	if web.Encoded(r) {
		return "The body must be sent without Content-Encoding"
	}
	return "Content-Type must be application/json, in UTF-8"
}

// reasons is every violation, in the order of the documentation.
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
