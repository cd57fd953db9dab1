package web

import (
	"log/slog"
	"net/http"
	"time"

	"kartotek/internal/fault"
)

// instrument gives each request an id, a deadline, a log line and metrics, and recovers from panics
// outside of Handle.
func instrument(next http.Handler, timeout time.Duration, maxBody int64, log *slog.Logger, metrics *Metrics) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		r, info, cancel := withRequestInfo(r, timeout, maxBody)
		defer cancel()
		w.Header().Set("X-Request-Id", info.id)
		rec := &responseRecorder{ResponseWriter: w}
		defer func() {
			p := recover()
			abort := p != nil
			if abort && p != http.ErrAbortHandler {
				info.err = fault.FromPanic(p)
				if rec.status == 0 {
					http.Error(rec, "internal error", http.StatusInternalServerError)
					abort = false
				}
			}
			if rec.status == 0 && !abort {
				rec.status = http.StatusOK // net/http sends this when a handler writes nothing
			}
			duration := time.Since(start)
			metrics.request(info, rec.status, duration)
			logRequest(log, r, info, rec, duration)
			if abort {
				panic(http.ErrAbortHandler) // the client must see that the response is incomplete
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

func logRequest(log *slog.Logger, r *http.Request, info *requestInfo, rec *responseRecorder, duration time.Duration) {
	attrs := []slog.Attr{
		slog.String("id", info.id),
		slog.String("method", logMethod(r)),
		slog.String("contract", info.contract),
		slog.String("operation", info.operation),
		slog.Int("status", rec.status),
		slog.Int64("bytes", rec.bytes),
		slog.Float64("ms", float64(duration.Microseconds())/1000),
	}
	for _, a := range []slog.Attr{slog.String("tenant", info.tenant), slog.String("actor", info.actor), slog.String("customer", info.customer)} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	if info.address.IsValid() {
		attrs = append(attrs, slog.String("address", info.address.String()))
	}
	if info.fault != "" {
		attrs = append(attrs, slog.String("fault", string(info.fault)))
	}
	level := slog.LevelInfo
	if info.err != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", info.err.Error()))
	}
	log.LogAttrs(r.Context(), level, "request", attrs...)
}

// logMethod keeps arbitrary client text out of the log.
func logMethod(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}

type responseRecorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *responseRecorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

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
