package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

// Mount is a handler and the paths it owns.
type Mount struct {
	Prefix   string // such as "/api/"
	FoldCase bool   // whether the prefix matches in any case
	Handler  http.Handler
}

func (m Mount) matches(path string) bool {
	if m.FoldCase {
		return len(path) >= len(m.Prefix) && strings.EqualFold(path[:len(m.Prefix)], m.Prefix)
	}
	return strings.HasPrefix(path, m.Prefix)
}

// Server serves mounts, and for operators /healthz, /readyz and /metrics.
type Server struct {
	Mounts  []Mount
	Ready   func(context.Context) error // nil when requests can be answered
	Metrics *Metrics
	Log     *slog.Logger
	MaxBody int64 // bytes
	TLSCert string
	TLSKey  string // both empty: plain HTTP

	Timeouts Timeouts
}

// Timeouts is how long the server waits. A zero stands for the default.
type Timeouts struct {
	ReadHeader time.Duration // for a request's header
	Read       time.Duration // for its header and body
	Handler    time.Duration // for its handler, which reads the body
	Write      time.Duration // for the client to take the answer, from the end of the header
	Idle       time.Duration // for the next request
	Shutdown   time.Duration // for the requests it has accepted, once it is told to stop
}

func (p Timeouts) withDefaults() Timeouts {
	return Timeouts{
		ReadHeader: cmp.Or(p.ReadHeader, 5*time.Second),
		Read:       cmp.Or(p.Read, 15*time.Second),
		Handler:    cmp.Or(p.Handler, 30*time.Second),
		Write:      cmp.Or(p.Write, time.Minute),
		Idle:       cmp.Or(p.Idle, 2*time.Minute),
		Shutdown:   cmp.Or(p.Shutdown, 25*time.Second),
	}
}

// Run serves on ln until ctx is done, then finishes the requests that it has
// accepted. It closes ln.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	defer ln.Close() // ServeTLS leaves it open when it cannot read the certificate
	waits := s.Timeouts.withDefaults()
	server := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: waits.ReadHeader,
		ReadTimeout:       waits.Read,
		WriteTimeout:      waits.Write,
		IdleTimeout:       waits.Idle,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug), // clients that break off, mostly
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	stopped := make(chan error, 1)
	go func() { // ends when ctx does: at the latest when Run returns
		<-ctx.Done()
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), waits.Shutdown)
		defer cancel()
		stopped <- server.Shutdown(patience)
	}()
	err := s.serve(server, ln)
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	if err := <-stopped; err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}

func (s *Server) serve(server *http.Server, ln net.Listener) error {
	if s.TLSCert != "" {
		return server.ServeTLS(ln, s.TLSCert, s.TLSKey)
	}
	return server.Serve(ln)
}

// Handler is the whole way of a request: observed, bounded, and handed to the
// mount that owns its path.
func (s *Server) Handler() http.Handler {
	own := map[string]http.Handler{ // no ServeMux: that redirects
		"/healthz": adminHandler("health", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") }),
		"/readyz":  adminHandler("ready", s.ready),
		"/metrics": adminHandler("metrics", s.Metrics.handler().ServeHTTP),
	}
	dispatch := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, m := range s.Mounts {
			if m.matches(r.URL.Path) {
				m.Handler.ServeHTTP(w, r)
				return
			}
		}
		if h, ok := own[r.URL.Path]; ok {
			h.ServeHTTP(w, r)
			return
		}
		s.notFound(w, r)
	})
	return instrument(limitBody(dispatch, s.MaxBody), s.Timeouts.withDefaults().Handler, s.Log, s.Metrics)
}

// operator names an operation that is no contract's, and takes GET and HEAD.
func adminHandler(operation string, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		SetOperation(r, "operator", operation)
		if !AllowReadOnly(w, r) {
			writeText(w, http.StatusMethodNotAllowed, "the path knows GET, HEAD\n")
			return
		}
		next(w, r)
	})
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if err := s.Ready(r.Context()); err != nil {
		callOf(r).err = err
		writeText(w, http.StatusServiceUnavailable, "not ready\n")
		return
	}
	writeText(w, http.StatusOK, "ready\n")
}

// unknown helps a client that has the wrong path.
func (s *Server) notFound(w http.ResponseWriter, _ *http.Request) {
	var prefixes []string
	for _, m := range s.Mounts {
		prefixes = append(prefixes, m.Prefix)
	}
	writeText(w, http.StatusNotFound, fmt.Sprintf("no such path: those that there are begin with %s, and the server's health is at /healthz\n",
		strings.Join(prefixes, ", ")))
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_ = Write(w, status, []byte(text)) // never fails
}
