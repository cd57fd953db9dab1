package native_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"kartotek/internal/contract/contracttest"
)

// TestSchemasMatchServer compares the schemas of requests with what the server accepts. kind is the
// exception: its null is valid, so that generated clients can leave it out, but it clears nothing.
func TestSchemasMatchServer(t *testing.T) {
	t.Parallel()
	fixture := contracttest.NewFixture(t)
	contract := start(fixture)
	doc, err := openapi3.NewLoader().LoadFromData(contract.Spec)
	if err != nil {
		t.Fatal(err)
	}
	handler := fixture.Handler(contract)
	create, update := http.MethodPost+" /v1/", http.MethodPatch+" /v1/customers/43"
	account := func(login string) string {
		return `{"login":` + login + `,"password":"correct horse battery staple","customers":[42]}`
	}
	for _, tt := range []struct {
		name, schema, to, body string
		valid                  bool
		status                 int
	}{
		{"login", "AccountInput", create + "accounts", account(`"new"`), true, 201},
		{"login with a control character", "AccountInput", create + "accounts", account(`"n\u0001w"`), false, 422},
		{"login with a line break", "AccountInput", create + "accounts", account(`"n\nw"`), false, 422},
		{"login with a colon", "AccountInput", create + "accounts", account(`"n:w"`), false, 422},
		{"key name", "KeyInput", create + "keys", `{"name":"web shop","scopes":["admin"]}`, true, 201},
		{"key name with a control character", "KeyInput", create + "keys", `{"name":"web\u007fshop","scopes":["admin"]}`, false, 422},
		{"null kind", "CustomerPatch", update, `{"kind":null}`, true, 422},
		{"null for all fields", "CustomerPatch", update, `{"kind":null,"lastName":null,"email":null,"address":null}`, true, 422},
		{"null for read-only fields", "CustomerInput", create + "customers", `{"lastName":"Ny","version":null,"createdAt":null,"requiresConfirmation":null,"tenant":null}`, true, 201},
		{"add without value", "JsonPatch", update, `[{"op":"add","path":"/email"}]`, false, 400},
		{"test without value", "JsonPatch", update, `[{"op":"test","path":"/email"}]`, false, 400},
		{"replace with null", "JsonPatch", update, `[{"op":"replace","path":"/email","value":null}]`, true, 200},
		{"remove", "JsonPatch", update, `[{"op":"remove","path":"/email"}]`, true, 200},
		{"copy without from", "JsonPatch", update, `[{"op":"copy","path":"/email"}]`, false, 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var body any
			if err := json.Unmarshal([]byte(tt.body), &body); err != nil {
				t.Fatal(err)
			}
			err := doc.Components.Schemas[tt.schema].Value.VisitJSON(body, openapi3.EnableJSONSchema2020())
			if (err == nil) != tt.valid {
				t.Errorf("valid: got %v, want %t", err, tt.valid)
			}
			c := client{t, handler, fixture.Key("writer")}
			mediaType := "application/json"
			switch tt.schema {
			case "AccountInput", "KeyInput":
				c.key = fixture.Key("admin")
			case "JsonPatch":
				mediaType = "application/json-patch+json"
			}
			method, target, _ := strings.Cut(tt.to, " ")
			status, _, answer := c.send(method, target, mediaType, tt.body)
			if status != tt.status {
				t.Errorf("got %d %v, want %d", status, answer, tt.status)
			}
		})
	}
}
