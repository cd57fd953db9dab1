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
	fault.BadRequest:            http.StatusBadRequest,
	fault.Invalid:               http.StatusBadRequest,
	fault.Unauthenticated:       http.StatusUnauthorized,
	fault.Forbidden:             http.StatusUnauthorized, // the contract knows no 403
	fault.NotFound:              http.StatusNotFound,
	fault.RouteNotFound:         http.StatusNotFound,
	fault.MethodNotAllowed:      http.StatusMethodNotAllowed,
	fault.Conflict:              http.StatusConflict,
	fault.PreconditionFailed:    http.StatusPreconditionFailed,
	fault.PreconditionRequired:  http.StatusPreconditionRequired,
	fault.IdempotencyInProgress: http.StatusConflict,
	fault.IdempotencyKeyReused:  http.StatusUnprocessableEntity,
	fault.RateLimited:           http.StatusTooManyRequests,
	fault.TooLarge:              http.StatusRequestEntityTooLarge,
	fault.UnsupportedMediaType:  http.StatusUnsupportedMediaType,
	fault.RequestTimeout:        http.StatusRequestTimeout,
	fault.Unavailable:           http.StatusServiceUnavailable,
	fault.StorageFull:           http.StatusInsufficientStorage,
	fault.Internal:              http.StatusInternalServerError,
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
	case fault.BadRequest, fault.Invalid:
		return reasons(f)
	case fault.NotFound:
		return "Customer not found: " + r.PathValue("customerId")
	case fault.RouteNotFound:
		return "Not found"
	case fault.MethodNotAllowed:
		return "Method not allowed"
	case fault.Conflict:
		return "Customer is in conflict with another one"
	case fault.PreconditionFailed:
		return "Customer has been changed"
	case fault.PreconditionRequired:
		return "If-Match must name a version"
	case fault.IdempotencyInProgress:
		return "The first request with this Idempotency-Key is still running"
	case fault.IdempotencyKeyReused:
		return "This Idempotency-Key was used for another request"
	case fault.RateLimited:
		return "Too many requests"
	case fault.TooLarge:
		return "The body is too large"
	case fault.UnsupportedMediaType:
		return unsupported(r)
	case fault.RequestTimeout:
		return "The request took too long to arrive"
	case fault.Unavailable:
		return "The server is busy, try again"
	case fault.StorageFull:
		return "The server has no room for changes, try again later"
	default:
		return "Internal server error"
	}
}

func unsupported(r *http.Request) string {
	if web.HasContentEncoding(r) {
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
