package sqlite

import (
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"kartotek/internal/customer"
)

// column is a column of customers, with the field that it holds.
type column struct {
	name  string
	path  string                       // the domain's name for the field; empty for what no edit changes
	field func(*customer.Customer) any // a *string, *bool, *int32, *int64, *customer.POBox or *time.Time
}

// moving are the columns that a change may write.
var moving = []column{
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

// columns are all of them. An UPDATE does not name those that never change, so
// that it leaves their indexes alone.
var columns = append([]column{
	{"tenant", "", func(c *customer.Customer) any { return &c.Tenant }},
	{"id", "", func(c *customer.Customer) any { return &c.ID }},
	{"number", "", func(c *customer.Customer) any { return &c.Number }},
	{"created_at", "", func(c *customer.Customer) any { return &c.CreatedAt }},
}, moving...)

func names(cols []column) string {
	list := make([]string, len(cols))
	for i, col := range cols {
		list[i] = col.name
	}
	return strings.Join(list, ", ")
}

func marks(cols []column) string {
	return strings.Join(slices.Repeat([]string{"?"}, len(cols)), ", ")
}

// bind gives a parameter, counted from 1, the value of a field. What the
// customer does not have is NULL.
func bind(stmt *sqlite.Stmt, param int, field any) {
	switch p := field.(type) {
	case *string:
		bindText(stmt, param, *p)
	case *bool:
		stmt.BindBool(param, *p)
	case *int32:
		stmt.BindInt64(param, int64(*p))
	case *int64:
		stmt.BindInt64(param, *p)
	case *customer.POBox:
		if p.Given {
			stmt.BindInt64(param, int64(p.Number))
		}
	case *time.Time:
		if !p.IsZero() {
			stmt.BindInt64(param, p.UnixMicro())
		}
	}
}

// bindText leaves NULL, which every parameter is at first, for an empty text.
func bindText(stmt *sqlite.Stmt, param int, s string) {
	if s != "" {
		stmt.BindText(param, s)
	}
}

// scan sets a field to the value of a column, counted from 0.
func scan(stmt *sqlite.Stmt, col int, field any) {
	if stmt.ColumnIsNull(col) {
		return // the zero value says so
	}
	switch p := field.(type) {
	case *string:
		*p = stmt.ColumnText(col)
	case *bool:
		*p = stmt.ColumnBool(col)
	case *int32:
		*p = stmt.ColumnInt32(col)
	case *int64:
		*p = stmt.ColumnInt64(col)
	case *customer.POBox:
		*p = customer.POBox{Given: true, Number: stmt.ColumnInt32(col)}
	case *time.Time:
		*p = instant(stmt.ColumnInt64(col))
	}
}

// scanCustomer reads a row of columns.
func scanCustomer(stmt *sqlite.Stmt) (c customer.Customer) {
	for i, col := range columns {
		scan(stmt, i, col.field(&c))
	}
	return c
}

func instant(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
