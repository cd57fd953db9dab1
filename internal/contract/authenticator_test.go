package contract_test

import (
	"bytes"
	"log/slog"
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

// login logs in from an address and returns the kind of the fault, if any.
func login(t *testing.T, auth contract.Authenticator, remote string, forwarded []string, password string) fault.Kind {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = remote
	for _, f := range forwarded {
		r.Header.Add("X-Forwarded-For", f)
	}
	_, err := auth.ByPassword(httptest.NewRecorder(), r, "test", "kari", password)
	if err == nil {
		return ""
	}
	return fault.From(err).Kind
}

func TestClientIPBehindTrustedProxies(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	tests := map[string]struct {
		remote    string
		forwarded string // header lines, separated by "|"
		throttled bool   // whether the client IP is 203.0.113.9, which has too many failed logins
	}{
		"the address itself":                        {"203.0.113.9:1", "", true},
		"the address mapped to IPv6":                {"[::ffff:203.0.113.9]:1", "", true},
		"another address":                           {"203.0.113.8:1", "", false},
		"a proxy without the header":                {"10.1.1.1:1", "", false},
		"through a proxy":                           {"10.1.1.1:1", "203.0.113.9", true},
		"through a proxy mapped to IPv6":            {"[::ffff:10.1.1.1]:1", "203.0.113.9", true},
		"through an IPv6 proxy":                     {"[fd00::1]:1", "203.0.113.9", true},
		"with a port":                               {"10.1.1.1:1", "203.0.113.9:4711", true},
		"through two proxies":                       {"10.1.1.1:1", "203.0.113.9, 10.2.2.2", true},
		"through two proxies with two header lines": {"10.1.1.1:1", "203.0.113.9|10.2.2.2", true},
		"through IPv6 proxies in brackets":          {"10.1.1.1:1", "203.0.113.9, [fd00::2]:80,[fd00::3]", true},
		"a client that claims a proxy address":      {"10.1.1.1:1", "10.2.2.2, 203.0.113.9", true},
		"a client that claims another address":      {"10.1.1.1:1", "198.51.100.1, 203.0.113.9", true},
		"another client that claims the address":    {"10.1.1.1:1", "203.0.113.9, 198.51.100.1", false},
		"the header without a proxy":                {"198.51.100.1:1", "203.0.113.9", false},
		"a client that sends a malformed header":    {"10.1.1.1:1", "nonsense, 203.0.113.9", true},
		"a proxy that sends unknown":                {"10.1.1.1:1", "203.0.113.9, unknown", false},
		"only proxies":                              {"10.1.1.1:1", "10.3.3.3, 10.2.2.2", false},
		"an untrusted proxy":                        {"192.0.2.1:1", "203.0.113.9", false},
		"a connection without an address":           {"@", "203.0.113.9", false},
		"a proxy that sends empty elements":         {"10.1.1.1:1", " , ", false},
	}
	auth := contracttest.NewFixture(t).Authenticator
	auth.Proxies = proxies
	for range 10 {
		login(t, auth, "203.0.113.9:2", nil, "guess")
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var want fault.Kind
			if tt.throttled {
				want = fault.RateLimited
			}
			if got := login(t, auth, tt.remote, strings.Split(tt.forwarded, "|"), "sommerregn"); got != want {
				t.Errorf("from %s, for %q: got %q, want %q", tt.remote, tt.forwarded, got, want)
			}
		})
	}
}

func TestAuthenticatorSetsContractAndLimitsRate(t *testing.T) {
	t.Parallel()
	auth := contracttest.NewFixture(t).Authenticator
	w := httptest.NewRecorder()
	actor, err := auth.ByPassword(w, httptest.NewRequest(http.MethodGet, "/", nil), "test", "kari", "sommerregn")
	if err != nil || actor.ID != "acc_kari" || actor.Contract != "test" || len(w.Header()) != 0 {
		t.Errorf("got %+v, %v and %v, want kari in contract test, and no headers", actor, err, w.Header())
	}
	auth.Limits = access.NewRateLimits(1, 1, 1_000_000, contracttest.NewFixture(t).Now)
	_, _ = auth.ByPassword(w, httptest.NewRequest(http.MethodGet, "/", nil), "test", "kari", "sommerregn") // uses up the burst
	actor, err = auth.ByPassword(w, httptest.NewRequest(http.MethodGet, "/", nil), "test", "kari", "sommerregn")
	if !fault.Is(err, fault.RateLimited) || actor.Name != "" {
		t.Errorf("over the limit: got %+v, %v, want no actor and rate-limited", actor, err)
	}
}

func TestFailedLoginsAreLoggedWithoutTheLogin(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	auth := contracttest.NewFixture(t).Authenticator
	auth.Log = slog.New(slog.NewJSONHandler(&log, nil))
	login(t, auth, "203.0.113.9:2", nil, "sommerregn")
	if log.Len() > 0 {
		t.Errorf("a right password: logged %s", &log)
	}
	for range 11 {
		login(t, auth, "203.0.113.9:2", nil, "guess")
	}
	login(t, auth, "203.0.113.9:2", nil, "another guess")
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 12 {
		t.Fatalf("got %d lines, want 12:\n%s", len(lines), &log)
	}
	hash := `"login_hash":"` + auth.Directory.LoginHash("kari") + `"`
	for i, line := range lines {
		kind := `"fault":"unauthenticated"`
		if i >= 10 {
			kind = `"fault":"rate-limited"`
		}
		if !strings.Contains(line, `"address":"203.0.113.9"`) || !strings.Contains(line, hash) || !strings.Contains(line, kind) ||
			strings.Contains(line, "kari") || strings.Contains(line, "guess") {
			t.Errorf("line %d: got %s, want the address, the hash and %s", i+1, line, kind)
		}
	}
}
