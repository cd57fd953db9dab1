package customer_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kartotek/internal/customer"
)

// fieldCase is a value that a patch gives a field, and what full() becomes when the patch clears
// or sets the field.
type fieldCase struct {
	value          any
	cleared, isSet func(*customer.Customer)
}

func textCase(value string, in func(*customer.Customer) *string) fieldCase {
	return fieldCase{value, func(c *customer.Customer) { *in(c) = "" }, func(c *customer.Customer) { *in(c) = value }}
}

func boolCase(in func(*customer.Customer) *bool) fieldCase {
	unset := func(c *customer.Customer) { *in(c) = false }
	return fieldCase{false, unset, unset}
}

func fieldCases() map[string]fieldCase {
	type C = customer.Customer
	all := map[string]fieldCase{
		"kind":                     textCase(customer.Organisation, func(c *C) *string { return &c.Kind }),
		"firstName":                textCase("Ada", func(c *C) *string { return &c.FirstName }),
		"lastName":                 textCase("King", func(c *C) *string { return &c.LastName }),
		"birthDate":                textCase("1816-01-01", func(c *C) *string { return &c.BirthDate }),
		"gender":                   textCase("female", func(c *C) *string { return &c.Gender }),
		"locale":                   textCase("fr-BE", func(c *C) *string { return &c.Locale }),
		"nationalId":               textCase("1", func(c *C) *string { return &c.NationalID }),
		"organisationNumber":       textCase("2", func(c *C) *string { return &c.OrganisationNumber }),
		"email":                    textCase("ada@example.org", func(c *C) *string { return &c.Email }),
		"phone":                    textCase("112", func(c *C) *string { return &c.Phone }),
		"mobile":                   textCase("113", func(c *C) *string { return &c.Mobile }),
		"address.careOf":           textCase("Babbage", func(c *C) *string { return &c.Address.CareOf }),
		"address.houseNumber":      textCase("13", func(c *C) *string { return &c.Address.HouseNumber }),
		"address.houseLetter":      textCase("C", func(c *C) *string { return &c.Address.HouseLetter }),
		"address.entrance":         textCase("South", func(c *C) *string { return &c.Address.Entrance }),
		"address.floor":            textCase("4th", func(c *C) *string { return &c.Address.Floor }),
		"address.postalCode":       textCase("1000", func(c *C) *string { return &c.Address.PostalCode }),
		"address.city":             textCase("Brussel", func(c *C) *string { return &c.Address.City }),
		"address.country":          textCase("NL", func(c *C) *string { return &c.Address.Country }),
		"address.editable":         boolCase(func(c *C) *bool { return &c.Address.Editable }),
		"services.broadband":       boolCase(func(c *C) *bool { return &c.Services.Broadband }),
		"services.districtHeating": boolCase(func(c *C) *bool { return &c.Services.DistrictHeating }),
		"services.grid":            boolCase(func(c *C) *bool { return &c.Services.Grid }),
		"services.power":           boolCase(func(c *C) *bool { return &c.Services.Power }),
		"address.poBox": {
			value:   int64(0),
			cleared: func(c *C) { c.Address.POBox = customer.POBox{} },
			isSet:   func(c *C) { c.Address.POBox = customer.POBox{Given: true} },
		},
		"confirmedAt": {
			value:   noon,
			cleared: func(c *C) { c.ConfirmedAt = time.Time{} },
			isSet:   func(c *C) { c.ConfirmedAt = noon },
		},
	}
	line := textCase("Dorp 1", func(c *C) *string { return &c.Address.Line })
	all["address.line"] = fieldCase{line.value, then(line.cleared, noParts), then(line.isSet, noParts)}
	return all
}

// noParts clears the parts of the address, as a change of the line does.
func noParts(c *customer.Customer) {
	a := &c.Address
	a.CareOf, a.HouseNumber, a.HouseLetter, a.Entrance, a.Floor = "", "", "", "", ""
}

func then(steps ...func(*customer.Customer)) func(*customer.Customer) {
	return func(c *customer.Customer) {
		for _, step := range steps {
			step(c)
		}
	}
}

func TestPatchChangesOnlyItsFields(t *testing.T) {
	t.Parallel()
	try := func(name string, p customer.Patch, change func(*customer.Customer)) {
		got, want := full(), full()
		change(&want)
		if err := p.Apply(&got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	try("absent leaves the record alone", customer.Patch{}, then())
	for path, tt := range fieldCases() {
		try("null clears "+path, customer.Patch{path: nil}, tt.cleared)
		try("a value replaces "+path, customer.Patch{path: tt.value}, tt.isSet)
	}
}

func TestEveryFieldHasAPatchCase(t *testing.T) {
	t.Parallel()
	var paths []string
	for _, ch := range customer.Diff(customer.Customer{}, full()) {
		paths = append(paths, ch.Path)
	}
	slices.Sort(paths)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(fieldCases())), paths); diff != "" {
		t.Errorf("fields of a patch and of a diff differ (-patch +diff):\n%s", diff)
	}
}

func TestNewAddressLineClearsPartsNotInPatch(t *testing.T) {
	t.Parallel()
	was := full().Address // at Kerkstraat 12 B
	was.Line = "Zoëstraat 12 B"
	bare := was
	bare.CareOf, bare.HouseNumber, bare.HouseLetter, bare.Entrance, bare.Floor = "", "", "", "", ""
	with := func(a customer.Address, change func(*customer.Address)) customer.Address {
		change(&a)
		return a
	}
	tests := map[string]struct {
		patch customer.Patch
		want  customer.Address
	}{
		"another line clears them":            {customer.Patch{"address.line": "Dorp 1"}, with(bare, func(a *customer.Address) { a.Line = "Dorp 1" })},
		"no line clears them":                 {customer.Patch{"address.line": nil}, with(bare, func(a *customer.Address) { a.Line = "" })},
		"another case is another line":        {customer.Patch{"address.line": "zoëstraat 12 B"}, with(bare, func(a *customer.Address) { a.Line = "zoëstraat 12 B" })},
		"the same line clears nothing":        {customer.Patch{"address.line": was.Line}, was},
		"the same line in spaces is the same": {customer.Patch{"address.line": "\t Zoëstraat 12 B "}, was},
		"the same line decomposed is it too":  {customer.Patch{"address.line": "Zoe\u0308straat 12 B"}, was},
		"a part without a line clears none":   {customer.Patch{"address.floor": "4"}, with(was, func(a *customer.Address) { a.Floor = "4" })},
		"a named part is kept": {
			customer.Patch{"address.line": "Dorp 1", "address.floor": "4"},
			with(bare, func(a *customer.Address) { a.Line, a.Floor = "Dorp 1", "4" }),
		},
		"a part named as it was is kept": {
			customer.Patch{"address.line": "Dorp 1", "address.careOf": was.CareOf},
			with(bare, func(a *customer.Address) { a.Line, a.CareOf = "Dorp 1", was.CareOf }),
		},
		"all parts named are kept": {
			customer.Patch{
				"address.line": "Dorp 1", "address.careOf": "Babbage", "address.houseNumber": "1", "address.houseLetter": "A", "address.entrance": "E", "address.floor": nil,
			},
			with(bare, func(a *customer.Address) {
				a.Line, a.CareOf, a.HouseNumber, a.HouseLetter, a.Entrance = "Dorp 1", "Babbage", "1", "A", "E"
			}),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := ada()
			before.Address = was
			ch, err := customer.Apply(born(t, before), kari, tt.patch.Apply)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, ch.After.Address); diff != "" {
				t.Errorf("address (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFirstAddressLineClearsParts(t *testing.T) {
	t.Parallel()
	before := ada()
	before.Address = customer.Address{HouseNumber: "12", City: "Gent"}
	ch, err := customer.Apply(born(t, before), kari, customer.Patch{"address.line": "Dorp 1"}.Apply)
	if want := (customer.Address{Line: "Dorp 1", City: "Gent"}); err != nil || ch.After.Address != want {
		t.Errorf("address: got %+v, %v, want %+v", ch.After.Address, err, want)
	}
}
