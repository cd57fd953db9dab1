package storetest

import (
	"math"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"kartotek/internal/customer"
)

// allFieldsAreStored creates random customers and replaces all fields of each.
func allFieldsAreStored(t *testing.T, s *suite) {
	n := int32(0)
	rapid.Check(t, func(t *rapid.T) {
		n++
		created := s.upsert(t, "north", customer.Upsert{ID: id(n), Edit: replaceWith(anyCustomer.Draw(t, "created"))})[0]
		s.wantCustomer(t, created)

		ref := customer.ByID("north", created.ID)
		ch, err := s.Update(t.Context(), ref, meta(5), replaceWith(anyCustomer.Draw(t, "updated")), nil)
		if err != nil {
			t.Fatal(err)
		}
		s.wantCustomer(t, ch.After)
		if !ch.Empty() {
			s.wantNewestChange(t, ch)
		}
	})
}

// replaceWith returns an edit that sets every field to that of want.
func replaceWith(want customer.Customer) customer.Edit {
	return func(c *customer.Customer) error {
		want.Tenant, want.ID, want.Number, want.Version = c.Tenant, c.ID, c.Number, c.Version
		want.CreatedAt, want.UpdatedAt = c.CreatedAt, c.UpdatedAt
		*c = want
		return nil
	}
}

// anyCustomer draws valid customers, with zero values for the fields that the server sets.
var anyCustomer = rapid.Custom(func(t *rapid.T) customer.Customer {
	var c customer.Customer
	for _, f := range customer.Fields() {
		values, ok := valuesOf[f.Path]
		if !ok {
			values = valuesOfType[f.Type]
		}
		value := values.Draw(t, f.Path)
		if value == "" {
			value = nil
		}
		if !f.Set(&c, value) {
			t.Fatalf("%s: %v has a wrong type", f.Path, value)
		}
	}
	c.LastName = "L" + c.LastName // one name is required
	return c
})

// valuesOf has the fields that do not accept all values of their type.
var valuesOf = map[string]*rapid.Generator[any]{
	"kind":               rapid.SampledFrom([]string{customer.Person, customer.Organisation}).AsAny(),
	"birthDate":          optional(civilDates).AsAny(),
	"gender":             optional(rapid.SampledFrom(customer.Genders())).AsAny(),
	"locale":             optional(rapid.SampledFrom([]string{"nl-BE", "sv-SE", "en-GB"})).AsAny(),
	"email":              optional(rapid.StringMatching(`[a-z]{1,20}@[a-z]{1,9}\.(com|example)`)).AsAny(),
	"phone":              optional(phones).AsAny(),
	"mobile":             optional(phones).AsAny(),
	"address.postalCode": optional(rapid.StringMatching(`[0-9A-Z -]{1,20}`)).AsAny(),
	"address.country":    optional(rapid.SampledFrom([]string{"BE", "SE", "GB"})).AsAny(),
}

var valuesOfType = map[customer.FieldType]*rapid.Generator[any]{
	customer.TypeText:    texts.AsAny(),
	customer.TypeBool:    rapid.Bool().AsAny(),
	customer.TypeInteger: rapid.OneOf(rapid.Just[any](nil), rapid.Int64Range(0, math.MaxInt32).AsAny()),
	customer.TypeTime:    optional(times).AsAny(),
}

var (
	// texts are short or empty, in any script, with characters that JSON and SQL must escape.
	texts = rapid.StringOfN(rapid.RuneFrom([]rune("\"'\\/<>&%_\u2028🙂"), unicode.Letter, unicode.Digit, unicode.Mn), 0, 10, -1)

	phones = rapid.StringMatching(`\+[0-9]{3,15}[ ()./-]{0,5}[0-9]`)

	civilDates = rapid.Map(rapid.Int64Range(-40_000, 20_000), func(day int64) string {
		return time.Unix(day*24*60*60, 0).UTC().Format(time.DateOnly)
	})

	times = rapid.Map(rapid.Int64Range(-1e18, 4e18), func(ns int64) time.Time { return time.Unix(0, ns) })
)

// optional also draws the zero value.
func optional[V any](g *rapid.Generator[V]) *rapid.Generator[V] {
	var none V
	return rapid.OneOf(rapid.Just(none), g)
}
