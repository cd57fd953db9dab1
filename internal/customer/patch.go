package customer

import (
	"log/slog"
	"time"

	"kartotek/internal/patch"
)

// Patch is a partial update; its Apply method is an Edit.
type Patch struct {
	Kind      patch.Field[string]
	FirstName patch.Field[string]
	LastName  patch.Field[string]
	BirthDate patch.Field[string]
	Gender    patch.Field[string]
	Locale    patch.Field[string]

	NationalID         patch.Field[string]
	OrganisationNumber patch.Field[string]

	Email  patch.Field[string]
	Phone  patch.Field[string]
	Mobile patch.Field[string]

	Address  AddressPatch
	Services ServicesPatch

	ConfirmedAt patch.Field[time.Time]
}

// LogValue keeps personal data out of every log.
func (p Patch) LogValue() slog.Value { return slog.StringValue("patch") }

// AddressPatch is a partial update of an address.
type AddressPatch struct {
	Line        patch.Field[string]
	CareOf      patch.Field[string]
	HouseNumber patch.Field[string]
	HouseLetter patch.Field[string]
	Entrance    patch.Field[string]
	Floor       patch.Field[string]
	POBox       patch.Field[POBox]
	PostalCode  patch.Field[string]
	City        patch.Field[string]
	Country     patch.Field[string]
	Editable    patch.Field[bool]
}

// LogValue keeps personal data out of every log.
func (p AddressPatch) LogValue() slog.Value { return slog.StringValue("patch of an address") }

// ServicesPatch is a partial update of the services.
type ServicesPatch struct {
	Broadband, DistrictHeating, Grid, Power patch.Field[bool]
}

// Apply writes the fields that are not absent.
func (p Patch) Apply(c *Customer) error {
	p.Kind.Into(&c.Kind)
	p.FirstName.Into(&c.FirstName)
	p.LastName.Into(&c.LastName)
	p.BirthDate.Into(&c.BirthDate)
	p.Gender.Into(&c.Gender)
	p.Locale.Into(&c.Locale)
	p.NationalID.Into(&c.NationalID)
	p.OrganisationNumber.Into(&c.OrganisationNumber)
	p.Email.Into(&c.Email)
	p.Phone.Into(&c.Phone)
	p.Mobile.Into(&c.Mobile)
	p.Address.apply(&c.Address)
	p.Services.apply(&c.Services)
	p.ConfirmedAt.Into(&c.ConfirmedAt)
	return nil
}

// apply clears the parts of an address when its line changes and the patch does
// not say what they are now: the old ones would contradict the new line.
func (p AddressPatch) apply(a *Address) {
	if !p.Line.Absent() && NormalText(p.Line.Value()) != a.Line {
		a.CareOf, a.HouseNumber, a.HouseLetter, a.Entrance, a.Floor = "", "", "", "", ""
	}
	p.Line.Into(&a.Line)
	p.CareOf.Into(&a.CareOf)
	p.HouseNumber.Into(&a.HouseNumber)
	p.HouseLetter.Into(&a.HouseLetter)
	p.Entrance.Into(&a.Entrance)
	p.Floor.Into(&a.Floor)
	p.POBox.Into(&a.POBox)
	p.PostalCode.Into(&a.PostalCode)
	p.City.Into(&a.City)
	p.Country.Into(&a.Country)
	p.Editable.Into(&a.Editable)
}

func (p ServicesPatch) apply(s *Services) {
	p.Broadband.Into(&s.Broadband)
	p.DistrictHeating.Into(&s.DistrictHeating)
	p.Grid.Into(&s.Grid)
	p.Power.Into(&s.Power)
}
