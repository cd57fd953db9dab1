package web_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"kartotek/internal/web"
)

const keepAlive = "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"

func TestNewConnectionReplacesAnIdleOne(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{MaxConnections: 5})
	var idle []conn
	for range 5 {
		c := server.dial(t)
		c.send(t, keepAlive)
		c.response(t, http.MethodGet)
		idle = append(idle, c)
	}
	eventually(t, "a connection beyond the limit", func() bool { // the server sees the last one as idle a moment later
		c := server.dial(t)
		defer c.Close()
		c.send(t, keepAlive)
		resp, err := http.ReadResponse(c.in, nil)
		return err == nil && resp.StatusCode == http.StatusOK
	})
	closed := 0
	for _, c := range idle {
		if _, err := io.WriteString(c, keepAlive); err != nil {
			closed++
			continue
		}
		if _, err := http.ReadResponse(c.in, nil); err != nil {
			closed++
		}
	}
	if closed == 0 {
		t.Error("no idle connection was closed")
	}
}

func TestConnectionBeyondLimitGets503(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{MaxConnections: 5})
	var busy []conn
	for range 5 {
		c := server.dial(t)
		c.send(t, keepAlive[:20]) // an unfinished header
		busy = append(busy, c)
	}
	resp, _ := server.dial(t).response(t, http.MethodGet)
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "1" || !resp.Close {
		t.Errorf("got %s and %v, want 503 with Retry-After, and the end of the connection", resp.Status, resp.Header)
	}
	for _, c := range busy {
		c.send(t, keepAlive[20:])
		if resp, _ := c.response(t, http.MethodGet); resp.StatusCode != http.StatusOK {
			t.Errorf("a connection within the limit: got %s, want 200", resp.Status)
		}
		c.Close()
	}
	eventually(t, "a connection after those", func() bool {
		c := server.dial(t)
		defer c.Close()
		_, _ = io.WriteString(c, keepAlive) // it may have been closed
		resp, err := http.ReadResponse(c.in, nil)
		return err == nil && resp.StatusCode == http.StatusOK
	})
}

// failingListener returns an error from Accept before the first connection.
type failingListener struct {
	net.Listener
	failed atomic.Bool
}

func (l *failingListener) Accept() (net.Conn, error) {
	if !l.failed.Swap(true) {
		return nil, syscall.EMFILE
	}
	return l.Listener.Accept()
}

func TestAcceptErrorIsLoggedAsError(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log := &logBuffer{}
	server := &web.Server{Log: slog.New(slog.NewJSONHandler(log, nil)), Metrics: web.NewMetrics()}
	ended := make(chan error, 1)
	go func() { ended <- server.Run(t.Context(), &failingListener{Listener: ln}) }() // ends with the test
	line := log.lines(t, 1)[0]
	if message, _ := line["msg"].(string); line["level"] != "ERROR" || !strings.Contains(message, "Accept error") {
		t.Errorf("got %v, want an error that tells of Accept", line)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the server ended: %v", err)
		}
	default:
	}
}

func TestDrainingServerIsNotReadyAndServes(t *testing.T) {
	t.Parallel()
	draining := make(chan struct{})
	server := start(t, &web.Server{Draining: draining, Ready: func(context.Context) error { return nil }})
	if resp, body := server.get(t, "/readyz"); resp.StatusCode != http.StatusOK {
		t.Errorf("before: got %s %s, want 200", resp.Status, body)
	}
	close(draining)
	if resp, body := server.get(t, "/readyz"); resp.StatusCode != http.StatusServiceUnavailable || body != "stopping\n" {
		t.Errorf("while it drains: got %s %q, want 503 and stopping", resp.Status, body)
	}
	if resp, _ := server.get(t, "/healthz"); resp.StatusCode != http.StatusOK {
		t.Errorf("/healthz while it drains: got %s, want 200", resp.Status)
	}
}
