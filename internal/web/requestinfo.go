package web

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"kartotek/internal/fault"
)

// call is what the log and the metrics tell of one request. It holds no personal
// data: no path, no query, no name.
//
// It is also the request's context, which ends when the patience with its handler
// does. Most are answered before anybody waits for that, so there is no timer
// until somebody does.
type call struct {
	id        string
	contract  string
	operation string
	fault     fault.Kind
	err       error // the whole story, when it is ours to fix

	context.Context // the connection's
	until           time.Time
	mu              sync.Mutex
	timed           context.Context // with the timer; nil before it is needed
	stop            context.CancelFunc
}

// withCall marks the request with a call of its own, under the id that its
// sender gave it or a new one. The call ends when it is told to, or after patience.
func withCall(r *http.Request, start time.Time, patience time.Duration) (*http.Request, *call) {
	c := &call{
		id:        r.Header.Get("X-Request-Id"),
		contract:  "none",
		operation: "none",
		Context:   r.Context(),
		until:     start.Add(patience),
	}
	if earlier, ok := c.Context.Deadline(); ok && earlier.Before(c.until) {
		c.until = earlier
	}
	if !validRequestID(c.id) {
		c.id = uuid.Must(uuid.NewV7()).String()
	}
	return r.WithContext(c), c
}

// Deadline implements context.Context.
func (c *call) Deadline() (time.Time, bool) { return c.until, true }

// Done implements context.Context.
func (c *call) Done() <-chan struct{} { return c.withTimer().Done() }

// Err implements context.Context.
func (c *call) Err() error {
	c.mu.Lock()
	timed := c.timed
	c.mu.Unlock()
	switch {
	case timed != nil:
		return timed.Err()
	case c.Context.Err() == nil && time.Now().After(c.until):
		return context.DeadlineExceeded
	}
	return c.Context.Err()
}

func (c *call) withTimer() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timed == nil {
		c.timed, c.stop = context.WithDeadline(c.Context, c.until)
	}
	return c.timed
}

// end is called when the request is answered.
func (c *call) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop != nil {
		c.stop()
	}
}

// Value implements context.Context.
func (c *call) Value(key any) any {
	if key == (callKey{}) {
		return c
	}
	return c.Context.Value(key)
}

type callKey struct{}

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

// SetOperation tells the log and the metrics which operation of which contract r is.
func SetOperation(r *http.Request, contract, operation string) {
	c := callOf(r)
	c.contract, c.operation = contract, operation
}

// SetFault tells the log that a handler has answered with a fault itself.
func SetFault(r *http.Request, kind fault.Kind) { callOf(r).fault = kind }
