package lochting

import (
	"net/http"
	"slices"
	"strings"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/patch"
	"kartotek/internal/web"
)

const idPrefix = "customer-"

// customerBody is a customer as the contract shows one: null for what the
// customer does not have, and for what the contract cannot express.
type customerBody struct {
	ID           string  `json:"id"`
	FirstName    *string `json:"firstName"`
	LastName     *string `json:"lastName"`
	Locale       *string `json:"locale"`
	EmailAddress *string `json:"emailAddress"`
	Gender       *string `json:"gender"`
	NationalID   *string `json:"nationalId"`
	PhoneNumber  *string `json:"phoneNumber"`
	Address      *string `json:"address"`
	ZipCode      *string `json:"zipCode"`
	City         *string `json:"city"`
	Country      *string `json:"country"`
}

func fromDomain(c customer.Customer) customerBody {
	return customerBody{
		ID:           idPrefix + c.ID,
		FirstName:    orNull(c.FirstName),
		LastName:     orNull(c.LastName),
		Locale:       nullUnlessOneOf(locales, toLocale(c.Locale)),
		EmailAddress: orNull(c.Email),
		Gender:       orNull(c.Gender),
		NationalID:   orNull(c.NationalID),
		PhoneNumber:  orNull(c.Phone),
		Address:      orNull(c.Address.Line),
		ZipCode:      orNull(c.Address.PostalCode),
		City:         orNull(c.Address.City),
		Country:      nullUnlessOneOf(countries, c.Address.Country),
	}
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func nullUnlessOneOf(list []string, s string) *string {
	if !slices.Contains(list, s) {
		return nil
	}
	return &s
}

// The contract writes a locale with an underscore.
func toLocale(bcp47 string) string    { return strings.Replace(bcp47, "-", "_", 1) }
func fromLocale(locale string) string { return strings.Replace(locale, "_", "-", 1) }

var (
	locales = []string{
		"nl_BE", "fr_BE", "en_BE", "de_BE", "fr_FR", "en_FR", "de_DE", "en_DE", "en_AU",
		"en_ES", "es_ES", "en_AT", "de_AT", "en_CZ", "cs_CZ", "en_SG", "en_PT", "pt_PT",
	}
	countries = []string{"BE", "FR", "AU", "DE", "ES", "AT", "CZ", "SG", "PT"}
)

// property is one property of the body, in the order of the documentation.
type property struct {
	name       string
	path       string // the domain's name for it
	required   bool   // and never null
	oneOf      []string
	patchField func(*customer.Patch) *patch.Field[string]
	value      func(*customer.Customer) *string
}

var properties = [...]property{
	{
		"firstName", "firstName", true, nil,
		func(p *customer.Patch) *patch.Field[string] { return &p.FirstName },
		func(c *customer.Customer) *string { return &c.FirstName },
	},
	{
		"lastName", "lastName", true, nil,
		func(p *customer.Patch) *patch.Field[string] { return &p.LastName },
		func(c *customer.Customer) *string { return &c.LastName },
	},
	{
		"locale", "locale", true, locales,
		func(p *customer.Patch) *patch.Field[string] { return &p.Locale },
		func(c *customer.Customer) *string { return &c.Locale },
	},
	{
		"emailAddress", "email", true, nil,
		func(p *customer.Patch) *patch.Field[string] { return &p.Email },
		func(c *customer.Customer) *string { return &c.Email },
	},
	{
		"gender", "gender", true, customer.Genders(),
		func(p *customer.Patch) *patch.Field[string] { return &p.Gender },
		func(c *customer.Customer) *string { return &c.Gender },
	},
	{
		"nationalId", "nationalId", false, nil,
		func(p *customer.Patch) *patch.Field[string] { return &p.NationalID },
		func(c *customer.Customer) *string { return &c.NationalID },
	},
	{
		"phoneNumber", "phone", false, nil,
		func(p *customer.Patch) *patch.Field[string] { return &p.Phone },
		func(c *customer.Customer) *string { return &c.Phone },
	},
	{
		"address", "address.line", false, nil,
		func(p *customer.Patch) *patch.Field[string] { return &p.Address.Line },
		func(c *customer.Customer) *string { return &c.Address.Line },
	},
	{
		"zipCode", "address.postalCode", false, nil,
		func(p *customer.Patch) *patch.Field[string] { return &p.Address.PostalCode },
		func(c *customer.Customer) *string { return &c.Address.PostalCode },
	},
	{
		"city", "address.city", false, nil,
		func(p *customer.Patch) *patch.Field[string] { return &p.Address.City },
		func(c *customer.Customer) *string { return &c.Address.City },
	},
	{
		"country", "address.country", true, countries,
		func(p *customer.Patch) *patch.Field[string] { return &p.Address.Country },
		func(c *customer.Customer) *string { return &c.Address.Country },
	},
}

// customerPatch is the body of a PATCH.
type customerPatch struct {
	fields  customer.Patch
	invalid error // why it cannot be applied, whatever the record

	conditional bool    // whether the client named versions
	versions    []int64 // of which the record must be at one

	repeated []property // those that only repeat what the client believes
	sent     []string   // the known properties that it carried
	ignored  []string   // the others
}

// readPatch reads the body of a PATCH. What is wrong with it is kept for apply,
// since the contract looks for the customer first.
func readPatch(r *http.Request) (customerPatch, error) {
	if _, err := web.RequestType(r, "application/json"); err != nil {
		return customerPatch{}, err
	}
	body, err := web.ReadBody(r)
	if err != nil {
		return customerPatch{}, err
	}
	var in customerPatch
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
		p.read(m, sent, &in.fields, &checks)
	}
	in.invalid = checks.Err()
	return in, nil
}

// read puts the value of the property into the patch, unless the contract itself
// refuses it.
func (p property) read(m web.Member, sent bool, into *customer.Patch, checks *fault.Validator) {
	switch {
	case !sent || m.Null():
		checks.Require(!p.required, p.path, fault.Required, "is required")
		if sent {
			*p.patchField(into) = patch.Clear[string]()
		}
		return
	case m.Value.Kind() != '"':
		checks.Require(false, p.path, fault.Type, "must be a string")
		return
	}
	text, _ := m.Text() // it is a string
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
		*p.patchField(into) = patch.Set(text)
	}
}

// stale are the echoes of what has changed since the client learned it.
func (p customerPatch) staleFields(c customer.Customer) []property {
	var stale []property
	for _, echo := range p.repeated {
		if customer.NormalText(echo.patchField(&p.fields).Value()) != *echo.value(&c) {
			stale = append(stale, echo)
		}
	}
	return stale
}

// edit is apply, tied to the versions that the client named.
func (p customerPatch) edit() customer.Edit {
	if p.conditional {
		return customer.AtVersion(p.versions, p.apply)
	}
	return p.apply
}

// apply is the patch as an edit. A stale property stays as it is. The record's own
// rules are told with what the contract refuses.
func (p customerPatch) apply(c *customer.Customer) error {
	fields := p.fields
	for _, old := range p.staleFields(*c) {
		*old.patchField(&fields) = patch.Field[string]{}
	}
	if err := fields.Apply(c); err != nil {
		return err
	}
	return p.invalid
}

// outcome says what became of each property that the patch carried.
func (p customerPatch) outcome(ch customer.Change) web.Outcome {
	moved := map[string]bool{}
	for _, f := range ch.Diff() {
		moved[wireName(f.Path)] = true
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
	out := web.NewOutcome(current, moved, p.ignored)
	out.Stale = stale
	return out
}

// wireName is a domain field's name in this contract.
func wireName(path string) string {
	for _, p := range properties {
		if p.path == path {
			return p.name
		}
	}
	return path
}
