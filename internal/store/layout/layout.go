// Package layout is how a customer, and a change to one, lie in tables: what all
// engines have in common. It knows no engine.
//
// Read layout.go for the columns of a customer, fields.go for those of a change.
package layout

import (
	"strings"
	"time"

	"kartotek/internal/customer"
)

// Column is a column of customers, with the field that it holds.
type Column struct {
	Name  string
	Path  string                       // the domain's name for the field; empty for what no edit changes
	Field func(*customer.Customer) any // a *string, *bool, *int32, *int64, *customer.POBox or *time.Time
}

// Moving are the columns that a change may write.
var Moving = []Column{
	{"version", "", func(c *customer.Customer) any { return &c.Version }},
	{"kind", "kind", func(c *customer.Customer) any { return &c.Kind }},
	{"first_name", "firstName", func(c *customer.Customer) any { return &c.FirstName }},
	{"last_name", "lastName", func(c *customer.Customer) any { return &c.LastName }},
	{"birth_date", "birthDate", func(c *customer.Customer) any { return &c.BirthDate }},
	{"gender", "gender", func(c *customer.Customer) any { return &c.Gender }},
	{"locale", "locale", func(c *customer.Customer) any { return &c.Locale }},
	{"national_id", "nationalId", func(c *customer.Customer) any { return &c.NationalID }},
	{"organisation_number", "organisationNumber", func(c *customer.Customer) any { return &c.OrganisationNumber }},
	{"email", "email", func(c *customer.Customer) any { return &c.Email }},
	{"phone", "phone", func(c *customer.Customer) any { return &c.Phone }},
	{"mobile", "mobile", func(c *customer.Customer) any { return &c.Mobile }},
	{"address_line", "address.line", func(c *customer.Customer) any { return &c.Address.Line }},
	{"address_care_of", "address.careOf", func(c *customer.Customer) any { return &c.Address.CareOf }},
	{"address_house_number", "address.houseNumber", func(c *customer.Customer) any { return &c.Address.HouseNumber }},
	{"address_house_letter", "address.houseLetter", func(c *customer.Customer) any { return &c.Address.HouseLetter }},
	{"address_entrance", "address.entrance", func(c *customer.Customer) any { return &c.Address.Entrance }},
	{"address_floor", "address.floor", func(c *customer.Customer) any { return &c.Address.Floor }},
	{"address_po_box", "address.poBox", func(c *customer.Customer) any { return &c.Address.POBox }},
	{"address_postal_code", "address.postalCode", func(c *customer.Customer) any { return &c.Address.PostalCode }},
	{"address_city", "address.city", func(c *customer.Customer) any { return &c.Address.City }},
	{"address_country", "address.country", func(c *customer.Customer) any { return &c.Address.Country }},
	{"address_editable", "address.editable", func(c *customer.Customer) any { return &c.Address.Editable }},
	{"broadband", "services.broadband", func(c *customer.Customer) any { return &c.Services.Broadband }},
	{"district_heating", "services.districtHeating", func(c *customer.Customer) any { return &c.Services.DistrictHeating }},
	{"grid", "services.grid", func(c *customer.Customer) any { return &c.Services.Grid }},
	{"power", "services.power", func(c *customer.Customer) any { return &c.Services.Power }},
	{"confirmed_at", "confirmedAt", func(c *customer.Customer) any { return &c.ConfirmedAt }},
	{"updated_at", "", func(c *customer.Customer) any { return &c.UpdatedAt }},
}

// Columns are all of them. An UPDATE does not name those that never change, so
// that it leaves their indexes alone.
var Columns = append([]Column{
	{"tenant", "", func(c *customer.Customer) any { return &c.Tenant }},
	{"id", "", func(c *customer.Customer) any { return &c.ID }},
	{"number", "", func(c *customer.Customer) any { return &c.Number }},
	{"created_at", "", func(c *customer.Customer) any { return &c.CreatedAt }},
}, Moving...)

// Names lists the columns for a statement.
func Names(cols []Column) string {
	list := make([]string, len(cols))
	for i, col := range cols {
		list[i] = col.Name
	}
	return strings.Join(list, ", ")
}

// Instant is the time that stands in a column as microseconds since 1970.
func Instant(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
