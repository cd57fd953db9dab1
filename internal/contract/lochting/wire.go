package lochting

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/web"
)

const idPrefix = "customer-"

// Locales have an underscore in this contract.
func toLocale(bcp47 string) string    { return strings.Replace(bcp47, "-", "_", 1) }
func fromLocale(locale string) string { return strings.Replace(locale, "_", "-", 1) }

var (
	locales = []string{
		"nl_BE", "fr_BE", "en_BE", "de_BE", "fr_FR", "en_FR", "de_DE", "en_DE", "en_AU",
		"en_ES", "es_ES", "en_AT", "de_AT", "en_CZ", "cs_CZ", "en_SG", "en_PT", "pt_PT",
	}
	countries = []string{"BE", "FR", "AU", "DE", "ES", "AT", "CZ", "SG", "PT"}
)

// property is a property of the body, whose values are strings.
type property struct {
	name     string
	path     string // in the domain
	required bool   // and not nullable
	oneOf    []string
}

// properties are in the order of the documentation.
var properties = [...]property{
	{name: "firstName", path: "firstName", required: true},
	{name: "lastName", path: "lastName", required: true},
	{name: "locale", path: "locale", required: true, oneOf: locales},
	{name: "emailAddress", path: "email", required: true},
	{name: "gender", path: "gender", required: true, oneOf: customer.Genders()},
	{name: "nationalId", path: "nationalId"},
	{name: "phoneNumber", path: "phone"},
	{name: "address", path: "address.line"},
	{name: "zipCode", path: "address.postalCode"},
	{name: "city", path: "address.city"},
	{name: "country", path: "address.country", required: true, oneOf: countries},
}

func (p property) text(c customer.Customer) string { return c.Text(p.path) }

// fromDomain returns the representation of a customer: null for empty values and for values that
// the contract cannot express.
func fromDomain(c customer.Customer) web.Properties {
	all := web.Properties{{Name: "id", Value: idPrefix + c.ID}}
	for _, p := range properties {
		text := p.text(c)
		if p.path == "locale" {
			text = toLocale(text)
		}
		if text == "" || p.oneOf != nil && !slices.Contains(p.oneOf, text) {
			all = append(all, web.Property{Name: p.name})
		} else {
			all = append(all, web.Property{Name: p.name, Value: text})
		}
	}
	return all
}

type customerPatch struct {
	fields  customer.Patch
	invalid error // why it cannot be applied to any record

	conditional bool // whether If-Match has versions
	condition   customer.Precondition

	repeated []property // those with last-seen values
	sent     []string   // the known properties in the body
	ignored  []string   // the unknown properties
}

// readPatch parses the body of a PATCH. Violations are returned by apply, because an unknown
// customer (404) precedes them.
func readPatch(r *http.Request) (customerPatch, error) {
	if _, err := web.RequestType(r, "application/json"); err != nil {
		return customerPatch{}, err
	}
	body, err := web.ReadBody(r)
	if err != nil {
		return customerPatch{}, err
	}
	in := customerPatch{fields: customer.Patch{}}
	members, err := web.Object(body)
	if err != nil {
		in.invalid = err
		return in, nil
	}
	values := map[string]web.Member{}
	for _, m := range members {
		values[m.Name] = m
		if slices.ContainsFunc(properties[:], func(p property) bool { return p.name == m.Name }) {
			in.sent = append(in.sent, m.Name)
		} else {
			in.ignored = append(in.ignored, m.Name)
		}
	}
	var checks fault.Validator
	for _, p := range properties {
		m, sent := values[p.name]
		p.read(m, sent, in.fields, &checks)
	}
	in.invalid = checks.Err()
	return in, nil
}

// read sets the property in the patch, unless its value breaks a rule of the contract.
func (p property) read(m web.Member, sent bool, into customer.Patch, checks *fault.Validator) {
	switch {
	case !sent || m.Null():
		checks.Require(!p.required, p.path, fault.Required, "is required")
		if sent {
			into[p.path] = nil
		}
		return
	case m.Value.Kind() != '"':
		checks.Require(false, p.path, fault.Type, "must be a string")
		return
	}
	text, _ := m.Text() // the kind was checked
	switch {
	case p.oneOf != nil:
		checks.Require(slices.Contains(p.oneOf, text), p.path, fault.Format, "must be one of "+strings.Join(p.oneOf, ", "))
	case p.required:
		checks.Require(strings.TrimSpace(text) != "", p.path, fault.Required, "must not be blank")
	}
	if p.path == "locale" {
		text = fromLocale(text)
	}
	if !checks.HasError(p.path) {
		into[p.path] = text
	}
}

// staleFields returns the last-seen values that the record has no longer.
func (p customerPatch) staleFields(c customer.Customer) []property {
	var stale []property
	for _, old := range p.repeated {
		if customer.NormalText(p.fields.Text(old.path)) != old.text(c) {
			stale = append(stale, old)
		}
	}
	return stale
}

// edit is apply, conditional on If-Match and the like.
func (p customerPatch) edit() customer.Edit { return p.condition.Edit(p.apply) }

// apply is the patch as an edit. Stale values are not written. Violations of the domain's rules and
// of the contract's are reported together.
func (p customerPatch) apply(c *customer.Customer) error {
	fields := maps.Clone(p.fields)
	for _, old := range p.staleFields(*c) {
		delete(fields, old.path)
	}
	if err := fields.Apply(c); err != nil {
		return err
	}
	return p.invalid
}

func (p customerPatch) outcome(ch customer.Change) web.Outcome {
	changed := map[string]bool{}
	for _, f := range ch.Diff() {
		changed[wireName(f.Path)] = true
	}
	old := p.staleFields(ch.Before)
	var current, stale []string
	for _, name := range p.sent {
		if slices.ContainsFunc(old, func(p property) bool { return p.name == name }) {
			stale = append(stale, name)
		} else {
			current = append(current, name)
		}
	}
	out := web.NewOutcome(current, changed, p.ignored)
	out.Stale = stale
	return out
}

func wireName(path string) string {
	if i := position(path); i >= 0 {
		return properties[i].name
	}
	return path
}
