package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"kartotek/internal/fault"
	"kartotek/internal/web"
)

// waitLimit is how long a test waits for an expected event.
const waitLimit = 10 * time.Second

// fail responds with the kind of the fault and its fields.
func fail(w http.ResponseWriter, _ *http.Request, f *fault.Fault) {
	_ = web.Write(w, web.Status(f.Kind), []byte(faultString(f)))
}

// faultString formats the kind of an error and its fields as "path:rule".
func faultString(err error) string {
	if err == nil {
		return ""
	}
	f := fault.From(err)
	parts := []string{string(f.Kind)}
	for _, field := range f.Fields {
		parts = append(parts, field.Path+":"+field.Rule)
	}
	return strings.Join(parts, " ")
}

// mount returns f as the only operation below /t/.
func mount(f web.Func) []web.Mount {
	h := web.Handle(f, fail)
	return []web.Mount{{Prefix: "/t/", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.SetOperation(r, "test", "act")
		h.ServeHTTP(w, r)
	})}}
}

func hello(w http.ResponseWriter, _ *http.Request) error {
	return web.Write(w, http.StatusOK, []byte("hello"))
}

// running is a server on its own port; it stops when the test ends.
type running struct {
	addr    string
	log     *logBuffer
	client  *http.Client
	handler func() http.Handler
	stop    func() error // stops the server and returns the error of Run
	cancel  func()       // stops the server without waiting
}

func start(t *testing.T, s *web.Server) *running {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &running{
		addr:    ln.Addr().String(),
		log:     &logBuffer{},
		client:  &http.Client{Transport: &http.Transport{}, Timeout: waitLimit},
		handler: s.Handler,
	}
	s.Log = slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.Metrics = web.NewMetrics()
	if s.MaxBody == 0 {
		s.MaxBody = 1000
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, ln) }()
	r.cancel = cancel
	r.stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() {
		r.client.CloseIdleConnections()
		_ = r.stop() // checked by the tests of Run
	})
	return r
}

// get sends a GET with this exact path.
func (r *running) get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	return r.do(t, "GET "+path+" HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
}

// do sends a request and reads its response.
func (r *running) do(t *testing.T, request string) (*http.Response, string) {
	t.Helper()
	c := r.dial(t)
	c.send(t, request)
	method, _, _ := strings.Cut(request, " ")
	return c.response(t, method)
}

// conn is a client connection that can send arbitrary bytes.
type conn struct {
	*net.TCPConn
	in *bufio.Reader
}

func (r *running) dial(t *testing.T) conn {
	t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(waitLimit)); err != nil {
		t.Fatal(err)
	}
	return conn{c.(*net.TCPConn), bufio.NewReader(c)}
}

func (c conn) send(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatalf("send: %v", err)
	}
}

func (c conn) response(t *testing.T, method string) (*http.Response, string) {
	t.Helper()
	resp, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("no response: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("response %s ended after %q: %v", resp.Status, body, err)
	}
	return resp, string(body)
}

// logBuffer is a log that can be read and written concurrently.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// lines waits until the log has at least n lines and returns all of them.
func (b *logBuffer) lines(t *testing.T, n int) []map[string]any {
	t.Helper()
	eventually(t, "the log's lines", func() bool { return strings.Count(b.String(), "\n") >= n })
	var all []map[string]any
	dec := json.NewDecoder(strings.NewReader(b.String()))
	for {
		var line map[string]any
		err := dec.Decode(&line)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("the log is not JSON: %v\n%s", err, b)
		}
		all = append(all, line)
	}
}

// line returns the only line of the log.
func (b *logBuffer) line(t *testing.T) map[string]any {
	t.Helper()
	all := b.lines(t, 1)
	if len(all) != 1 {
		t.Fatalf("log: got %d lines, want 1:\n%s", len(all), b)
	}
	return all[0]
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(waitLimit); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not happen within %v", what, waitLimit)
		}
	}
}
