package web

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"kartotek/internal/fault"
)

// call is what the log and the metrics tell of one request. It holds no personal
// data: no path, no query, no name.
type call struct {
	id        string
	contract  string
	operation string
	fault     fault.Kind
	err       error // the whole story, when it is ours to fix
}

type callKey struct{}

// withCall marks the request with a call of its own, under the id that its
// sender gave it or a new one.
func withCall(r *http.Request) (*http.Request, *call) {
	c := &call{id: r.Header.Get("X-Request-Id"), contract: "none", operation: "none"}
	if !validRequestID(c.id) {
		c.id = uuid.Must(uuid.NewV7()).String()
	}
	return r.WithContext(context.WithValue(r.Context(), callKey{}, c)), c
}

// validRequestID takes what is safe in a log, a header and the history.
func validRequestID(s string) bool {
	for _, b := range []byte(s) {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 128
}

// callOf is the request's call, or one that nobody reads when the handler runs
// without the server.
func callOf(r *http.Request) *call {
	if c, ok := r.Context().Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}

// RequestID is the id under which the log, the history and the answer know this
// request.
func RequestID(r *http.Request) string { return callOf(r).id }

// Name tells the log and the metrics which operation of which contract r is.
func Name(r *http.Request, contract, operation string) {
	c := callOf(r)
	c.contract, c.operation = contract, operation
}

// Refused tells the log that a handler has answered with a fault itself.
func Refused(r *http.Request, kind fault.Kind) { callOf(r).fault = kind }
