package contract_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kartotek/internal/access"
	"kartotek/internal/contract/contracttest"
	"kartotek/internal/contract/elw"
	"kartotek/internal/contract/lochting"
	"kartotek/internal/customer"
)

const rounds = 25

// client is an API client of customer 42, with the object that it has read.
type client struct {
	t             *testing.T
	handler       http.Handler
	path          string
	authorization string
	object        map[string]any
}

func elwClient(t *testing.T, w contracttest.Fixture) *client {
	c := elw.New(elw.Settings{Customers: w.Customers, Authenticator: w.Authenticator, Idempotency: w.Idempotency, Now: w.Now, ConfirmAfter: time.Hour})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.SetBasicAuth("service", "sommerregn")
	return &client{t: t, handler: w.Handler(c), path: "/api/customers/42", authorization: r.Header.Get("Authorization")}
}

// lochtingClients returns clients of one server, one for each key.
func lochtingClients(t *testing.T, w contracttest.Fixture, keys ...string) (clients []*client) {
	h := w.Handler(lochting.New(lochting.Settings{Customers: w.Customers, Authenticator: w.Authenticator, Idempotency: w.Idempotency}))
	const path = "/public/v1/customer/customer-c7d932c1-84e8-410c-a9b2-18bf739d6b8b"
	for _, key := range keys {
		clients = append(clients, &client{t: t, handler: h, path: path, authorization: w.Key(key)})
	}
	return clients
}

func (c *client) do(method, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, c.path, strings.NewReader(body))
	r.Header.Set("Authorization", c.authorization)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		c.t.Errorf("%s %s: got %d %s", method, c.path, w.Code, w.Body)
	}
	return w
}

func (c *client) read() {
	if err := json.Unmarshal(c.do(http.MethodGet, "").Body.Bytes(), &c.object); err != nil {
		c.t.Error(err)
	}
}

// resend sends the object that was read once with one changed property, and returns the properties
// that were applied.
func (c *client) resend(property, value string) (applied string) {
	c.object[property] = value
	sent := maps.Clone(c.object)
	delete(sent, "id")
	body, err := json.Marshal(sent)
	if err != nil {
		c.t.Error(err)
	}
	outcome := c.do(http.MethodPatch, string(body)).Header().Get("Field-Outcome")
	applied, _, _ = strings.Cut(strings.TrimPrefix(outcome, "applied=("), ")")
	return applied
}

func (c *client) change(property, value string) {
	if applied := c.resend(property, value); applied != `"`+property+`"` {
		c.t.Errorf("%s with %s: got %s applied, want only that property", c.path, value, applied)
	}
}

// Three clients have read the customer once, one in elw and two in lochting, and keep sending
// these values. Each updates a different property, all at the same time.
func TestConcurrentResendsKeepAllUpdates(t *testing.T) {
	t.Parallel()
	fixture := contracttest.NewFixture(t)
	utility := elwClient(t, fixture)
	shops := lochtingClients(t, fixture, "writer", "partner")
	shops[0].read()
	shops[1].read()
	var all sync.WaitGroup
	for client, property := range map[*client]string{shops[0]: "firstName", shops[1]: "city"} {
		all.Go(func() {
			for i := range rounds {
				client.change(property, fmt.Sprint(property, i))
			}
		})
	}
	all.Go(func() {
		for i := range rounds {
			utility.object = map[string]any{} // sends only this property
			utility.change("PhoneNumber", fmt.Sprint(22_000_000+i))
		}
	})
	all.Wait()
	utility.read()
	got := []any{utility.object["FirstName"], utility.object["Address"].(map[string]any)["City"], utility.object["PhoneNumber"]}
	last := rounds - 1
	want := []any{fmt.Sprint("firstName", last), fmt.Sprint("city", last), fmt.Sprint(22_000_000 + last)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("first name, city and phone (-want +got):\n%s", diff)
	}
}

// Both clients update the phone in turn. The shop reads the customer only once; after that, its
// last-seen values are those that it sent itself.
func TestResendAppliesNewValuesAndSkipsStaleOnes(t *testing.T) {
	t.Parallel()
	fixture := contracttest.NewFixture(t)
	utility := elwClient(t, fixture)
	clients := lochtingClients(t, fixture, "writer", "reader")
	shop, reader := clients[0], clients[1]
	shop.read()
	for i := range rounds {
		utility.read()
		utility.change("PhoneNumber", fmt.Sprint(22_000_000+i))
		shop.change("firstName", fmt.Sprint("Kari", i)) // also sends the old phone
		utility.read()
		if got, want := utility.object["PhoneNumber"], fmt.Sprint(22_000_000+i); got != want {
			t.Fatalf("after the shop updated firstName: got phone %v, want %s", got, want)
		}
		shop.change("phoneNumber", fmt.Sprint("+47 33 00 00 ", 10+i))
		utility.read()
		utility.change("MobileNumber", fmt.Sprint(91_000_000+i)) // also sends the phone as it was read
		reader.read()
		if got, want := reader.object["phoneNumber"], fmt.Sprint("+47 33 00 00 ", 10+i); got != want {
			t.Fatalf("after the utility updated MobileNumber: got phone %v, want %s", got, want)
		}
	}
}

// Neither contract shows the region of an address.
func TestUpdateKeepsFieldsThatTheContractDoesNotShow(t *testing.T) {
	t.Parallel()
	fixture := contracttest.NewFixture(t)
	actor := access.Actor{Tenant: "hafslund", ID: "key_x", Customers: access.AllCustomers(), Scopes: access.Scopes()}
	ref := customer.ByNumber(actor.Tenant, 42)
	if _, err := fixture.Customers.Update(t.Context(), actor, ref, customer.Patch{"address.region": "Oslo"}.Apply, nil); err != nil {
		t.Fatal(err)
	}
	utility, shop := elwClient(t, fixture), lochtingClients(t, fixture, "writer")[0]
	utility.read()
	utility.change("PhoneNumber", "22000000")
	shop.read()
	shop.change("address", "Storgata 3")
	got, err := fixture.Customers.Get(t.Context(), actor, ref)
	if err != nil || got.Address.Line != "Storgata 3" || got.Address.Region != "Oslo" {
		t.Errorf("got %+v, %v, want Storgata 3 in the region Oslo", got.Address, err)
	}
}

func TestStaleAddressLineKeepsAddressParts(t *testing.T) {
	t.Parallel()
	fixture := contracttest.NewFixture(t)
	shop := lochtingClients(t, fixture, "writer")[0]
	shop.read()
	actor := access.Actor{Tenant: "hafslund", ID: "key_x", Customers: access.AllCustomers(), Scopes: access.Scopes()}
	ref := customer.ByNumber(actor.Tenant, 42)
	updated, err := fixture.Customers.Update(t.Context(), actor, ref, func(c *customer.Customer) error {
		c.Address.Line, c.Address.HouseNumber = "Storgata 2", "2"
		return nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	shop.change("firstName", "Ada")
	got, err := fixture.Customers.Get(t.Context(), actor, ref)
	if err != nil || got.Address != updated.After.Address || got.FirstName != "Ada" {
		t.Errorf("got %+v, %v, want Ada at %+v", got, err, updated.After.Address)
	}
	shop.change("address", "Storgata 3")
	got, err = fixture.Customers.Get(t.Context(), actor, ref)
	if err != nil || got.Address.Line != "Storgata 3" || got.Address.HouseNumber != "" {
		t.Errorf("after a new address line: got %+v, %v, want Storgata 3 without parts", got.Address, err)
	}
}
