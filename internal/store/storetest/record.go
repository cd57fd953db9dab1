package storetest

import (
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"kartotek/internal/customer"
)

// everyFieldSurvives creates customers that are drawn at random, and turns each
// into another.
func everyFieldSurvives(t *testing.T, s *subject) {
	n := int32(0)
	rapid.Check(t, func(t *rapid.T) {
		n++
		born := s.put(t, "north", customer.Upsert{ID: id(n), Edit: become(records.Draw(t, "born"))})[0]
		s.wantRecord(t, born)

		ref := customer.ByID("north", born.ID)
		ch, err := s.Update(t.Context(), ref, signature(5), become(records.Draw(t, "revised")), nil)
		if err != nil {
			t.Fatal(err)
		}
		s.wantRecord(t, ch.After)
		if !ch.Empty() {
			s.wantRecorded(t, ch)
		}
	})
}

// become is an edit that gives a customer every field of want.
func become(want customer.Customer) customer.Edit {
	return func(c *customer.Customer) error {
		want.Tenant, want.ID, want.Number, want.Version = c.Tenant, c.ID, c.Number, c.Version
		want.CreatedAt, want.UpdatedAt = c.CreatedAt, c.UpdatedAt
		*c = want
		return nil
	}
}

// records draws customers that break no rule, without their bookkeeping.
var records = rapid.Custom(func(t *rapid.T) customer.Customer {
	return customer.Customer{
		Kind:      rapid.SampledFrom([]string{customer.Person, customer.Organisation}).Draw(t, "kind"),
		FirstName: texts.Draw(t, "firstName"),
		LastName:  "L" + texts.Draw(t, "lastName"), // the rule wants a name
		BirthDate: optional(birthDates).Draw(t, "birthDate"),
		Gender:    optional(rapid.SampledFrom(customer.Genders())).Draw(t, "gender"),
		Locale:    optional(rapid.SampledFrom([]string{"nl-BE", "sv-SE", "en-GB"})).Draw(t, "locale"),

		NationalID:         texts.Draw(t, "nationalId"),
		OrganisationNumber: texts.Draw(t, "organisationNumber"),

		Email:  optional(rapid.StringMatching(`[a-z]{1,20}@[a-z]{1,9}\.(com|example)`)).Draw(t, "email"),
		Phone:  optional(phones).Draw(t, "phone"),
		Mobile: optional(phones).Draw(t, "mobile"),

		Address: addresses.Draw(t, "address"),
		Services: customer.Services{
			Broadband:       rapid.Bool().Draw(t, "broadband"),
			DistrictHeating: rapid.Bool().Draw(t, "districtHeating"),
			Grid:            rapid.Bool().Draw(t, "grid"),
			Power:           rapid.Bool().Draw(t, "power"),
		},
		ConfirmedAt: optional(times).Draw(t, "confirmedAt"),
	}
})

var addresses = rapid.Custom(func(t *rapid.T) customer.Address {
	return customer.Address{
		Line:        texts.Draw(t, "line"),
		CareOf:      texts.Draw(t, "careOf"),
		HouseNumber: texts.Draw(t, "houseNumber"),
		HouseLetter: texts.Draw(t, "houseLetter"),
		Entrance:    texts.Draw(t, "entrance"),
		Floor:       texts.Draw(t, "floor"),
		POBox:       optional(boxes).Draw(t, "poBox"),
		PostalCode:  optional(rapid.StringMatching(`[0-9A-Z -]{1,20}`)).Draw(t, "postalCode"),
		City:        texts.Draw(t, "city"),
		Country:     optional(rapid.SampledFrom([]string{"BE", "SE", "GB"})).Draw(t, "country"),
		Editable:    rapid.Bool().Draw(t, "editable"),
	}
})

var (
	// texts are short and of any script, with what JSON and SQL must escape, and
	// at times empty.
	texts = rapid.StringOfN(rapid.RuneFrom([]rune("\"'\\/<>&%_\u2028🙂"), unicode.Letter, unicode.Digit, unicode.Mn), 0, 10, -1)

	phones = rapid.StringMatching(`\+[0-9]{3,15}[ ()./-]{0,5}[0-9]`)

	birthDates = rapid.Map(rapid.Int64Range(-40_000, 20_000), func(day int64) string {
		return time.Unix(day*24*60*60, 0).UTC().Format(time.DateOnly)
	})

	times = rapid.Map(rapid.Int64Range(-1e18, 4e18), func(ns int64) time.Time { return time.Unix(0, ns) })

	boxes = rapid.Map(rapid.Int32Min(0), func(n int32) customer.POBox {
		return customer.POBox{Given: true, Number: n}
	})
)

// optional draws the zero value as well.
func optional[V any](g *rapid.Generator[V]) *rapid.Generator[V] {
	var none V
	return rapid.OneOf(rapid.Just(none), g)
}
