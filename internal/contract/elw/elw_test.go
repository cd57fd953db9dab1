package elw_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/contract"
	"kartotek/internal/contract/contracttest"
	"kartotek/internal/contract/elw"
)

func start(w contracttest.Fixture) contract.Contract {
	return elw.New(elw.Settings{
		Customers:     w.Customers,
		Authenticator: w.Authenticator,
		Idempotency:   w.Idempotency,
		Now:           w.Now,
		ConfirmAfter:  8760 * time.Hour,
	})
}

func TestTranscripts(t *testing.T) {
	t.Parallel()
	always := http.Header{"Cache-Control": {"no-cache, no-store"}, "Pragma": {"no-cache"}, "Expires": {"-1"}}
	contracttest.Replay(t, always, start)
}

func TestEveryFaultHasAnErrorResponse(t *testing.T) {
	t.Parallel()
	contracttest.CheckErrors(t, start(contracttest.Fixture{}), "HttpError")
}

// TestPhoneCanBeInteger is no transcript: the document has text only, because many client generators
// fail on a property with two types.
func TestPhoneCanBeInteger(t *testing.T) {
	t.Parallel()
	fixture := contracttest.NewFixture(t)
	r := httptest.NewRequest(http.MethodPatch, "/api/customers/42", strings.NewReader(`{"PhoneNumber":12345678}`))
	r.SetBasicAuth("service", "sommerregn")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	fixture.Handler(start(fixture)).ServeHTTP(w, r)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"PhoneNumber":"12345678"`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// TestLatin1CredentialsAreAccepted logs in with letters beyond ASCII, in UTF-8 and as older clients
// encode them.
func TestLatin1CredentialsAreAccepted(t *testing.T) {
	t.Parallel()
	fixture := contracttest.NewFixture(t)
	account, err := access.NewAccount("hafslund", "åse", "smørbrød", access.OnlyCustomers(42), fixture.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := fixture.Registry.AddAccount(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	h := fixture.Handler(start(fixture))
	for credentials, want := range map[string]int{
		"åse:smørbrød":                http.StatusOK,
		"\xe5se:sm\xf8rbr\xf8d":       http.StatusOK,
		"\xe5se:sm\xf8rbr\xf8\xf0":    http.StatusUnauthorized,
		"a\u030ase:smørbrød":          http.StatusOK,
		"åse:sm\u00c3\u00b8rbrød\x80": http.StatusUnauthorized,
	} {
		r := httptest.NewRequest(http.MethodGet, "/api/customers/42", nil)
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(credentials)))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: got %d, want %d", credentials, w.Code, want)
		}
	}
}

// TestOldDatesAreAcceptedInIgnoredProperties sends whole objects with dates as .NET wrote them before
// ISO 8601, in a property that the operation ignores.
func TestOldDatesAreAcceptedInIgnoredProperties(t *testing.T) {
	t.Parallel()
	for date, want := range map[string]int{
		`"\/Date(-57542400000)\/"`: http.StatusOK, `"/Date(1700000000000+0100)/"`: http.StatusOK, `"/Date(0)/"`: http.StatusOK,
		`"/Date()/"`: http.StatusBadRequest, `"/Date(x)/"`: http.StatusBadRequest, `"Date(1)"`: http.StatusBadRequest, `"/Date(1)/x"`: http.StatusBadRequest,
	} {
		fixture := contracttest.NewFixture(t)
		r := httptest.NewRequest(http.MethodPatch, "/api/customers/42", strings.NewReader(`{"BirthDate":`+date+`,"PhoneNumber":"22334466"}`))
		r.SetBasicAuth("kari", "sommerregn")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		fixture.Handler(start(fixture)).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: got %d %s, want %d", date, w.Code, w.Body, want)
		}
	}
}
