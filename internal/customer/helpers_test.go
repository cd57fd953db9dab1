package customer_test

import (
	"strings"
	"testing"
	"time"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// noon is the time of every test that does not care.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var kari = customer.ChangeMeta{Actor: "account:kari", Contract: "elw", RequestID: "r1", At: noon}

// ada is the least that a record may be.
func ada() customer.Customer {
	return customer.Customer{
		Tenant:   "north",
		ID:       "0191d3a0-0000-7000-8000-000000000001",
		Number:   7,
		Kind:     customer.Person,
		LastName: "Lovelace",
	}
}

// full has a value of its own in every field.
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

// born is c after its birth, as a store would hold it.
func born(t interface {
	Helper()
	Fatalf(string, ...any)
}, c customer.Customer,
) customer.Customer {
	t.Helper()
	ch, err := customer.Create(c, kari)
	if err != nil {
		t.Fatalf("Born(%+v): %v", c, err)
	}
	return ch.After
}

// broken is the rules that err names, "path:rule", in order.
func broken(err error) string {
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

func wantBroken(t *testing.T, err error, want string, input any) {
	t.Helper()
	if got := broken(err); got != want {
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
