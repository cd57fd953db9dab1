package contract_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"kartotek/internal/access"
	"kartotek/internal/contract"
	"kartotek/internal/contract/contracttest"
	"kartotek/internal/fault"
)

// knock is a login from an address.
func knock(t *testing.T, gate contract.Authenticator, remote string, forwarded []string, password string) fault.Kind {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = remote
	for _, f := range forwarded {
		r.Header.Add("X-Forwarded-For", f)
	}
	_, err := gate.ByPassword(httptest.NewRecorder(), r, "test", "kari", password)
	if err == nil {
		return ""
	}
	return fault.From(err).Kind
}

func TestCallersBehindATrustedProxyAreToldApart(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	tests := map[string]struct {
		remote    string
		forwarded string // lines parted by "|"
		same      bool   // whether it is where the one comes from who failed too often, 203.0.113.9
	}{
		"the address itself":                     {"203.0.113.9:1", "", true},
		"as IPv6 tells it":                       {"[::ffff:203.0.113.9]:1", "", true},
		"another address":                        {"203.0.113.8:1", "", false},
		"a proxy that says nothing":              {"10.1.1.1:1", "", false},
		"through a proxy":                        {"10.1.1.1:1", "203.0.113.9", true},
		"through a proxy that is told as IPv6":   {"[::ffff:10.1.1.1]:1", "203.0.113.9", true},
		"through a proxy of IPv6":                {"[fd00::1]:1", "203.0.113.9", true},
		"with a port":                            {"10.1.1.1:1", "203.0.113.9:4711", true},
		"through two proxies":                    {"10.1.1.1:1", "203.0.113.9, 10.2.2.2", true},
		"through two that write a line each":     {"10.1.1.1:1", "203.0.113.9|10.2.2.2", true},
		"through a proxy of IPv6, in brackets":   {"10.1.1.1:1", "203.0.113.9, [fd00::2]:80,[fd00::3]", true},
		"who says that he is a proxy":            {"10.1.1.1:1", "10.2.2.2, 203.0.113.9", true},
		"who says that he is another":            {"10.1.1.1:1", "198.51.100.1, 203.0.113.9", true},
		"who says that he is the one":            {"10.1.1.1:1", "203.0.113.9, 198.51.100.1", false},
		"who says so without a proxy":            {"198.51.100.1:1", "203.0.113.9", false},
		"the one, who says nonsense":             {"10.1.1.1:1", "nonsense, 203.0.113.9", true},
		"a proxy that does not know its caller":  {"10.1.1.1:1", "203.0.113.9, unknown", false},
		"proxies all the way":                    {"10.1.1.1:1", "10.3.3.3, 10.2.2.2", false},
		"a proxy that nobody trusts":             {"192.0.2.1:1", "203.0.113.9", false},
		"a connection without an address":        {"@", "203.0.113.9", false},
		"a proxy that sends the header unfilled": {"10.1.1.1:1", " , ", false},
	}
	gate := contracttest.NewFixture(t).Authenticator
	gate.Proxies = proxies
	for range 10 {
		knock(t, gate, "203.0.113.9:2", nil, "guess")
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var want fault.Kind
			if tt.same {
				want = fault.RateLimited
			}
			if got := knock(t, gate, tt.remote, strings.Split(tt.forwarded, "|"), "sommerregn"); got != want {
				t.Errorf("from %s, for %q: got %q, want %q", tt.remote, tt.forwarded, got, want)
			}
		})
	}
}

func TestWhatIsAdmittedIsSigned(t *testing.T) {
	t.Parallel()
	gate := contracttest.NewFixture(t).Authenticator
	w := httptest.NewRecorder()
	by, err := gate.ByPassword(w, httptest.NewRequest(http.MethodGet, "/", nil), "test", "kari", "sommerregn")
	if err != nil || by.Name != "account:kari" || by.Contract != "test" || len(w.Header()) != 0 {
		t.Errorf("got %+v, %v and %v, want kari through test, and no headers", by, err, w.Header())
	}
	gate.Limits = access.NewRateLimits(1, 1, contracttest.NewFixture(t).Now)
	_, _ = gate.ByPassword(w, httptest.NewRequest(http.MethodGet, "/", nil), "test", "kari", "sommerregn") // spends it
	by, err = gate.ByPassword(w, httptest.NewRequest(http.MethodGet, "/", nil), "test", "kari", "sommerregn")
	if !fault.Is(err, fault.RateLimited) || by.Name != "" {
		t.Errorf("without a token: got %+v, %v, want nobody, limited", by, err)
	}
}
