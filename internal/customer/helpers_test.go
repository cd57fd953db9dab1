package customer_test

import (
	"strings"
	"testing"
	"time"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// noon is the default time of tests.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var kari = customer.ChangeMeta{Actor: "acc_kari", ActorName: "kari", Contract: "elw", RequestID: "r1", At: noon}

// ada returns a minimal valid record.
func ada() customer.Customer {
	return customer.Customer{
		Tenant:   "north",
		ID:       "0191d3a0-0000-7000-8000-000000000001",
		Number:   7,
		Kind:     customer.Person,
		LastName: "Lovelace",
	}
}

// full returns a record with a distinct value in every field.
func full() customer.Customer {
	c := ada()
	c.FirstName = "Augusta"
	c.BirthDate = "1815-12-10"
	c.Gender = "nonBinary"
	c.Locale = "nl-BE"
	c.NationalID = "15.12.10-123.45"
	c.OrganisationNumber = "556016-0680"
	c.Email = "augusta@example.com"
	c.Phone = "+32 2 555 12 34"
	c.Mobile = "+32 470 99 88 77"
	c.Address = customer.Address{
		Line:        "Kerkstraat 12 B",
		CareOf:      "c/o Byron",
		HouseNumber: "12",
		HouseLetter: "B",
		Entrance:    "North door",
		Floor:       "3rd",
		POBox:       customer.POBox{Valid: true, Number: 4242},
		PostalCode:  "9000",
		City:        "Gent",
		Region:      "Oost-Vlaanderen",
		Country:     "BE",
		Editable:    true,
	}
	c.Services = customer.Services{Broadband: true, DistrictHeating: true, Grid: true, Power: true}
	c.ConfirmedAt = noon.Add(-time.Hour)
	return c
}

// stored returns c as a store has it after its creation.
func stored(t interface {
	Helper()
	Fatalf(string, ...any)
}, c customer.Customer,
) customer.Customer {
	t.Helper()
	ch, err := customer.Create(c, kari)
	if err != nil {
		t.Fatalf("Create(%+v): %v", c, err)
	}
	return ch.After
}

// brokenRules lists the rules in err, "path:rule", in order.
func brokenRules(err error) string {
	if err == nil {
		return ""
	}
	if !fault.Is(err, fault.Invalid) {
		return err.Error()
	}
	var rules []string
	for _, f := range fault.From(err).Fields {
		rules = append(rules, f.Path+":"+f.Rule)
	}
	return strings.Join(rules, " ")
}

func wantRules(t *testing.T, err error, want string, input any) {
	t.Helper()
	if got := brokenRules(err); got != want {
		t.Errorf("broken rules: got %q, want %q, for %+v", got, want, input)
	}
}

// text returns the text field with this path; it panics when there is none.
func text(c *customer.Customer, path string) *string {
	if path == "id" {
		return &c.ID
	}
	f, _ := customer.FieldByPath(path)
	return f.Pointer(c).(*string)
}
