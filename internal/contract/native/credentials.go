package native

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"kartotek/internal/access"
	"kartotek/internal/fault"
)

// callerBody is who the caller is.
type callerBody struct {
	Tenant         string         `json:"tenant"`
	Actor          string         `json:"actor"` // as the history names the caller
	Kind           string         `json:"kind"`
	KeyID          string         `json:"keyId"`
	Scopes         []access.Scope `json:"scopes"`
	DemandIfMatch  bool           `json:"demandIfMatch"`
	OverwriteStale bool           `json:"overwriteStale"`
}

func (h handler) me(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := readQuery(r).err(); err != nil {
		return err
	}
	return write(w, http.StatusOK, callerBody{
		Tenant:         by.Tenant,
		Actor:          by.Name,
		Kind:           "key",
		KeyID:          keyID(by),
		Scopes:         by.Scopes,
		DemandIfMatch:  by.Options.RequireIfMatch,
		OverwriteStale: by.Options.AllowStaleWrites,
	})
}

// keyID is the id of the caller's key.
func keyID(by access.Actor) string { return strings.TrimPrefix(by.Name, "key:") }

// keyBody is an API key. Its text is there once, when it is made.
type keyBody struct {
	ID             string         `json:"id"`
	Name           string         `json:"name"`
	Scopes         []access.Scope `json:"scopes"`
	DemandIfMatch  bool           `json:"demandIfMatch"`
	OverwriteStale bool           `json:"overwriteStale"`
	CreatedAt      instant        `json:"createdAt"`
	RevokedAt      *instant       `json:"revokedAt"`
	Key            string         `json:"key,omitempty"`
}

func fromKey(k access.Key) keyBody {
	return keyBody{
		ID:             k.ID,
		Name:           k.Name,
		Scopes:         k.Scopes,
		DemandIfMatch:  k.Options.RequireIfMatch,
		OverwriteStale: k.Options.AllowStaleWrites,
		CreatedAt:      instant(k.CreatedAt),
		RevokedAt:      instantOrNull(k.RevokedAt),
	}
}

func (h handler) keys(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return pageThrough(h, w, r, listOf(by.Tenant, "keys"), func(after string, limit int) (items []keyBody, places []string, err error) {
		keys, err := h.Registry.Keys(r.Context(), by.Tenant, after, limit)
		for _, k := range keys {
			items, places = append(items, fromKey(k)), append(places, k.ID)
		}
		return items, places, err
	})
}

func (h handler) createKey(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	in, err := readNew(w, r, "name", "scopes", "demandIfMatch", "overwriteStale")
	if err != nil {
		return err
	}
	name := in.text("name")
	var scopes []access.Scope
	for i, v := range in.array("scopes") {
		scope, ok := v.(string)
		in.need(ok, fmt.Sprintf("scopes.%d", i), fault.Type, "must be a string")
		scopes = append(scopes, access.Scope(scope))
	}
	manners := access.KeyOptions{RequireIfMatch: in.flag("demandIfMatch"), AllowStaleWrites: in.flag("overwriteStale")}
	key, text, err := access.NewKey(by.Tenant, name, scopes, h.Now())
	if err := in.err(err); err != nil {
		return err
	}
	key.Options = manners
	if err := h.Registry.AddKey(r.Context(), key); err != nil {
		return err
	}
	body := fromKey(key)
	body.Key = text
	w.Header().Set("Location", "/v1/keys/"+key.ID)
	return write(w, http.StatusCreated, body)
}

func (h handler) revokeKey(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := readQuery(r).err(); err != nil {
		return err
	}
	id := r.PathValue("id")
	if id == keyID(by) {
		return fault.New(fault.Conflict, "a key cannot revoke itself, so that a tenant does not lock itself out: use another key with the scope admin")
	}
	err := h.Registry.RevokeKey(r.Context(), by.Tenant, id, h.Now())
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.NotFound, "no key with this id works")
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// accountBody is an account, without its password.
type accountBody struct {
	Login     string   `json:"login"`
	Customers any      `json:"customers"` // "all", or their numbers
	CreatedAt instant  `json:"createdAt"`
	RevokedAt *instant `json:"revokedAt"`
}

func fromAccount(a access.Account) accountBody {
	out := accountBody{
		Login:     a.Login,
		Customers: "all",
		CreatedAt: instant(a.CreatedAt),
		RevokedAt: instantOrNull(a.RevokedAt),
	}
	if !a.Customers.All() {
		out.Customers = a.Customers.Numbers()
	}
	return out
}

func (h handler) accounts(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return pageThrough(h, w, r, listOf(by.Tenant, "accounts"), func(after string, limit int) (items []accountBody, places []string, err error) {
		accounts, err := h.Registry.Accounts(r.Context(), by.Tenant, after, limit)
		for _, a := range accounts {
			items, places = append(items, fromAccount(a)), append(places, a.Login)
		}
		return items, places, err
	})
}

func (h handler) createAccount(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	in, err := readNew(w, r, "login", "password", "customers")
	if err != nil {
		return err
	}
	login, password, customers := in.text("login"), in.text("password"), in.customers()
	account, err := access.NewAccount(by.Tenant, login, password, customers, h.Now())
	if err := in.err(err); err != nil {
		return err
	}
	if err := h.Registry.AddAccount(r.Context(), account); err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/accounts/"+url.PathEscape(login))
	return write(w, http.StatusCreated, fromAccount(account))
}

func (h handler) revokeAccount(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := readQuery(r).err(); err != nil {
		return err
	}
	err := h.Registry.RevokeAccount(r.Context(), by.Tenant, r.PathValue("login"), h.Now())
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.NotFound, "no account with this login works")
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// pageThrough answers with a page of a list. read returns up to limit items after a
// place, and the place of each.
func pageThrough[T any](h handler, w http.ResponseWriter, r *http.Request, where []byte, read func(after string, limit int) (items []T, places []string, err error)) error {
	q := readQuery(r, "cursor", "limit")
	limit := q.limit(maxPage, defaultPage)
	after := h.cursors.open(q, where)
	if err := q.err(); err != nil {
		return err
	}
	items, places, err := read(after, limit+1) // one more tells whether there is a next page
	if err != nil {
		return err
	}
	out := listPage[T]{Items: items}
	if len(items) > limit {
		out.Items = items[:limit]
		out.Next = h.cursors.seal(places[limit-1], where)
	}
	return write(w, http.StatusOK, out)
}

// newBody reads the body of a POST that makes a key or an account, and notes what
// is wrong with it.
type newBody struct {
	names   []string
	members map[string]any
	broken  []fault.Field
	told    map[string]bool // what broken names
}

// readNew takes a body with these members. A request that may be sent again would
// have its answer kept, and this answer, or the body, holds a secret.
func readNew(w http.ResponseWriter, r *http.Request, names ...string) (*newBody, error) {
	if err := readQuery(r).err(); err != nil {
		return nil, err
	}
	if r.Header.Values("Idempotency-Key") != nil {
		return nil, malformed(fault.Field{Path: "Idempotency-Key", Rule: fault.Unknown, Text: "is not taken here: a secret would have to be kept with it"})
	}
	members, err := readPost(w, r)
	if err != nil {
		return nil, err
	}
	in := &newBody{names: names, members: members, told: map[string]bool{}}
	for name := range members {
		in.need(slices.Contains(names, name), toPointer([]string{name}), fault.Unknown, "is no member that this operation takes")
	}
	return in, nil
}

// err tells all that is wrong, with the rules that are broken, in the order of the
// members; what is unknown comes last.
func (in *newBody) err(rules error) error {
	err := fault.Merge(invalid(in.broken), rules)
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		place := func(f fault.Field) int {
			member, _, _ := strings.Cut(f.Path, ".")
			if i := slices.Index(in.names, member); i >= 0 {
				return i
			}
			return len(in.names)
		}
		slices.SortFunc(f.Fields, func(a, b fault.Field) int {
			return cmp.Or(
				cmp.Compare(place(a), place(b)),
				cmp.Compare(len(a.Path), len(b.Path)), // the tenth element comes after the ninth
				strings.Compare(a.Path, b.Path),
			)
		})
	}
	return err
}

// need notes the first thing that is wrong at each place.
func (in *newBody) need(ok bool, at, rule, text string) {
	if !ok && !in.told[at] {
		in.broken = append(in.broken, fault.Field{Path: at, Rule: rule, Text: text})
		in.told[at] = true
	}
}

func (in *newBody) text(name string) string {
	text, ok := in.members[name].(string)
	in.need(in.members[name] != nil, name, fault.Required, "is required")
	in.need(ok, name, fault.Type, "must be a string")
	return text
}

func (in *newBody) flag(name string) bool {
	flag, ok := in.members[name].(bool)
	in.need(ok || in.members[name] == nil, name, fault.Type, "must be true or false")
	return flag
}

func (in *newBody) array(name string) []any {
	array, ok := in.members[name].([]any)
	in.need(ok || in.members[name] == nil, name, fault.Type, "must be an array")
	return array
}

// customers are "all" or the numbers of some.
func (in *newBody) customers() access.Customers {
	if in.members["customers"] == "all" {
		return access.AllCustomers()
	}
	if _, isText := in.members["customers"].(string); isText {
		in.need(false, "customers", fault.Format, `must be "all" or an array of numbers`)
		return access.AllCustomers()
	}
	var numbers []int32
	for i, v := range in.array("customers") {
		n, isNumber := v.(number)
		value, whole := n.integer()
		at, within := fmt.Sprintf("customers.%d", i), 1 <= value && value <= math.MaxInt32
		in.need(isNumber && whole, at, fault.Type, "must be an integer")
		in.need(within, at, fault.Range, "must be from 1 to 2147483647")
		if !within {
			value = 0 // which no customer has
		}
		numbers = append(numbers, int32(value))
	}
	return access.OnlyCustomers(numbers...)
}
