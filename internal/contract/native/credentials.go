package native

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/fault"
)

// optionsBody has the options of a key.
type optionsBody struct {
	RequireIfMatch   bool `json:"requireIfMatch"`
	AllowStaleWrites bool `json:"allowStaleWrites"`
}

// callerBody describes the caller.
type callerBody struct {
	Tenant      string         `json:"tenant"`
	Actor       string         `json:"actor"` // as in the history
	ActorName   string         `json:"actorName"`
	Kind        string         `json:"kind"`
	Scopes      []access.Scope `json:"scopes"`
	optionsBody `json:",inline"`
}

func (h handler) me(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := parseQuery(r).err(); err != nil {
		return err
	}
	return write(w, http.StatusOK, callerBody{by.Tenant, by.ID, by.Name, "key", by.Scopes, optionsBody(by.Options)})
}

// keyBody is an API key. Only the response to its creation has the key itself.
type keyBody struct {
	ID          string         `json:"id"`
	Name        string         `json:"name"`
	Scopes      []access.Scope `json:"scopes"`
	optionsBody `json:",inline"`
	CreatedAt   timestamp  `json:"createdAt"`
	RevokedAt   *timestamp `json:"revokedAt"`
	Key         string     `json:"key,omitempty"`
}

func newKeyBody(k access.Key) keyBody {
	return keyBody{
		ID:          k.ID,
		Name:        k.Name,
		Scopes:      k.Scopes,
		optionsBody: optionsBody(k.Options),
		CreatedAt:   timestamp(k.CreatedAt),
		RevokedAt:   timestampOrNull(k.RevokedAt),
	}
}

func (h handler) listKeys(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return writePage(h, w, r, by, list[access.Key, keyBody]{
		name:     "keys",
		fetch:    h.Registry.Keys,
		position: func(k access.Key) string { return k.ID },
		body:     newKeyBody,
	})
}

func (h handler) createKey(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	in, err := parseCredentialBody(w, r, "name", "scopes", "requireIfMatch", "allowStaleWrites")
	if err != nil {
		return err
	}
	name := in.text("name")
	var scopes []access.Scope
	for i, v := range in.array("scopes") {
		scope, ok := v.(string)
		in.require(ok, fmt.Sprintf("scopes.%d", i), fault.Type, "must be a string")
		scopes = append(scopes, access.Scope(scope))
	}
	options := access.KeyOptions{RequireIfMatch: in.flag("requireIfMatch"), AllowStaleWrites: in.flag("allowStaleWrites")}
	key, text, err := access.NewKey(by.Tenant, name, scopes, h.Now())
	if err := fault.Merge(in.errs.Err(), err); err != nil {
		return err
	}
	key.Options = options
	if err := h.Registry.AddKey(r.Context(), key); err != nil {
		return err
	}
	body := newKeyBody(key)
	body.Key = text
	w.Header().Set("Location", "/v1/keys/"+key.ID)
	return write(w, http.StatusCreated, body)
}

func (h handler) revokeKey(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if r.PathValue("id") == by.ID {
		return fault.New(fault.Conflict, "a key cannot revoke itself, so that the tenant keeps access; use another key with the scope admin")
	}
	return h.revoke(w, r, by, "key with this id", r.PathValue("id"), h.Registry.RevokeKey)
}

// accountBody is an account, without its password.
type accountBody struct {
	ID        string     `json:"id"`
	Login     string     `json:"login"`
	Customers any        `json:"customers"` // "all", or an array of numbers
	CreatedAt timestamp  `json:"createdAt"`
	RevokedAt *timestamp `json:"revokedAt"`
}

func newAccountBody(a access.Account) accountBody {
	body := accountBody{a.ID, a.Login, "all", timestamp(a.CreatedAt), timestampOrNull(a.RevokedAt)}
	if !a.Customers.All() {
		body.Customers = a.Customers.Numbers()
	}
	return body
}

func (h handler) listAccounts(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return writePage(h, w, r, by, list[access.Account, accountBody]{
		name:     "accounts",
		fetch:    h.Registry.Accounts,
		position: func(a access.Account) string { return a.ID },
		body:     newAccountBody,
	})
}

func (h handler) createAccount(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	in, err := parseCredentialBody(w, r, "login", "password", "customers")
	if err != nil {
		return err
	}
	login, password, customers := in.text("login"), in.text("password"), in.customers()
	account, err := access.NewAccount(by.Tenant, login, password, customers, h.Now())
	if err := fault.Merge(in.errs.Err(), err); err != nil {
		return err
	}
	if err := h.Registry.AddAccount(r.Context(), account); err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/accounts/"+account.ID)
	return write(w, http.StatusCreated, newAccountBody(account))
}

func (h handler) revokeAccount(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return h.revoke(w, r, by, "account with this id", r.PathValue("id"), h.Registry.RevokeAccount)
}

// revoke revokes a credential. what names it in the error for one that does not exist.
func (h handler) revoke(w http.ResponseWriter, r *http.Request, by access.Actor, what, id string,
	revoke func(ctx context.Context, tenant, id string, at time.Time) error,
) error {
	if err := parseQuery(r).err(); err != nil {
		return err
	}
	err := revoke(r.Context(), by.Tenant, id, h.Now())
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.NotFound, "no active %s", what)
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// credentialBody is the body of a request that creates a key or an account.
type credentialBody struct {
	object map[string]any
	errs   fault.Validator
}

// parseCredentialBody rejects an idempotency key: the response to be stored, or the body, contains
// a secret.
func parseCredentialBody(w http.ResponseWriter, r *http.Request, names ...string) (*credentialBody, error) {
	if err := parseQuery(r).err(); err != nil {
		return nil, err
	}
	if r.Header.Values("Idempotency-Key") != nil {
		return nil, malformed("Idempotency-Key", fault.Unknown, "is not supported here: the server would have to store a secret with it")
	}
	object, err := readPost(w, r)
	if err != nil {
		return nil, err
	}
	in := &credentialBody{object: object}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		in.require(slices.Contains(names, name), name, fault.Unknown, "unknown field; allowed: "+strings.Join(names, ", "))
	}
	return in, nil
}

// require records the first error of each field.
func (in *credentialBody) require(ok bool, path, rule, text string) {
	in.errs.Require(ok || in.errs.HasError(path), path, rule, text)
}

func (in *credentialBody) text(name string) string {
	text, ok := in.object[name].(string)
	in.require(in.object[name] != nil, name, fault.Required, "is required")
	in.require(ok, name, fault.Type, "must be a string")
	return text
}

func (in *credentialBody) flag(name string) bool {
	flag, ok := in.object[name].(bool)
	in.require(ok || in.object[name] == nil, name, fault.Type, "must be a boolean")
	return flag
}

func (in *credentialBody) array(name string) []any {
	array, ok := in.object[name].([]any)
	in.require(ok || in.object[name] == nil, name, fault.Type, "must be an array")
	return array
}

// customers returns the customers of an account: "all", or an array of numbers.
func (in *credentialBody) customers() access.Customers {
	if text, ok := in.object["customers"].(string); ok {
		in.require(text == "all", "customers", fault.Format, `must be "all" or an array of numbers`)
		return access.AllCustomers()
	}
	var numbers []int32
	for i, v := range in.array("customers") {
		n, broken := parseInt32(v, 1)
		in.require(broken.Rule == "", fmt.Sprintf("customers.%d", i), broken.Rule, broken.Text)
		numbers = append(numbers, int32(n)) // 0 when broken: no customer has it
	}
	return access.OnlyCustomers(numbers...)
}
