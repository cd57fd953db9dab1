package web_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kartotek/internal/web"
)

func TestOperatorEndpoints(t *testing.T) {
	t.Parallel()
	const get, head, post = "GET", "HEAD", "POST"
	ok := func(context.Context) error { return nil }
	down := func(context.Context) error { return errors.New("no disk") }
	tests := map[string]struct {
		ready        func(context.Context) error
		method, path string
		want         string
	}{
		"healthy":                     {ok, get, "/healthz", "200 ok\n"},
		"healthy without the store":   {down, get, "/healthz", "200 ok\n"},
		"ready":                       {ok, get, "/readyz", "200 ready\n"},
		"not ready without the store": {down, get, "/readyz", "503 not ready\n"},
		"a query is ignored":          {ok, get, "/healthz?x", "200 ok\n"},
		"HEAD /healthz":               {ok, head, "/healthz", "200 "},
		"HEAD /readyz":                {down, head, "/readyz", "503 "},
		"POST /healthz":               {ok, post, "/healthz", "405 allowed methods: GET, HEAD\n"},
		"POST /readyz":                {ok, post, "/readyz", "405 allowed methods: GET, HEAD\n"},
		"POST /metrics":               {ok, post, "/metrics", "405 allowed methods: GET, HEAD\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t, &web.Server{Ready: tt.ready})
			resp, body := server.do(t, tt.method+" "+tt.path+" HTTP/1.1\r\nHost: test\r\n\r\n")
			if got := fmt.Sprint(resp.StatusCode, " ", body); got != tt.want {
				t.Errorf("%s %s: got %q, want %q", tt.method, tt.path, got, tt.want)
			}
			if got := resp.Header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
				t.Errorf("Content-Type: got %q, want text", got)
			}
			if got := resp.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control: got %q, want no-store", got)
			}
			if got := resp.Header.Get("Allow"); (got == "GET, HEAD") != (resp.StatusCode == http.StatusMethodNotAllowed) {
				t.Errorf("Allow: got %q with %s", got, resp.Status)
			}
			if line := server.log.line(t); line["contract"] != "operator" || (line["error"] == "no disk") != (resp.StatusCode == http.StatusServiceUnavailable) {
				t.Errorf("log: got %v, want contract operator, and the error when not ready", line)
			}
		})
	}
}

func TestMetricsCountByContractOperationAndStatus(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{MaxBody: 10, Mounts: mount(measure)})
	for _, request := range []string{whole(3), whole(4), whole(11), "GET /x HTTP/1.1\r\nHost: test\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"} {
		server.do(t, request)
	}
	resp, body := server.get(t, "/metrics")
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("Content-Type: got %q, want text", resp.Header.Get("Content-Type"))
	}
	for _, want := range []string{
		`kartotek_http_requests_total{contract="test",operation="act",status="200"} 2`,
		`kartotek_http_requests_total{contract="test",operation="act",status="413"} 1`,
		`kartotek_http_requests_total{contract="none",operation="none",status="404"} 1`,
		`kartotek_http_requests_total{contract="operator",operation="health",status="200"} 1`,
		`kartotek_http_request_duration_seconds_count{contract="test",operation="act"} 3`,
		`kartotek_http_request_duration_seconds_bucket{contract="test",operation="act",le="10"} 3`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("metrics lack %s:\n%s", want, body)
		}
	}
}

func TestMountsServeTheirPrefixes(t *testing.T) {
	t.Parallel()
	respond := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
	}
	server := start(t, &web.Server{Mounts: []web.Mount{
		{Prefix: "/api/", FoldCase: true, Handler: respond("folds")},
		{Prefix: "/public/", Handler: respond("exact")},
	}})
	const unknown = "not found; known prefixes: /api/, /public/\n"
	for path, want := range map[string]string{
		"/api/":              "folds",
		"/api/x/y":           "folds",
		"/API/x":             "folds",
		"/aPi//x":            "folds",
		"/public/":           "exact",
		"/public/x":          "exact",
		"/%70ublic/x":        "exact",
		"/Public/x":          unknown,
		"/api":               unknown,
		"/public":            unknown,
		"/apis/x":            unknown,
		"/":                  unknown,
		"/x":                 unknown,
		"//api/x":            unknown,
		"/./api/x":           unknown,
		"/x/../healthz":      unknown,
		"//healthz":          unknown,
		"/healthz/":          unknown,
		"/healthz%2F":        unknown,
		"/HEALTHZ":           unknown,
		"http://other/x":     unknown,
		"http://other/api/x": "folds",
	} {
		resp, body := server.get(t, path)
		if body != want || (resp.StatusCode == http.StatusNotFound) != (want == unknown) {
			t.Errorf("%s: got %s %q, want %q", path, resp.Status, body, want)
		}
		if want == unknown && resp.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: got the type %q, want text", path, resp.Header.Get("Content-Type"))
		}
	}
	resp, body := server.do(t, "HEAD /x HTTP/1.1\r\nHost: test\r\n\r\n")
	if resp.StatusCode != http.StatusNotFound || body != "" || resp.ContentLength != int64(len(unknown)) {
		t.Errorf("HEAD: got %s %q, want 404 without a body", resp.Status, body)
	}
}

func TestHeadHasHeadersOfGet(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{Mounts: mount(hello)})
	resp, body := server.do(t, "HEAD /t/ HTTP/1.1\r\nHost: test\r\n\r\n")
	if resp.StatusCode != http.StatusOK || resp.ContentLength != 5 || body != "" {
		t.Errorf("HEAD: got %s, Content-Length %d, body %q; want 200, 5 and no body", resp.Status, resp.ContentLength, body)
	}
}

func TestSlowHeaderClosesConnection(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{Timeouts: web.Timeouts{ReadHeader: 100 * time.Millisecond}})
	c := server.dial(t)
	c.send(t, "GET /healthz HTTP/1.1\r\nHost:")
	if text, err := io.ReadAll(c.in); len(text) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("response: got %q, %v, want a closed connection", text, err)
	}
}

func TestIdleConnectionIsClosed(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{Timeouts: web.Timeouts{Idle: 50 * time.Millisecond}})
	c := server.dial(t)
	c.send(t, "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n")
	c.response(t, http.MethodGet)
	if text, err := io.ReadAll(c.in); err != nil || len(text) > 0 {
		t.Errorf("then: got %q, %v, want a closed connection", text, err)
	}
}

// startWithRequest starts a server with one request in progress, which ends after release is
// called.
func startWithRequest(t *testing.T, p web.Timeouts) (server *running, inFlight conn, release func()) {
	t.Helper()
	entered, released := make(chan struct{}), make(chan struct{})
	server = start(t, &web.Server{
		Ready:    func(context.Context) error { return nil },
		Timeouts: p,
		Mounts: mount(func(w http.ResponseWriter, r *http.Request) error {
			close(entered)
			<-released
			if err := r.Context().Err(); err != nil {
				return err
			}
			return hello(w, r)
		}),
	})
	inFlight = server.dial(t)
	inFlight.send(t, "GET /t/ HTTP/1.1\r\nHost: test\r\n\r\n")
	<-entered
	return server, inFlight, func() { close(released) }
}

func (r *running) isClosed() bool {
	c, err := net.DialTimeout("tcp", r.addr, waitLimit)
	if err == nil {
		c.Close()
	}
	return err != nil
}

func TestShutdownFinishesRequestsInProgress(t *testing.T) {
	t.Parallel()
	server, inFlight, release := startWithRequest(t, web.Timeouts{})
	server.cancel()
	eventually(t, "closing the port", server.isClosed)
	release()
	if resp, body := inFlight.response(t, http.MethodGet); resp.StatusCode != 200 || body != "hello" {
		t.Errorf("the request in progress: got %s %q, want its response", resp.Status, body)
	}
	if err := server.stop(); err != nil {
		t.Errorf("Run: got %v, want nil", err)
	}
}

func TestShutdownTimesOut(t *testing.T) {
	t.Parallel()
	server, _, release := startWithRequest(t, web.Timeouts{Shutdown: 50 * time.Millisecond})
	defer release()
	if err := server.stop(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run: got %v, want deadline exceeded", err)
	}
}

func TestIdleServerStopsImmediately(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{})
	resp, err := server.client.Get("http://" + server.addr + "/healthz") // its connection stays open
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	began := time.Now()
	if err := server.stop(); err != nil || time.Since(began) > 5*time.Second {
		t.Errorf("Run: got %v after %v, want nil immediately", err, time.Since(began))
	}
	if !server.isClosed() {
		t.Error("the port is still open")
	}
}

func TestServerStopsBeforeItListens(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{})
	if err := server.stop(); err != nil { // usually before the server listens
		t.Errorf("Run: got %v, want nil", err)
	}
	if !server.isClosed() {
		t.Error("the port is still open")
	}
}

func TestServerServesTLS(t *testing.T) {
	t.Parallel()
	cert, key, roots := certificate(t)
	server := start(t, &web.Server{TLSCert: cert, TLSKey: key, Mounts: mount(measure), MaxBody: 1000})
	for _, http2 := range []bool{false, true} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: http2}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport, Timeout: waitLimit}
		for size, want := range map[int]string{1000: "200 1000", 1001: "413 too-large", 10 << 20: "413 too-large"} {
			resp, err := client.Post("https://"+server.addr+"/t/", "text/plain", strings.NewReader(strings.Repeat("x", size)))
			if err != nil {
				t.Errorf("%d bytes: %v", size, err)
				continue
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if got := fmt.Sprint(resp.StatusCode, " ", string(body)); err != nil || got != want {
				t.Errorf("%d bytes: got %q, %v, want %q", size, got, err, want)
			}
			if (resp.ProtoMajor == 2) != http2 {
				t.Errorf("protocol: got %s, want HTTP/2: %v", resp.Proto, http2)
			}
		}
	}
}

func TestServerReadsChangedCertificate(t *testing.T) {
	t.Parallel()
	cert, key, roots := certificate(t)
	server := start(t, &web.Server{TLSCert: cert, TLSKey: key, Mounts: mount(measure), MaxBody: 1000})
	connect := func(roots *x509.CertPool) error {
		conn, err := tls.Dial("tcp", server.addr, &tls.Config{RootCAs: roots})
		if err == nil {
			err = conn.Close()
		}
		return err
	}
	if err := connect(roots); err != nil {
		t.Fatal(err)
	}
	renewedCert, renewedKey, renewedRoots := certificate(t)
	for from, to := range map[string]string{renewedKey: key, renewedCert: cert} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(cert, time.Now(), time.Now().Add(time.Minute)); err != nil { // file systems round times
		t.Fatal(err)
	}
	deadline := time.Now().Add(waitLimit)
	for connect(renewedRoots) != nil {
		if time.Now().After(deadline) {
			t.Fatal("the server still has the old certificate")
		}
		time.Sleep(50 * time.Millisecond)
	}

	if err := os.WriteFile(cert, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // until the next check
	if err := connect(renewedRoots); err != nil {
		t.Errorf("after the file was damaged: %v", err)
	}
}

func TestServerSpeaksHTTP2WithoutTLS(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{Mounts: mount(measure), MaxBody: 1000})
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport, Timeout: waitLimit}).Post("http://"+server.addr+"/t/", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.ProtoMajor != 2 || resp.StatusCode != http.StatusOK {
		t.Errorf("got %s over %s", resp.Status, resp.Proto)
	}
}

func TestLargeHeaderReturns431(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{Mounts: mount(measure), MaxBody: 1000})
	for size, want := range map[int]int{15 << 10: http.StatusOK, 32 << 10: http.StatusRequestHeaderFieldsTooLarge} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+server.addr+"/t/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Padding", strings.Repeat("x", size))
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%d bytes: got %d, want %d", size, resp.StatusCode, want)
		}
	}
}

func TestServerFailsWithoutCertificate(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{TLSCert: filepath.Join(t.TempDir(), "none.pem"), TLSKey: "none.pem"})
	if err := server.stop(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Run: got %v, want file not found", err)
	}
	if !server.isClosed() {
		t.Error("the port is still open")
	}
}

// certificate writes a new certificate for 127.0.0.1 and returns its files and a pool that trusts
// it.
func certificate(t *testing.T) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(public)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(parsed)
	return pemFile(t, "CERTIFICATE", public), pemFile(t, "PRIVATE KEY", secret), roots
}

func pemFile(t *testing.T, kind string, der []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), kind+".pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
