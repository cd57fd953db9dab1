package web_test

import (
	"net/http"
	"strings"
	"testing"

	"kartotek/internal/web"
)

func TestPagesOfAllowedOriginsCanSendRequests(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{
		CORSOrigins: []string{"https://app.example.com"},
		Mounts: mount(func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("ETag", `"1"`)
			return web.Write(w, http.StatusOK, nil)
		}),
	})
	request := func(method, origin string, headers ...string) *http.Response {
		text := method + " /t/x HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
		for _, h := range append(headers, "Origin: "+origin) {
			text += h + "\r\n"
		}
		resp, _ := server.do(t, text+"\r\n")
		return resp
	}
	preflight := []string{"Access-Control-Request-Method: PATCH", "Access-Control-Request-Headers: authorization,content-type,if-match"}

	resp := request(http.MethodOptions, "https://app.example.com", preflight...)
	h := resp.Header
	if resp.StatusCode != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != "https://app.example.com" ||
		h.Get("Access-Control-Allow-Methods") != "PATCH" || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "if-match") {
		t.Errorf("preflight: got %s and %v, want 204 and the permission", resp.Status, h)
	}
	resp = request(http.MethodGet, "https://app.example.com")
	if h := resp.Header; resp.StatusCode != http.StatusOK || h.Get("Access-Control-Allow-Origin") != "https://app.example.com" ||
		!strings.Contains(strings.ToLower(h.Get("Access-Control-Expose-Headers")), "etag") || !strings.Contains(h.Get("Vary"), "Origin") {
		t.Errorf("GET: got %s and %v, want 200, the permission, ETag and Vary", resp.Status, h)
	}
	for _, origin := range []string{"https://evil.example.com", "http://app.example.com", "https://app.example.com.evil.com", "null"} {
		for _, resp := range []*http.Response{request(http.MethodOptions, origin, preflight...), request(http.MethodGet, origin)} {
			if allowed := resp.Header.Get("Access-Control-Allow-Origin"); allowed != "" {
				t.Errorf("%s from %s: got permission for %s, want none", resp.Request.Method, origin, allowed)
			}
		}
	}
}

func TestOriginsAreRejectedByDefault(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{})
	resp, _ := server.do(t, "GET /healthz HTTP/1.1\r\nHost: test\r\nOrigin: https://app.example.com\r\nConnection: close\r\n\r\n")
	if resp.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("got %v, want no permission", resp.Header)
	}
}

func TestCheckOrigin(t *testing.T) {
	t.Parallel()
	for _, origin := range []string{"*", "https://app.example.com", "http://localhost:3000", "https://[::1]:8443"} {
		if err := web.CheckOrigin(origin); err != nil {
			t.Errorf("%s: got %v, want no error", origin, err)
		}
	}
	for _, origin := range []string{"", "app.example.com", "https://app.example.com/", "https://app.example.com/x", "ftp://x", "https://", "https://u@x", "https://*.example.com?"} {
		if err := web.CheckOrigin(origin); err == nil {
			t.Errorf("%s: got no error", origin)
		}
	}
}

// TestHalfClosedClientGetsItsResponse sends a request and the end of its side of the connection, as
// "nc -N" does.
func TestHalfClosedClientGetsItsResponse(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{Mounts: mount(func(w http.ResponseWriter, r *http.Request) error {
		select {
		case <-web.Disconnected(r):
		case <-r.Context().Done():
			t.Error("the context ended with the client's side of the connection")
		}
		return web.Write(w, http.StatusOK, []byte("hello"))
	})})
	c := server.dial(t)
	c.send(t, "GET /t/x HTTP/1.1\r\nHost: test\r\n\r\n")
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if resp, body := c.response(t, http.MethodGet); resp.StatusCode != http.StatusOK || body != "hello" {
		t.Errorf("got %s %q, want 200 hello", resp.Status, body)
	}
}
