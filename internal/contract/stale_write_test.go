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

// rival is a client of customer 42, with the object that it has read.
type rival struct {
	t             *testing.T
	handler       http.Handler
	path          string
	authorization string
	object        map[string]any
}

func elwClient(t *testing.T, w contracttest.Fixture) *rival {
	c := elw.New(elw.Settings{Customers: w.Customers, Authenticator: w.Authenticator, Idempotency: w.Idempotency, Now: w.Now, ConfirmAfter: time.Hour})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.SetBasicAuth("service", "sommerregn")
	return &rival{t: t, handler: w.Handler(c), path: "/api/customers/42", authorization: r.Header.Get("Authorization")}
}

// lochtingClients are clients of one server, with a key each.
func lochtingClients(t *testing.T, w contracttest.Fixture, keys ...string) (clients []*rival) {
	h := w.Handler(lochting.New(lochting.Settings{Customers: w.Customers, Authenticator: w.Authenticator, Idempotency: w.Idempotency}))
	const path = "/public/v1/customer/customer-c7d932c1-84e8-410c-a9b2-18bf739d6b8b"
	for _, key := range keys {
		clients = append(clients, &rival{t: t, handler: h, path: path, authorization: w.Key(key)})
	}
	return clients
}

func (c *rival) do(method, body string) *httptest.ResponseRecorder {
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

func (c *rival) read() {
	if err := json.Unmarshal(c.do(http.MethodGet, "").Body.Bytes(), &c.object); err != nil {
		c.t.Error(err)
	}
}

// resend sends back the object, which it read once, with one value of its own,
// and returns the properties that were applied.
func (c *rival) resend(property, value string) (applied string) {
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

func (c *rival) change(property, value string) {
	if applied := c.resend(property, value); applied != `"`+property+`"` {
		c.t.Errorf("%s with %s: got %s applied, want that property alone", c.path, value, applied)
	}
}

// Each of three clients has read the customer once, and goes on with what it read:
// one in elw, two in lochting, who send everything back each time. Each changes a
// property of its own, all at the same time.
func TestWhoSendsEverythingBackLosesNobodysChange(t *testing.T) {
	t.Parallel()
	world := contracttest.NewFixture(t)
	utility := elwClient(t, world)
	shops := lochtingClients(t, world, "writer", "partner")
	shops[0].read()
	shops[1].read()
	var all sync.WaitGroup
	for client, property := range map[*rival]string{shops[0]: "firstName", shops[1]: "city"} {
		all.Go(func() {
			for i := range rounds {
				client.change(property, fmt.Sprint(property, i))
			}
		})
	}
	all.Go(func() {
		for i := range rounds {
			utility.object = map[string]any{} // it names its own property alone
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

// Both change the same property in turn. The shop has read it only once, and then
// believes what it has said itself.
func TestWhoSendsEverythingBackStillChangesWhatItMeans(t *testing.T) {
	t.Parallel()
	world := contracttest.NewFixture(t)
	utility := elwClient(t, world)
	clients := lochtingClients(t, world, "writer", "reader")
	shop, witness := clients[0], clients[1]
	shop.read()
	for i := range rounds {
		utility.read()
		utility.change("PhoneNumber", fmt.Sprint(22_000_000+i))
		shop.change("firstName", fmt.Sprint("Kari", i)) // and sends the old phone
		utility.read()
		if got, want := utility.object["PhoneNumber"], fmt.Sprint(22_000_000+i); got != want {
			t.Fatalf("after the shop's other change: got phone %v, want %s", got, want)
		}
		shop.change("phoneNumber", fmt.Sprint("+47 33 00 00 ", 10+i))
		utility.read()
		utility.change("MobileNumber", fmt.Sprint(91_000_000+i)) // and sends back the phone as it is shown
		witness.read()
		if got, want := witness.object["phoneNumber"], fmt.Sprint("+47 33 00 00 ", 10+i); got != want {
			t.Fatalf("after the utility's other change: got phone %v, want %s", got, want)
		}
	}
}

func TestAStaleAddressKeepsItsParts(t *testing.T) {
	t.Parallel()
	world := contracttest.NewFixture(t)
	shop := lochtingClients(t, world, "writer")[0]
	shop.read()
	by := access.Actor{Tenant: "hafslund", Name: "key:x", Customers: access.AllCustomers(), Scopes: access.Scopes()}
	ref := customer.ByNumber(by.Tenant, 42)
	moved, err := world.Customers.Update(t.Context(), by, ref, func(c *customer.Customer) error {
		c.Address.Line, c.Address.HouseNumber = "Storgata 2", "2"
		return nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	shop.change("firstName", "Ada")
	got, err := world.Customers.Get(t.Context(), by, ref)
	if err != nil || got.Address != moved.After.Address || got.FirstName != "Ada" {
		t.Errorf("got %+v, %v, want Ada at %+v", got, err, moved.After.Address)
	}
	shop.change("address", "Storgata 3")
	got, err = world.Customers.Get(t.Context(), by, ref)
	if err != nil || got.Address.Line != "Storgata 3" || got.Address.HouseNumber != "" {
		t.Errorf("an address of its own: got %+v, %v, want Storgata 3 without parts", got.Address, err)
	}
}
