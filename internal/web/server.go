package web

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

// Mount is a handler and the path prefix that it serves.
type Mount struct {
	Prefix   string // such as "/api/"
	FoldCase bool   // whether the prefix matches in any case
	Exact    bool   // whether only the prefix itself matches, no longer path
	Handler  http.Handler
}

func (m Mount) matches(path string) bool {
	if m.Exact {
		return path == m.Prefix
	}
	if m.FoldCase {
		return len(path) >= len(m.Prefix) && strings.EqualFold(path[:len(m.Prefix)], m.Prefix)
	}
	return strings.HasPrefix(path, m.Prefix)
}

// Server serves mounts and the operators' /healthz, /readyz and /metrics.
type Server struct {
	Mounts  []Mount
	Ready   func(context.Context) error // nil when the server can serve requests
	Metrics *Metrics
	Log     *slog.Logger
	MaxBody int64 // bytes
	TLSCert string
	TLSKey  string // both empty: plain HTTP

	MaxConnections int      // 0 means no limit
	CORSOrigins    []string // whose pages may send requests

	// Draining is closed when the server will soon stop. Then it is no longer ready, and still
	// serves requests. It may be nil.
	Draining <-chan struct{}

	Timeouts Timeouts
}

// Timeouts are the server's timeouts. Zero means the default.
type Timeouts struct {
	ReadHeader time.Duration // the request header
	Read       time.Duration // the request header and body
	Handler    time.Duration // the handler, including reading the body
	Write      time.Duration // from the end of the request header to the end of the response
	Idle       time.Duration // a keep-alive connection between requests
	Shutdown   time.Duration // the requests in progress when the server stops
}

func (t Timeouts) withDefaults() Timeouts {
	return Timeouts{
		ReadHeader: cmp.Or(t.ReadHeader, 5*time.Second),
		Read:       cmp.Or(t.Read, 15*time.Second),
		Handler:    cmp.Or(t.Handler, 30*time.Second),
		Write:      cmp.Or(t.Write, time.Minute),
		Idle:       cmp.Or(t.Idle, 2*time.Minute),
		Shutdown:   cmp.Or(t.Shutdown, 25*time.Second),
	}
}

// maxHeader is the largest request header, in bytes. Unfinished headers stay in memory.
const maxHeader = 16 << 10

// protocols are HTTP/1.1 and HTTP/2, which proxies also speak without TLS.
func protocols() *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	p.SetUnencryptedHTTP2(true)
	return &p
}

// Run serves on ln until ctx is done, then finishes the requests in progress. It closes ln.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	defer ln.Close() // when the certificate cannot be read
	timeouts := s.Timeouts.withDefaults()
	server := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: timeouts.ReadHeader,
		ReadTimeout:       timeouts.Read,
		WriteTimeout:      timeouts.Write,
		IdleTimeout:       timeouts.Idle,
		MaxHeaderBytes:    maxHeader,
		Protocols:         protocols(),
		ConnState:         newConnectionLimit(s.MaxConnections).track,
		ErrorLog:          log.New(errorLog{s.Log}, "", 0),
	}
	if s.TLSCert != "" {
		certificate, err := openCertificate(s.TLSCert, s.TLSKey, s.Log)
		if err != nil {
			return fmt.Errorf("serve: %w", err)
		}
		server.TLSConfig = &tls.Config{GetCertificate: certificate.get}
	}
	stopped := make(chan error, 1)
	defer context.AfterFunc(ctx, func() {
		shutdownCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeouts.Shutdown)
		defer cancel()
		stopped <- server.Shutdown(shutdownCtx)
	})()
	var err error
	if server.TLSConfig != nil {
		err = server.ServeTLS(ln, "", "")
	} else {
		err = server.Serve(ln)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	if err := <-stopped; err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}

// errorLog receives the errors of net/http. Most of them are disconnected clients; one that prevents
// the server from accepting connections needs an operator.
type errorLog struct{ log *slog.Logger }

func (l errorLog) Write(line []byte) (int, error) {
	level := slog.LevelDebug
	if bytes.HasPrefix(line, []byte("http: Accept error")) {
		level = slog.LevelError
	}
	l.log.Log(context.Background(), level, strings.TrimSpace(string(line)))
	return len(line), nil
}

// Handler returns the middleware and the dispatch of requests to mounts by path.
func (s *Server) Handler() http.Handler {
	adminRoutes := map[string]http.Handler{ // http.ServeMux would redirect unclean paths
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
		if h, ok := adminRoutes[r.URL.Path]; ok {
			h.ServeHTTP(w, r)
			return
		}
		s.notFound(w, r)
	})
	return instrument(allowOrigins(s.CORSOrigins, dispatch), s.Timeouts.withDefaults().Handler, s.MaxBody, s.Log, s.Metrics)
}

// adminHandler serves GET and HEAD of an operation for operators.
func adminHandler(operation string, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		SetOperation(r, "operator", operation)
		if !AllowReadOnly(w, r) {
			writeText(w, http.StatusMethodNotAllowed, "allowed methods: GET, HEAD\n")
			return
		}
		next(w, r)
	})
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	select {
	case <-s.Draining:
		writeText(w, http.StatusServiceUnavailable, "stopping\n")
		return
	default:
	}
	if err := s.Ready(r.Context()); err != nil {
		requestInfoFrom(r).err = err
		writeText(w, http.StatusServiceUnavailable, "not ready\n")
		return
	}
	writeText(w, http.StatusOK, "ready\n")
}

// notFound lists the known prefixes, to help a client with a wrong path.
func (s *Server) notFound(w http.ResponseWriter, _ *http.Request) {
	var prefixes []string
	for _, m := range s.Mounts {
		if !m.Exact {
			prefixes = append(prefixes, m.Prefix)
		}
	}
	writeText(w, http.StatusNotFound, fmt.Sprintf("not found; known prefixes: %s\n", strings.Join(prefixes, ", ")))
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = Write(w, status, []byte(text)) // never fails
}
