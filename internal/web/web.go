// Package web is the HTTP plumbing that every contract shares: the server and
// its middleware, reading bodies and conditions, and turning a returned error
// into a response. It knows no contract and no customer.
//
// Read server.go for the way of a request from the socket to a contract, this
// file for how a handler answers, body.go and header.go for what it reads.
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

// Fail writes a fault in one contract's words.
type Fail func(w http.ResponseWriter, r *http.Request, f *fault.Fault)

// Handle joins f to its contract's Fail. A panic in f is answered like any other
// defect. When f fails after it has begun to answer, the connection breaks off.
func Handle(f Func, fail Fail) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := recoverPanic(f, w, r)
		if err == nil {
			return
		}
		flt := toFault(err)
		note := callOf(r)
		note.fault = flt.Kind
		if shouldLog(flt.Kind) && !errors.Is(err, context.Canceled) {
			note.err = err
		}
		if rec, ok := w.(*responseRecorder); ok && rec.status != 0 {
			note.err = err
			panic(http.ErrAbortHandler) // an answer has begun: let the client see that it is cut off
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

// faultOf is fault.Of, for which a request that ran out of time met a busy
// server.
func toFault(err error) *fault.Fault {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fault.New(fault.Unavailable, "the server is busy")
	}
	return fault.From(err)
}

// forOperator reports whether the log should tell what led to the fault, since it
// is not the client who can mend that.
func shouldLog(kind fault.Kind) bool {
	return kind == fault.Internal || kind == fault.Unavailable || kind == fault.StorageFull
}

// patience is how long the client should wait before it asks again. What makes a
// server busy often passes; room on a disk somebody has to make.
func retryAfter(f *fault.Fault) time.Duration {
	switch f.Kind {
	case fault.Unavailable:
		return time.Second
	case fault.StorageFull:
		return 30 * time.Second
	}
	return f.RetryAfter
}

// Write sends a complete answer. The caller has set the Content-Type.
func Write(w http.ResponseWriter, status int, body []byte) error {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller is gone if this fails
	return nil
}
