package web

import (
	"log/slog"
	"net/http"
	"time"

	"kartotek/internal/fault"
)

// observe gives each request an id, a time by which it is answered, a log line and
// its metrics, and is the last guard against a panic.
func instrument(next http.Handler, patience time.Duration, log *slog.Logger, metrics *Metrics) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		r, c := withCall(r, start, patience)
		defer c.end()
		w.Header().Set("X-Request-Id", c.id)
		rec := &responseRecorder{ResponseWriter: w}
		defer func() {
			p := recover()
			abort := p != nil
			if abort && p != http.ErrAbortHandler {
				c.err = fault.FromPanic(p)
				if rec.status == 0 {
					http.Error(rec, "internal error", http.StatusInternalServerError)
					abort = false
				}
			}
			if rec.status == 0 && !abort {
				rec.status = http.StatusOK // what a handler that writes nothing answers
			}
			took := time.Since(start)
			metrics.request(c, rec.status, took)
			logRequest(log, r, c, rec, took)
			if abort {
				panic(http.ErrAbortHandler) // the answer may be cut off: let the client see that
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

func logRequest(log *slog.Logger, r *http.Request, c *call, rec *responseRecorder, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("id", c.id),
		slog.String("method", logMethod(r)),
		slog.String("contract", c.contract),
		slog.String("operation", c.operation),
		slog.Int("status", rec.status),
		slog.Int64("bytes", rec.bytes),
		slog.Float64("ms", float64(took.Microseconds())/1000),
	}
	if c.fault != "" {
		attrs = append(attrs, slog.String("fault", string(c.fault)))
	}
	level := slog.LevelInfo
	if c.err != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", c.err.Error()))
	}
	log.LogAttrs(r.Context(), level, "request", attrs...)
}

// method keeps words that a client made up out of the log.
func logMethod(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}

// bound limits how large a request's body may be. The request is not the server's
// own any more.
func limitBody(next http.Handler, maxBody int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = &limitedBody{
			ReadCloser:     r.Body,
			limit:          maxBody,
			remaining:      maxBody,
			oversized:      r.ContentLength > maxBody,
			expectContinue: r.Header.Get("Expect") != "",
		}
		next.ServeHTTP(w, r)
	})
}

// recorder remembers what was answered.
type responseRecorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (r *responseRecorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *responseRecorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *responseRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
