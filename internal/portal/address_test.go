package portal_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kartotek/internal/portal"
)

// TestTextsHaveAddressOfServer checks every resource with addresses, for requests to several hosts.
func TestTextsHaveAddressOfServer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		url, host string
		encrypted bool
		want      string
	}{
		"the host of the request":    {host: "api.example.org", want: "http://api.example.org"},
		"another port":               {host: "127.0.0.1:9001", want: "http://127.0.0.1:9001"},
		"IPv6":                       {host: "[::1]:9001", want: "http://[::1]:9001"},
		"TLS":                        {host: "api.example.org", encrypted: true, want: "https://api.example.org"},
		"configured":                 {url: "https://api.example.com", host: "10.0.0.7:8080", want: "https://api.example.com"},
		"a host that a shell runs":   {host: "a'$(reboot)", want: "http://127.0.0.1:8080"},
		"a host that is HTML":        {host: "<b>", want: "http://127.0.0.1:8080"},
		"no host":                    {host: "", want: "http://127.0.0.1:8080"},
		"a host with a user and key": {host: "kari:x@example.org", want: "http://127.0.0.1:8080"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			handler := portal.Mounts(portal.Settings{Contracts: contracts(), URL: tt.url, Demo: demo})[0].Handler
			for path, text := range map[string]string{
				"/":                           "curl {url}/try",
				"/docs/guides/first-change":   "curl -i -u kari:demo-password {url}/api/customers/42",
				"/docs/guides/idempotency.md": "{url}/v1/customers",
				"/docs/native/openapi.json":   `"servers":[{"url":"{url}"}]`,
				"/docs/native/openapi.yaml":   "url: {url}\n",
				"/docs/elw/openapi.json":      `{url}/api/customers/42`,
				"/docs/lochting/postman.json": `{"key":"baseUrl","value":"{url}",`,
			} {
				r, w := httptest.NewRequest(http.MethodGet, path, nil), httptest.NewRecorder()
				r.Host = tt.host
				if tt.encrypted {
					r.TLS = &tls.ConnectionState{}
				}
				handler.ServeHTTP(w, r)
				got := w.Body.String()
				if want := strings.ReplaceAll(text, "{url}", tt.want); !strings.Contains(got, want) {
					t.Errorf("%s: got %.500s, want %s in it", path, got, want)
				}
				if tt.want != "http://127.0.0.1:8080" && strings.Contains(got, "http://127.0.0.1:8080") {
					t.Errorf("%s has another address", path)
				}
			}
		})
	}
}

func TestServerURLHasOnlySchemeAndHost(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"https://api.example.com":       true,
		"http://127.0.0.1:8080":         true,
		"http://[::1]:8080":             true,
		"api.example.com":               false,
		"ftp://api.example.com":         false,
		"https://":                      false,
		"https://api.example.com/":      false,
		"https://api.example.com/path":  false,
		"https://user@api.example.com":  false,
		"https://api.example.com:":      false,
		"https://api.example.com?a=b":   false,
		"https://api.example.com'; ls ": false,
	} {
		if got := portal.IsServerURL(text); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}
