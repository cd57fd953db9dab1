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

// soon is how long a test waits for what must come.
const soon = 10 * time.Second

// status is how the contract of these tests answers.
var status = map[fault.Kind]int{
	fault.BadRequest:     http.StatusBadRequest,
	fault.Invalid:        http.StatusUnprocessableEntity,
	fault.TooLarge:       http.StatusRequestEntityTooLarge,
	fault.RequestTimeout: http.StatusRequestTimeout,
	fault.Unavailable:    http.StatusServiceUnavailable,
	fault.StorageFull:    http.StatusInsufficientStorage,
	fault.RateLimited:    http.StatusTooManyRequests,
	fault.Internal:       http.StatusInternalServerError,
}

func fail(w http.ResponseWriter, _ *http.Request, f *fault.Fault) {
	_ = web.Write(w, status[f.Kind], []byte(told(f)))
}

// told is an error's kind and its fields as "path:rule".
func told(err error) string {
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

// mount is f as the only operation below /t/.
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

// running is a server on a port of its own, which stops with the test.
type running struct {
	addr    string
	log     *journal
	client  *http.Client
	handler func() http.Handler
	stop    func() error // tells the server to stop and is what Run returned
	cancel  func()       // only tells it
}

func start(t *testing.T, s *web.Server) *running {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &running{
		addr:    ln.Addr().String(),
		log:     &journal{},
		client:  &http.Client{Transport: &http.Transport{}, Timeout: soon},
		handler: s.Handler,
	}
	s.Log = slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.Metrics = web.NewMetrics()
	if s.MaxBody == 0 {
		s.MaxBody = 1000
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, ln) }()
	r.cancel = cancel
	r.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		r.client.CloseIdleConnections()
		_ = r.stop() // the tests of stopping judge it
	})
	return r
}

// get asks for a path of the server, whatever it looks like.
func (r *running) get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	return r.do(t, "GET "+path+" HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
}

// do sends a whole request and takes its answer.
func (r *running) do(t *testing.T, request string) (*http.Response, string) {
	t.Helper()
	c := r.dial(t)
	c.send(t, request)
	method, _, _ := strings.Cut(request, " ")
	return c.answer(t, method)
}

// conn is a client that does as it is told, sensible or not.
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
	if err := c.SetDeadline(time.Now().Add(soon)); err != nil {
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

func (c conn) answer(t *testing.T, method string) (*http.Response, string) {
	t.Helper()
	resp, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("answer %s broke off after %q: %v", resp.Status, body, err)
	}
	return resp, string(body)
}

// journal is a log that may be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// lines waits until the log has n lines or more, and reads all of them.
func (j *journal) lines(t *testing.T, n int) []map[string]any {
	t.Helper()
	eventually(t, "the log's lines", func() bool { return strings.Count(j.String(), "\n") >= n })
	var all []map[string]any
	dec := json.NewDecoder(strings.NewReader(j.String()))
	for {
		var line map[string]any
		err := dec.Decode(&line)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("the log is not JSON: %v\n%s", err, j)
		}
		all = append(all, line)
	}
}

// line is the log's only line.
func (j *journal) line(t *testing.T) map[string]any {
	t.Helper()
	all := j.lines(t, 1)
	if len(all) != 1 {
		t.Fatalf("log: got %d lines, want 1:\n%s", len(all), j)
	}
	return all[0]
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(soon); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come about in %v", what, soon)
		}
	}
}
