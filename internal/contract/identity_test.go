package contract_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/contract/contracttest"
	"kartotek/internal/contract/elw"
	"kartotek/internal/contract/lochting"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// TestNewAccountWithLoginGetsNothingOfTheOldOne gives a login to another account, which then repeats
// a request of the first one.
func TestNewAccountWithLoginGetsNothingOfTheOldOne(t *testing.T) {
	t.Parallel()
	fixture := contracttest.NewFixture(t)
	h := fixture.Handler(elw.New(elw.Settings{
		Customers: fixture.Customers, Authenticator: fixture.Authenticator, Idempotency: fixture.Idempotency, Now: fixture.Now,
	}))
	patch := func(target string) (int, string) {
		r := httptest.NewRequest(http.MethodPatch, target, strings.NewReader(`{"PhoneNumber":"22334455"}`))
		r.SetBasicAuth("eva", "sommerregn")
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "eva-1")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	first := addAccount(t, fixture, "eva", 42)
	if status, body := patch("/api/customers/42"); status != http.StatusOK {
		t.Fatalf("the first account: got %d: %s", status, body)
	}
	if err := fixture.Registry.RevokeAccount(t.Context(), "hafslund", first.ID, fixture.Now()); err != nil {
		t.Fatal(err)
	}
	fixture.Advance(5 * time.Second)
	second := addAccount(t, fixture, "eva", 44)
	if status, body := patch("/api/customers/42"); status != http.StatusForbidden || strings.Contains(body, "Kari") {
		t.Errorf("the same request from the second account: got %d: %s", status, body)
	}
	if status, body := patch("/api/customers/44"); status != http.StatusOK {
		t.Errorf("the same key for another customer: got %d: %s", status, body)
	}

	by := access.Actor{Tenant: "hafslund", Customers: access.AllCustomers(), Scopes: access.Scopes()}
	for number, want := range map[int32]access.Account{42: first, 44: second} {
		history, err := fixture.Customers.History(t.Context(), by, customer.ByNumber("hafslund", number), 0, 1)
		if err != nil || history[0].Meta.Actor != want.ID || history[0].Meta.ActorName != "eva" {
			t.Errorf("history of %d: got %+v (%v), want actor %s", number, history, err, want.ID)
		}
	}
}

func addAccount(t *testing.T, fixture contracttest.Fixture, login string, number int32) access.Account {
	t.Helper()
	a, err := access.NewAccount("hafslund", login, "sommerregn", access.OnlyCustomers(number), fixture.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := fixture.Registry.AddAccount(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	return a
}

// TestReplayNeedsPermission repeats a request after the permissions of the caller have changed.
func TestReplayNeedsPermission(t *testing.T) {
	t.Parallel()
	fixture := contracttest.NewFixture(t)
	runs := 0
	change := countingUpdate(fixture, &runs)
	check(t, "the request", send(idempotent(fixture.Idempotency, partner, change), "k", "/a", "x"), "1001")
	check(t, "a retry", send(idempotent(fixture.Idempotency, partner, change), "k", "/a", "x"), "replay of 1001")

	writer := partner
	writer.Scopes = []access.Scope{access.Write}
	check(t, "without the scope to read", send(idempotent(fixture.Idempotency, writer, change), "k", "/a", "x"), "forbidden")

	deny := func(*http.Request, access.Actor) error { return fault.New(fault.Forbidden, "not this customer") }
	h := handlerWith(fixture.Idempotency, partner, deny, change)
	check(t, "without access to the customer", send(h, "k", "/a", "x"), "forbidden")
	check(t, "another request without access", send(h, "k", "/b", "x"), "forbidden")
}

// TestLochtingShowsNothingToWriteOnlyKeys sends a value that is stored and one that is not.
func TestLochtingShowsNothingToWriteOnlyKeys(t *testing.T) {
	t.Parallel()
	fixture := contracttest.NewFixture(t)
	key, text, err := access.NewKey("hafslund", "scribe", []access.Scope{access.Write}, fixture.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := fixture.Registry.AddKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	h := fixture.Handler(lochting.New(lochting.Settings{Customers: fixture.Customers, Authenticator: fixture.Authenticator, Idempotency: fixture.Idempotency}))
	var responses []string
	for _, nationalID := range []string{"05036812345", "05036812346"} {
		r := httptest.NewRequest(http.MethodPatch, "/public/v1/customer/customer-c7d932c1-84e8-410c-a9b2-18bf739d6b8b", strings.NewReader(
			`{"firstName":"Kari","lastName":"Nordmann","locale":"nl_BE","emailAddress":"kari@example.com","gender":"female","country":"BE","nationalId":"`+nationalID+`","x":1}`))
		r.Header.Set("Authorization", text)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Prefer", "return=representation")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		w.Header().Del("X-Request-Id")
		responses = append(responses, fmt.Sprint(w.Code, w.Header(), w.Body))
	}
	if responses[0] != responses[1] || !strings.HasPrefix(responses[0], "200 ") || !strings.Contains(responses[0], "Field-Outcome:[ignored=(\"x\")]") {
		t.Errorf("got different responses, or others than expected:\n%s\n%s", responses[0], responses[1])
	}
}
