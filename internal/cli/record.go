package cli

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/patch"
)

// record is a customer in the domain's own words, as "customer get" writes one
// and "customer import" reads one. In an import, an absent member leaves what it
// names as it is, and null clears it.
type record struct {
	ID     patch.Field[string] `json:"id"`
	Number patch.Field[int32]  `json:"number"`

	Kind               patch.Field[string]    `json:"kind"`
	FirstName          patch.Field[string]    `json:"firstName"`
	LastName           patch.Field[string]    `json:"lastName"`
	BirthDate          patch.Field[string]    `json:"birthDate"`
	Gender             patch.Field[string]    `json:"gender"`
	Locale             patch.Field[string]    `json:"locale"`
	NationalID         patch.Field[string]    `json:"nationalId"`
	OrganisationNumber patch.Field[string]    `json:"organisationNumber"`
	Email              patch.Field[string]    `json:"email"`
	Phone              patch.Field[string]    `json:"phone"`
	Mobile             patch.Field[string]    `json:"mobile"`
	Address            part[address]          `json:"address"`
	Services           part[services]         `json:"services"`
	ConfirmedAt        patch.Field[time.Time] `json:"confirmedAt"`

	// The server keeps these itself: an import reads over them.
	Version   jsontext.Value `json:"version,omitzero"`
	CreatedAt jsontext.Value `json:"createdAt,omitzero"`
	UpdatedAt jsontext.Value `json:"updatedAt,omitzero"`
}

type address struct {
	Line        patch.Field[string] `json:"line"`
	CareOf      patch.Field[string] `json:"careOf"`
	HouseNumber patch.Field[string] `json:"houseNumber"`
	HouseLetter patch.Field[string] `json:"houseLetter"`
	Entrance    patch.Field[string] `json:"entrance"`
	Floor       patch.Field[string] `json:"floor"`
	POBox       patch.Field[int32]  `json:"poBox"`
	PostalCode  patch.Field[string] `json:"postalCode"`
	City        patch.Field[string] `json:"city"`
	Country     patch.Field[string] `json:"country"`
	Editable    patch.Field[bool]   `json:"editable"`
}

type services struct {
	Broadband       patch.Field[bool] `json:"broadband"`
	DistrictHeating patch.Field[bool] `json:"districtHeating"`
	Grid            patch.Field[bool] `json:"grid"`
	Power           patch.Field[bool] `json:"power"`
}

// part is a part of the record: null stands for null in each of its members.
type part[T any] struct{ of T }

// MarshalJSONTo implements json.MarshalerTo.
func (p part[T]) MarshalJSONTo(enc *jsontext.Encoder) error { return json.MarshalEncode(enc, p.of) }

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (p *part[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != 'n' {
		return json.UnmarshalDecode(dec, &p.of)
	}
	if err := dec.SkipValue(); err != nil {
		return err
	}
	all, err := json.Marshal(p.of) // with every member null
	if err != nil {
		return err
	}
	return json.Unmarshal(all, &p.of)
}

// readRecord reads one line of an import. What is wrong with it is told in the
// domain's words, without its values.
func readRecord(line []byte) (record, error) {
	var r record
	err := json.Unmarshal(line, &r, json.RejectUnknownMembers(true))
	if err == nil {
		return r, r.check()
	}
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		if errors.Is(syntax, jsontext.ErrDuplicateName) {
			return record{}, wrong(syntax.JSONPointer, fault.Duplicate, "must not be repeated")
		}
		return record{}, fault.New(fault.BadRequest, "is not JSON")
	}
	semantic, ok := errors.AsType[*json.SemanticError](err)
	switch {
	case ok && errors.Is(semantic, json.ErrUnknownName):
		return record{}, wrong(semantic.JSONPointer, fault.Unknown, "is unknown")
	case ok && semantic.JSONPointer != "":
		return record{}, wrong(semantic.JSONPointer, fault.Type, "has a wrong type")
	}
	return record{}, fault.New(fault.BadRequest, "is not a JSON object")
}

func wrong(at jsontext.Pointer, rule, text string) error {
	var checks fault.Validator
	checks.Require(false, strings.Join(slices.Collect(at.Tokens()), "."), rule, text)
	return checks.Err()
}

// check holds what names the customer to its form; the domain checks the rest.
func (r record) check() error {
	var checks fault.Validator
	if r.ID.Value() != "" {
		id, err := uuid.Parse(r.ID.Value())
		checks.Require(err == nil && strings.EqualFold(id.String(), r.ID.Value()), "id", fault.Format, "must be a UUID")
	}
	checks.Require(r.Number.Value() > 0 || r.Number.Absent() || r.Number.Null(), "number", fault.Range, "must be 1 or more")
	return checks.Err()
}

// patch is what the record says of a customer.
func (r record) patch() customer.Patch {
	a, s := r.Address.of, r.Services.of
	return customer.Patch{
		Kind:               r.Kind,
		FirstName:          r.FirstName,
		LastName:           r.LastName,
		BirthDate:          r.BirthDate,
		Gender:             r.Gender,
		Locale:             r.Locale,
		NationalID:         r.NationalID,
		OrganisationNumber: r.OrganisationNumber,
		Email:              r.Email,
		Phone:              r.Phone,
		Mobile:             r.Mobile,
		Address: customer.AddressPatch{
			Line: a.Line, CareOf: a.CareOf, HouseNumber: a.HouseNumber, HouseLetter: a.HouseLetter,
			Entrance: a.Entrance, Floor: a.Floor, POBox: toPOBox(a.POBox), PostalCode: a.PostalCode,
			City: a.City, Country: a.Country, Editable: a.Editable,
		},
		Services: customer.ServicesPatch{
			Broadband: s.Broadband, DistrictHeating: s.DistrictHeating, Grid: s.Grid, Power: s.Power,
		},
		ConfirmedAt: r.ConfirmedAt,
	}
}

func toPOBox(f patch.Field[int32]) patch.Field[customer.POBox] {
	switch {
	case f.Absent():
		return patch.Field[customer.POBox]{}
	case f.Null():
		return patch.Clear[customer.POBox]()
	}
	return patch.Set(customer.POBox{Given: true, Number: f.Value()})
}

// fromDomain is c as "customer get" writes it: null for what it does not have.
func fromDomain(c customer.Customer) (record, error) {
	version, err := json.Marshal(c.Version)
	created, errCreated := json.Marshal(c.CreatedAt)
	updated, errUpdated := json.Marshal(c.UpdatedAt)
	r := record{
		ID:                 patch.Set(c.ID),
		Number:             patch.Set(c.Number),
		Kind:               text(c.Kind),
		FirstName:          text(c.FirstName),
		LastName:           text(c.LastName),
		BirthDate:          text(c.BirthDate),
		Gender:             text(c.Gender),
		Locale:             text(c.Locale),
		NationalID:         text(c.NationalID),
		OrganisationNumber: text(c.OrganisationNumber),
		Email:              text(c.Email),
		Phone:              text(c.Phone),
		Mobile:             text(c.Mobile),
		Address:            part[address]{fromAddress(c.Address)},
		Services: part[services]{services{
			Broadband: patch.Set(c.Services.Broadband), DistrictHeating: patch.Set(c.Services.DistrictHeating),
			Grid: patch.Set(c.Services.Grid), Power: patch.Set(c.Services.Power),
		}},
		Version:   version,
		CreatedAt: created,
		UpdatedAt: updated,
	}
	if !c.ConfirmedAt.IsZero() {
		r.ConfirmedAt = patch.Set(c.ConfirmedAt)
	}
	return r, errors.Join(err, errCreated, errUpdated)
}

func fromAddress(a customer.Address) address {
	out := address{
		Line: text(a.Line), CareOf: text(a.CareOf), HouseNumber: text(a.HouseNumber), HouseLetter: text(a.HouseLetter),
		Entrance: text(a.Entrance), Floor: text(a.Floor), PostalCode: text(a.PostalCode),
		City: text(a.City), Country: text(a.Country), Editable: patch.Set(a.Editable),
	}
	if a.POBox.Given {
		out.POBox = patch.Set(a.POBox.Number)
	}
	return out
}

func text(s string) patch.Field[string] {
	if s == "" {
		return patch.Clear[string]()
	}
	return patch.Set(s)
}

// reasons lists what is wrong, in the domain's words.
func reasons(err error) string {
	f := fault.From(err)
	if len(f.Fields) == 0 {
		return f.Text
	}
	var out []string
	for _, field := range f.Fields {
		out = append(out, field.Path+": "+field.Text)
	}
	return strings.Join(out, "; ")
}
