package contract_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kartotek/internal/contract"
	"kartotek/internal/contract/contracttest"
	"kartotek/internal/contract/elw"
	"kartotek/internal/contract/lochting"
	"kartotek/internal/contract/native"
	"kartotek/internal/web"
)

// TestRequestLogHasCallerAndCustomer checks that the log tells which account or key changed which
// customer, without personal data.
func TestRequestLogHasCallerAndCustomer(t *testing.T) {
	t.Parallel()
	f := contracttest.NewFixture(t)
	contracts := map[string]contract.Contract{
		"elw":      elw.New(elw.Settings{Customers: f.Customers, Authenticator: f.Authenticator, Idempotency: f.Idempotency, Now: f.Now}),
		"lochting": lochting.New(lochting.Settings{Customers: f.Customers, Authenticator: f.Authenticator, Idempotency: f.Idempotency}),
		"native":   native.New(native.Settings{Customers: f.Customers, Authenticator: f.Authenticator, Idempotency: f.Idempotency, Registry: f.Registry, CursorSecret: make([]byte, 32), Now: f.Now}),
	}
	const id = "0195e3a0-0000-7000-8000-000000000042"
	for _, tt := range []struct {
		contract, path string
		login          bool
		want           []string
	}{
		{"elw", "/api/customers/42", true, []string{`"tenant":"hafslund"`, `"actor":"acc_kari"`, `"customer":"42"`}},
		{"elw", "/api/customers/43", true, []string{`"tenant":"hafslund"`, `"actor":"acc_kari"`, `"customer":"43"`, `"fault":"forbidden"`}},
		{"elw", "/api/customers/42", false, nil},
		{"lochting", "/public/v1/customer/customer-" + id, true, []string{`"tenant":"hafslund"`, `"actor":"key_`, `"customer":"` + id + `"`}},
		{"native", "/v1/customers/42", true, []string{`"tenant":"hafslund"`, `"actor":"key_`, `"customer":"42"`}},
		{"native", "/v1/customers/" + strings.ToUpper(id), true, []string{`"tenant":"hafslund"`, `"customer":"` + id + `"`}},
		{"native", "/v1/customers/kari.nordmann", true, []string{`"tenant":"hafslund"`, `"fault":"not-found"`}},
		{"native", "/v1/customers?q=kari", true, []string{`"tenant":"hafslund"`}},
	} {
		var log bytes.Buffer
		server := web.Server{Mounts: []web.Mount{contracts[tt.contract].Mount()}, Metrics: web.NewMetrics(), Log: slog.New(slog.NewJSONHandler(&log, nil)), MaxBody: 1000}
		r := httptest.NewRequest(http.MethodGet, tt.path, nil)
		r.RemoteAddr = "203.0.113.9:4711"
		switch key := f.Key("writer"); {
		case !tt.login:
			r.SetBasicAuth("kari", "wrong")
		case tt.contract == "elw":
			r.SetBasicAuth("kari", "sommerregn")
		case tt.contract == "lochting":
			r.Header.Set("Authorization", key)
		default:
			r.Header.Set("Authorization", "Bearer "+key)
		}
		server.Handler().ServeHTTP(httptest.NewRecorder(), r)
		for _, part := range append(tt.want, `"address":"203.0.113.9"`) {
			if !strings.Contains(log.String(), part) {
				t.Errorf("GET %s: the log lacks %s: %s", tt.path, part, &log)
			}
		}
		if line := log.String(); strings.Contains(strings.ReplaceAll(line, "acc_kari", ""), "kari") || !tt.login && strings.Contains(line, `"actor"`) {
			t.Errorf("GET %s: got %s, want no login and no text of the client", tt.path, line)
		}
	}
}
