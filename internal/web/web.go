// Package web is the HTTP plumbing that every contract shares: the server, its middleware, reading
// bodies and conditional headers, and turning a returned error into a response. It knows no
// contract and no customer.
//
// Start with server.go and middleware.go for how a request reaches a contract, this file for how a
// handler responds, body.go and header.go for what it reads.
package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"kartotek/internal/fault"
)

// Func is a handler that returns its error instead of writing it.
type Func func(w http.ResponseWriter, r *http.Request) error

// Fail writes a fault as one contract's error response.
type Fail func(w http.ResponseWriter, r *http.Request, f *fault.Fault)

// Handle combines f with its contract's Fail. A panic in f becomes an Internal fault. If f fails
// after it has begun to respond, the connection is closed.
func Handle(f Func, fail Fail) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := recoverPanic(f, w, r)
		if err == nil {
			return
		}
		flt := toFault(err)
		info := requestInfoFrom(r)
		info.fault = flt.Kind
		if shouldLog(flt.Kind) && !errors.Is(err, context.Canceled) {
			info.err = err
		}
		if rec, ok := w.(*responseRecorder); ok && rec.status != 0 {
			info.err = err
			panic(http.ErrAbortHandler) // the client must see that the response is incomplete
		}
		if wait := retryAfter(flt); wait > 0 {
			w.Header().Set("Retry-After", Seconds(wait))
		}
		fail(w, r, flt)
	})
}

func recoverPanic(f Func, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			err = fault.FromPanic(p)
		}
	}()
	return f(w, r)
}

// toFault is fault.From, except that a request past its deadline is Unavailable.
func toFault(err error) *fault.Fault {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fault.New(fault.Unavailable, "the server is busy")
	}
	return fault.From(err)
}

// shouldLog reports whether the log needs the whole error, because an operator has to act on it.
func shouldLog(kind fault.Kind) bool {
	return kind == fault.Internal || kind == fault.Unavailable || kind == fault.StorageFull
}

// retryAfter is how long the client should wait before a retry. Overload often passes quickly; a
// full disk needs an operator.
func retryAfter(f *fault.Fault) time.Duration {
	switch f.Kind {
	case fault.Unavailable:
		return time.Second
	case fault.StorageFull:
		return 30 * time.Second
	}
	return f.RetryAfter
}

// Write sends a complete response. The caller has set the Content-Type.
func Write(w http.ResponseWriter, status int, body []byte) error {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // fails only when the client has disconnected
	return nil
}

// statuses is the standard HTTP status of each kind of fault.
var statuses = map[fault.Kind]int{
	fault.BadRequest:            http.StatusBadRequest,
	fault.Invalid:               http.StatusUnprocessableEntity,
	fault.Unauthenticated:       http.StatusUnauthorized,
	fault.Forbidden:             http.StatusForbidden,
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

// Status is the HTTP status of a kind of fault. A contract lists only the kinds where it differs.
func Status(kind fault.Kind) int {
	if status, ok := statuses[kind]; ok {
		return status
	}
	return http.StatusInternalServerError
}
