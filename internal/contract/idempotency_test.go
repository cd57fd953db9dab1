package contract_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"kartotek/internal/access"
	"kartotek/internal/contract"
	"kartotek/internal/contract/contracttest"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/web"
)

var partner = access.Actor{Tenant: "hafslund", ID: "key_partner", Customers: access.AllCustomers(), Scopes: access.Scopes()}

// failKind responds with the kind of the fault.
func failKind(w http.ResponseWriter, _ *http.Request, f *fault.Fault) {
	_ = web.Write(w, http.StatusTeapot, []byte(f.Kind))
}

func allow(*http.Request, access.Actor) error { return nil }

// idempotent serves f to an actor with the idempotency middleware.
func idempotent(middleware *contract.IdempotencyMiddleware, actor access.Actor, f contract.MutatingHandler) http.Handler {
	return handlerWith(middleware, actor, allow, f)
}

func handlerWith(middleware *contract.IdempotencyMiddleware, actor access.Actor, authorize contract.Authorize, f contract.MutatingHandler) http.Handler {
	return web.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return middleware.Handle(w, r, actor, failKind, authorize, f)
	}, failKind)
}

// countingUpdate sets a new phone for customer 42 in each run, and responds with it.
func countingUpdate(fixture contracttest.Fixture, runs *int) contract.MutatingHandler {
	return func(w http.ResponseWriter, r *http.Request, actor access.Actor, idem *contract.Idempotency) error {
		*runs++
		phone := fmt.Sprint(1000 + *runs)
		respond := func(w http.ResponseWriter, ch customer.Change) error {
			return web.Write(w, http.StatusOK, []byte(ch.After.Phone))
		}
		ch, err := fixture.Customers.Update(r.Context(), actor, customer.ByNumber(actor.Tenant, 42), func(c *customer.Customer) error {
			c.Phone = phone
			return nil
		}, idem.Record(respond))
		if err != nil {
			return err
		}
		return respond(w, ch)
	}
}

// send sends a PATCH with an idempotency key and headers "Name: value", and returns the response
// body.
func send(h http.Handler, key, target, body string, headers ...string) string {
	r := httptest.NewRequest(http.MethodPatch, target, strings.NewReader(body))
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Header().Get("Idempotency-Replayed") == "true" {
		return "replay of " + w.Body.String()
	}
	return w.Body.String()
}

func check(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestConcurrentRetryReturnsInProgress(t *testing.T) {
	t.Parallel()
	fixture := contracttest.NewFixture(t)
	runs := 0
	change := countingUpdate(fixture, &runs)
	started, release := make(chan bool), make(chan bool)
	slow := func(w http.ResponseWriter, r *http.Request, actor access.Actor, idem *contract.Idempotency) error {
		close(started)
		<-release
		return change(w, r, actor, idem)
	}
	first := make(chan string)
	go func() { first <- send(idempotent(fixture.Idempotency, partner, slow), "k", "/a", "x") }() // ends with release
	<-started
	h := idempotent(fixture.Idempotency, partner, change)
	check(t, "the same request", send(h, "k", "/a", "x"), "idempotency-in-progress")
	check(t, "another request with the key", send(h, "k", "/b", "y"), "idempotency-in-progress")
	check(t, "another key", send(h, "other", "/a", "x"), "1001")
	otherTenant := partner
	otherTenant.Tenant, otherTenant.ID = "other", "key_other"
	check(t, "the same key of another tenant", send(idempotent(fixture.Idempotency, otherTenant, change), "k", "/a", "x"), "1002")
	close(release)
	check(t, "the first request", <-first, "1003")
	check(t, "a retry after the response", send(h, "k", "/a", "x"), "replay of 1003")
	if runs != 3 {
		t.Errorf("runs: got %d, want 3", runs)
	}
}

func TestRetryAfterPanicRunsAgain(t *testing.T) {
	t.Parallel()
	fixture := contracttest.NewFixture(t)
	broken := func(http.ResponseWriter, *http.Request, access.Actor, *contract.Idempotency) error {
		panic("simulated")
	}
	check(t, "a panic", send(idempotent(fixture.Idempotency, partner, broken), "k", "/a", "x"), "internal")
	runs := 0
	check(t, "the retry", send(idempotent(fixture.Idempotency, partner, countingUpdate(fixture, &runs)), "k", "/a", "x"), "1001")
}

func TestRetryMustEqualFirstRequest(t *testing.T) {
	t.Parallel()
	other := partner
	other.ID = "key_other"
	tests := map[string]struct {
		actor   access.Actor
		target  string
		body    string
		headers []string
		want    string
	}{
		"an equal request":           {partner, "/a?b", "x", nil, "replay of 1001"},
		"another request id":         {partner, "/a?b", "x", []string{"X-Request-Id: 2"}, "replay of 1001"},
		"other preferences":          {partner, "/a?b", "x", []string{"Prefer: return=minimal", "Accept: text/html"}, "replay of 1001"},
		"another caller":             {other, "/a?b", "x", nil, "1002"},
		"another path":               {partner, "/a%2f?b", "x", nil, "idempotency-key-reused"},
		"another query":              {partner, "/a?c", "x", nil, "idempotency-key-reused"},
		"query appended to the path": {partner, "/ab", "x", nil, "idempotency-key-reused"},
		"another body":               {partner, "/a?b", "y", nil, "idempotency-key-reused"},
		"no body":                    {partner, "/a?b", "", nil, "idempotency-key-reused"},
		"another media type":         {partner, "/a?b", "x", []string{"Content-Type: text/json"}, "idempotency-key-reused"},
		"another If-Match":           {partner, "/a?b", "x", []string{`If-Match: "1"`}, "idempotency-key-reused"},
	}
	fixture := contracttest.NewFixture(t)
	runs := 0
	change := countingUpdate(fixture, &runs)
	check(t, "the first request", send(idempotent(fixture.Idempotency, partner, change), "k", "/a?b", "x"), "1001")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			check(t, name, send(idempotent(fixture.Idempotency, tt.actor, change), "k", tt.target, tt.body, tt.headers...), tt.want)
		})
	}
}

func TestErrorResponsesOfTheRequestAreReplayed(t *testing.T) {
	t.Parallel()
	replayed := []fault.Kind{fault.BadRequest, fault.Invalid, fault.Conflict, fault.PreconditionFailed}
	fixture := contracttest.NewFixture(t)
	for _, kind := range fault.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			key := string(kind)
			reject := func(http.ResponseWriter, *http.Request, access.Actor, *contract.Idempotency) error {
				return fault.New(kind, "no")
			}
			check(t, "the first request", send(idempotent(fixture.Idempotency, partner, reject), key, "/a", "x"), key)
			runs := 0
			want := "1001"
			if slices.Contains(replayed, kind) {
				want = "replay of " + key
			}
			check(t, "the retry", send(idempotent(fixture.Idempotency, partner, countingUpdate(fixture, &runs)), key, "/a", "x"), want)
		})
	}
}

func TestIdempotencyKeyMustBeVisibleASCII(t *testing.T) {
	t.Parallel()
	fixture := contracttest.NewFixture(t)
	for key, valid := range map[string]bool{
		"k":                                    true,
		"8e03978e-40d5-43dd-bc93-6894a57f9324": true,
		`"quoted"`:                             true,
		"!~":                                   true,
		strings.Repeat("x", 255):               true,
		strings.Repeat("x", 256):               false,
		"a b":                                  false,
		"a\tb":                                 false,
		"å":                                    false,
		"\x7f":                                 false,
		"\xff":                                 false,
	} {
		runs := 0
		want := "1001"
		if !valid {
			want = "bad-request"
		}
		h := idempotent(fixture.Idempotency, partner, countingUpdate(fixture, &runs))
		check(t, fmt.Sprintf("%q", key), send(h, key, "/a", "x"), want)
	}
	runs := 0
	h := idempotent(fixture.Idempotency, partner, countingUpdate(fixture, &runs))
	check(t, "an empty key", send(h, "", "/a", "x", "Idempotency-Key: "), "bad-request")
	check(t, "two keys", send(h, "a", "/a", "x", "Idempotency-Key: b"), "bad-request")
	check(t, "no key", send(h, "", "/a", "x"), "1001")
	check(t, "no key again", send(h, "", "/a", "x"), "1002")
}
