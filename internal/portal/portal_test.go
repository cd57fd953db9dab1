package portal_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"kartotek/internal/contract"
	"kartotek/internal/contract/elw"
	"kartotek/internal/contract/lochting"
	"kartotek/internal/contract/native"
	"kartotek/internal/portal"
	"kartotek/internal/web"
)

// contracts returns all contracts, without stores: the tests call no operation.
func contracts() []contract.Contract {
	return []contract.Contract{
		elw.New(elw.Settings{}),
		lochting.New(lochting.Settings{}),
		native.New(native.Settings{CursorSecret: make([]byte, 32)}),
	}
}

var demo = portal.Demo{
	Credentials: portal.Credentials{Login: "a-login", Password: "a-password", Key: "a-key"},
	Commands: func(url string) []portal.Command {
		return []portal.Command{{Title: "a title", Text: "curl " + url + "/try"}}
	},
}

// send sends a request to the documentation. header alternates names and values.
func send(t *testing.T, s portal.Settings, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	return sendTo(t, portal.Mounts(s), method, path, header...)
}

func sendTo(t *testing.T, mounts []web.Mount, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	w, r := httptest.NewRecorder(), httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	for _, m := range mounts {
		if r.URL.Path == m.Prefix || !m.Exact && strings.HasPrefix(r.URL.Path, m.Prefix) {
			m.Handler.ServeHTTP(w, r)
			return w
		}
	}
	t.Fatalf("%s has no mount", path)
	return nil
}

func TestPathsServeDocumentation(t *testing.T) {
	t.Parallel()
	const html, json = "text/html; charset=utf-8", "application/json"
	tests := map[string]struct {
		mediaType, text string
	}{
		"/":                             {html, `href="/docs"`},
		"/docs":                         {html, "Self-service API of the energy utility"},
		"/docs/":                        {html, "Self-service API of the energy utility"},
		"/docs/elw":                     {html, "Self-service API of the energy utility"},
		"/docs/lochting":                {html, "Lochting"},
		"/docs/native":                  {html, "own API (contract native)"},
		"/docs/elw/openapi.json":        {json, `"x-codeSamples"`},
		"/docs/elw/openapi.yaml":        {"application/yaml", "x-codeSamples:"},
		"/docs/elw/postman.json":        {json, `"{{baseUrl}}/api/customers/:customerId"`},
		"/docs/guides/first-change":     {html, "<h1>Your first change in five minutes</h1>"},
		"/docs/guides/partial-updates/": {html, `<th scope="col">absent</th>`},
		"/docs/guides/idempotency.md":   {"text/markdown; charset=utf-8", "# Idempotent retries"},
		"/docs/guides/concurrency":      {html, "curl -i -X PATCH"},
		"/docs/guides/postgresql":       {html, "kartotek copy"},
		"/llms.txt":                     {"text/plain; charset=utf-8", "- [Concurrent updates](/docs/guides/concurrency.md): What"},
	}
	mounts := portal.Mounts(portal.Settings{Contracts: contracts()})
	for path, want := range tests {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			got := sendTo(t, mounts, http.MethodGet, path)
			h := got.Header()
			if got.Code != http.StatusOK || h.Get("Content-Type") != want.mediaType || !strings.Contains(got.Body.String(), want.text) {
				t.Errorf("got status %d, %q and %.200s, want %q with %q", got.Code, h.Get("Content-Type"), got.Body, want.mediaType, want.text)
			}
			if !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("the security headers are missing: %v", h)
			}
			again := sendTo(t, mounts, http.MethodGet, path, "If-None-Match", h.Get("ETag"))
			if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
				t.Errorf("with its tag %s: got status %d and %d bytes", h.Get("ETag"), again.Code, again.Body.Len())
			}
			head := sendTo(t, mounts, http.MethodHead, path)
			if head.Code != http.StatusOK || head.Header().Get("ETag") != h.Get("ETag") {
				t.Errorf("HEAD: got status %d and tag %s", head.Code, head.Header().Get("ETag"))
			}
		})
	}
}

func TestOtherPathsReturn404AndOtherMethods405(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/docs/nonsense", http.StatusNotFound},
		{http.MethodGet, "/docsx", http.StatusNotFound},
		{http.MethodGet, "/docs//", http.StatusNotFound},
		{http.MethodGet, "/docs/assets/", http.StatusNotFound},
		{http.MethodGet, "/docs/assets/../../secret", http.StatusNotFound},
		{http.MethodGet, "/docs/ELW", http.StatusNotFound},
		{http.MethodGet, "/docs/%3Cscript%3E", http.StatusNotFound},
		{http.MethodGet, "/llms.txt.gz", http.StatusNotFound},
		{http.MethodPost, "/docs", http.StatusMethodNotAllowed},
		{http.MethodDelete, "/llms.txt", http.StatusMethodNotAllowed},
	} {
		got := send(t, portal.Settings{Contracts: contracts()}, tt.method, tt.path)
		if got.Code != tt.status || !strings.Contains(got.Body.String(), `href="/docs"`) || strings.Contains(got.Body.String(), "<script") {
			t.Errorf("%s %s: got status %d and %s, want %d", tt.method, tt.path, got.Code, got.Body, tt.status)
		}
		if (got.Header().Get("Allow") == "GET, HEAD") != (tt.status == http.StatusMethodNotAllowed) {
			t.Errorf("%s %s: got Allow %q", tt.method, tt.path, got.Header().Get("Allow"))
		}
	}
}

func TestFilesAreCompressedForClientsThatAcceptGzip(t *testing.T) {
	t.Parallel()
	mounts := portal.Mounts(portal.Settings{Contracts: contracts()})
	const path = "/docs/native/openapi.json"
	plain := sendTo(t, mounts, http.MethodGet, path)
	for accept, compressed := range map[string]bool{
		"":                         false,
		"gzip":                     true,
		"br, GZIP;q=0.5":           true,
		"deflate, gzip;q=0, br":    false,
		"identity;q=1, gzip;q=0.0": false,
		"xgzip":                    false,
	} {
		got := sendTo(t, mounts, http.MethodGet, path, "Accept-Encoding", accept)
		if (got.Header().Get("Content-Encoding") == "gzip") != compressed || got.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: got %v", accept, got.Header())
			continue
		}
		text := io.Reader(got.Body)
		if compressed {
			inflated, err := gzip.NewReader(text)
			if err != nil {
				t.Fatal(err)
			}
			text = inflated
		}
		if b, err := io.ReadAll(text); err != nil || string(b) != plain.Body.String() {
			t.Errorf("%q: got a different document, of %d bytes, %v", accept, len(b), err)
		}
	}
}

// TestGuideHasContentsAndNeighbours checks the links of the second guide.
func TestGuideHasContentsAndNeighbours(t *testing.T) {
	t.Parallel()
	got := send(t, portal.Settings{Contracts: contracts()}, http.MethodGet, "/docs/guides/partial-updates").Body.String()
	for _, want := range []string{
		`<li><a href="#native-null-clears">native: null clears</a></li>`,
		`<h2 id="native-null-clears">`,
		`<a href="/docs/guides/first-change" rel="prev">`,
		`<a href="/docs/guides/concurrency" rel="next">`,
		`<pre class="command"><code class="language-sh">curl`,
		`<pre class="output"><code class="language-http">HTTP/1.1 200 OK`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s, want %s in it", got, want)
		}
	}
}

// TestCommandsAreShownOnlyForADemo checks the start page.
func TestCommandsAreShownOnlyForADemo(t *testing.T) {
	t.Parallel()
	with := send(t, portal.Settings{Contracts: contracts(), Demo: demo}, http.MethodGet, "/").Body.String()
	without := send(t, portal.Settings{Contracts: contracts()}, http.MethodGet, "/").Body.String()
	if !strings.Contains(with, "curl ") || !strings.Contains(with, "<script>") || strings.Contains(without, "curl ") || strings.Contains(without, "demo") {
		t.Errorf("a demo has %s, another server has %s", with, without)
	}
}

// TestGuidesHaveCredentialsOnlyForADemo checks the pages and the files of all guides.
func TestGuidesHaveCredentialsOnlyForADemo(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("guides/*.md")
	if err != nil || len(files) < 5 {
		t.Fatalf("got the guides %q, %v", files, err)
	}
	for _, file := range files {
		_, slug, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".md"), "-")
		for _, path := range []string{"/docs/guides/" + slug, "/docs/guides/" + slug + ".md"} {
			with := send(t, portal.Settings{Contracts: contracts(), Demo: demo}, http.MethodGet, path).Body.String()
			without := send(t, portal.Settings{Contracts: contracts()}, http.MethodGet, path).Body.String()
			if strings.Contains(without, "demo-password") || strings.Contains(without, "kart_") {
				t.Errorf("%s has the demo's credentials on every server: %s", path, without)
			}
			calls := strings.Contains(with, "demo-password") || strings.Contains(with, "kart_")
			if calls != strings.Contains(without, "put in your own login") || strings.Contains(with, "put in your own login") {
				t.Errorf("%s must say that the commands are for the demo, but only on other servers: %s", path, without)
			}
		}
	}
}

// TestCredentialsAreFilledInOnlyForADemo checks every resource that can have them.
func TestCredentialsAreFilledInOnlyForADemo(t *testing.T) {
	t.Parallel()
	for path, secrets := range map[string][]string{
		"/docs/elw/postman.json":      {demo.Login, demo.Password},
		"/docs/lochting/postman.json": {demo.Key},
		"/docs/native/postman.json":   {demo.Key},
	} {
		with := send(t, portal.Settings{Contracts: contracts(), Demo: demo}, http.MethodGet, path).Body.String()
		without := send(t, portal.Settings{Contracts: contracts()}, http.MethodGet, path).Body.String()
		for _, secret := range secrets {
			if !strings.Contains(with, `"`+secret+`"`) || strings.Contains(without, secret) {
				t.Errorf("%s: %q must be in the collection of a demo, and in no other", path, secret)
			}
		}
	}
}
