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

var partner = access.Actor{Tenant: "hafslund", Name: "key:partner", Customers: access.AllCustomers(), Scopes: access.Scopes()}

// failKind is how the contract of these tests fails.
func failKind(w http.ResponseWriter, _ *http.Request, f *fault.Fault) {
	_ = web.Write(w, http.StatusTeapot, []byte(f.Kind)) // never fails
}

// once serves f to a caller, as a contract does.
func once(repeats *contract.IdempotencyMiddleware, by access.Actor, f contract.MutatingHandler) http.Handler {
	return web.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return repeats.Handle(w, r, by, failKind, f)
	}, failKind)
}

// counted gives customer 42 a new phone each time it runs, and answers with it.
func counted(world contracttest.Fixture, runs *int) contract.MutatingHandler {
	return func(w http.ResponseWriter, r *http.Request, by access.Actor, once *contract.Idempotency) error {
		*runs++
		phone := fmt.Sprint(1000 + *runs)
		answer := func(w http.ResponseWriter, ch customer.Change) error {
			return web.Write(w, http.StatusOK, []byte(ch.After.Phone))
		}
		ch, err := world.Customers.Update(r.Context(), by, customer.ByNumber(by.Tenant, 42), func(c *customer.Customer) error {
			c.Phone = phone
			return nil
		}, once.Record(answer))
		if err != nil {
			return err
		}
		return answer(w, ch)
	}
}

// send is one PATCH with a key, and with the headers "Name: value".
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

func TestARequestThatIsStillRunningIsNotRunAgain(t *testing.T) {
	t.Parallel()
	world := contracttest.NewFixture(t)
	runs := 0
	change := counted(world, &runs)
	begun, goOn := make(chan bool), make(chan bool)
	slow := func(w http.ResponseWriter, r *http.Request, by access.Actor, once *contract.Idempotency) error {
		close(begun)
		<-goOn
		return change(w, r, by, once)
	}
	first := make(chan string)
	go func() { first <- send(once(world.Idempotency, partner, slow), "k", "/a", "x") }() // ends with goOn
	<-begun
	h := once(world.Idempotency, partner, change)
	check(t, "the same request", send(h, "k", "/a", "x"), "idempotency-in-progress")
	check(t, "another request with the key", send(h, "k", "/b", "y"), "idempotency-in-progress")
	check(t, "another key", send(h, "other", "/a", "x"), "1001")
	stranger := partner
	stranger.Tenant = "other"
	check(t, "the same key of another tenant", send(once(world.Idempotency, stranger, change), "k", "/a", "x"), "1002")
	close(goOn)
	check(t, "the first request", <-first, "1003")
	check(t, "the same request, once that is answered", send(h, "k", "/a", "x"), "replay of 1003")
	if runs != 3 {
		t.Errorf("runs: got %d, want 3", runs)
	}
}

func TestARequestThatBreaksOffMayBeSentAgain(t *testing.T) {
	t.Parallel()
	world := contracttest.NewFixture(t)
	broken := func(http.ResponseWriter, *http.Request, access.Actor, *contract.Idempotency) error {
		panic("at the disco")
	}
	check(t, "a panic", send(once(world.Idempotency, partner, broken), "k", "/a", "x"), "internal")
	runs := 0
	check(t, "afterwards", send(once(world.Idempotency, partner, counted(world, &runs)), "k", "/a", "x"), "1001")
}

func TestARequestIsTheSameWhenItAsksForTheSame(t *testing.T) {
	t.Parallel()
	other := partner
	other.Name = "key:other"
	tests := map[string]struct {
		by      access.Actor
		target  string
		body    string
		headers []string
		want    string
	}{
		"nothing differs":             {partner, "/a?b", "x", nil, "replay of 1001"},
		"the request's id":            {partner, "/a?b", "x", []string{"X-Request-Id: 2"}, "replay of 1001"},
		"how the answer is preferred": {partner, "/a?b", "x", []string{"Prefer: return=minimal", "Accept: text/html"}, "replay of 1001"},
		"the caller":                  {other, "/a?b", "x", nil, "idempotency-key-reused"},
		"the path":                    {partner, "/a%2f?b", "x", nil, "idempotency-key-reused"},
		"the query":                   {partner, "/a?c", "x", nil, "idempotency-key-reused"},
		"the query is the path's end": {partner, "/ab", "x", nil, "idempotency-key-reused"},
		"the body":                    {partner, "/a?b", "y", nil, "idempotency-key-reused"},
		"no body":                     {partner, "/a?b", "", nil, "idempotency-key-reused"},
		"the media type":              {partner, "/a?b", "x", []string{"Content-Type: text/json"}, "idempotency-key-reused"},
		"the condition":               {partner, "/a?b", "x", []string{`If-Match: "1"`}, "idempotency-key-reused"},
	}
	world := contracttest.NewFixture(t)
	runs := 0
	change := counted(world, &runs)
	check(t, "the first request", send(once(world.Idempotency, partner, change), "k", "/a?b", "x"), "1001")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			check(t, name, send(once(world.Idempotency, tt.by, change), "k", tt.target, tt.body, tt.headers...), tt.want)
		})
	}
}

func TestARefusalIsKeptWhenItIsAboutTheRequest(t *testing.T) {
	t.Parallel()
	kept := []fault.Kind{fault.BadRequest, fault.Invalid, fault.Conflict, fault.PreconditionFailed}
	world := contracttest.NewFixture(t)
	for _, kind := range fault.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			key := string(kind)
			refuse := func(http.ResponseWriter, *http.Request, access.Actor, *contract.Idempotency) error {
				return fault.New(kind, "no")
			}
			check(t, "at first", send(once(world.Idempotency, partner, refuse), key, "/a", "x"), key)
			runs := 0
			want := "1001"
			if slices.Contains(kept, kind) {
				want = "replay of " + key
			}
			check(t, "sent again", send(once(world.Idempotency, partner, counted(world, &runs)), key, "/a", "x"), want)
		})
	}
}

func TestAKeyIsVisibleASCII(t *testing.T) {
	t.Parallel()
	world := contracttest.NewFixture(t)
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
		h := once(world.Idempotency, partner, counted(world, &runs))
		check(t, fmt.Sprintf("%q", key), send(h, key, "/a", "x"), want)
	}
	runs := 0
	h := once(world.Idempotency, partner, counted(world, &runs))
	check(t, "an empty key", send(h, "", "/a", "x", "Idempotency-Key: "), "bad-request")
	check(t, "two keys", send(h, "a", "/a", "x", "Idempotency-Key: b"), "bad-request")
	check(t, "no key", send(h, "", "/a", "x"), "1001")
	check(t, "no key again", send(h, "", "/a", "x"), "1002")
}
