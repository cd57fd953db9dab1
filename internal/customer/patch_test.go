package customer_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kartotek/internal/customer"
)

// noParts clears the parts of the address, as a change of the line does.
func noParts(c *customer.Customer) {
	a := &c.Address
	a.CareOf, a.HouseNumber, a.HouseLetter, a.Entrance, a.Floor = "", "", "", "", ""
}

// otherValues has for each field a value that differs from that of full.
var otherValues = map[string]any{
	"kind":                     "organisation",
	"firstName":                "Ada",
	"lastName":                 "King",
	"birthDate":                "1816-01-01",
	"gender":                   "female",
	"locale":                   "fr-BE",
	"nationalId":               "1",
	"organisationNumber":       "2",
	"email":                    "ada@example.org",
	"phone":                    "112",
	"mobile":                   "113",
	"address.line":             "Dorp 1",
	"address.careOf":           "Babbage",
	"address.houseNumber":      "13",
	"address.houseLetter":      "C",
	"address.entrance":         "South",
	"address.floor":            "4th",
	"address.poBox":            int64(0),
	"address.postalCode":       "1000",
	"address.city":             "Brussel",
	"address.region":           "Antwerpen",
	"address.country":          "NL",
	"address.editable":         false,
	"services.broadband":       false,
	"services.districtHeating": false,
	"services.grid":            false,
	"services.power":           false,
	"confirmedAt":              noon,
}

func TestPatchOfOneFieldChangesOnlyThatField(t *testing.T) {
	t.Parallel()
	for _, f := range customer.Fields() {
		other, ok := otherValues[f.Path]
		if c := full(); !ok || f.Get(&c) == nil || f.Get(&c) == other {
			t.Errorf("%s: want a value in full() and another one in otherValues", f.Path)
		}
		for _, value := range []any{nil, other} {
			got, want := full(), full()
			f.Set(&want, value)
			if f.Path == "address.line" {
				noParts(&want)
			}
			p := customer.Patch{}
			if err := p.Apply(&got); err != nil || got != full() {
				t.Errorf("the empty patch: %v, diff (-want +got):\n%s", err, cmp.Diff(full(), got))
			}
			p[f.Path] = value
			if err := p.Apply(&got); err != nil || got != want {
				t.Errorf("%s set to %v: %v, diff (-want +got):\n%s", f.Path, value, err, cmp.Diff(want, got))
			}
		}
	}
}

// TestTableOfFieldsNamesTheFieldsOfTheStruct finds the Go field of each path, which has the same
// name in another case, and compares its address with that in the table.
func TestTableOfFieldsNamesTheFieldsOfTheStruct(t *testing.T) {
	t.Parallel()
	var c customer.Customer
	paths := map[string]bool{}
	for _, f := range customer.Fields() {
		paths[f.Path] = true
		of := reflect.ValueOf(&c).Elem()
		for name := range strings.SplitSeq(f.Path, ".") {
			of = of.FieldByNameFunc(func(field string) bool { return strings.EqualFold(field, name) })
		}
		if !of.IsValid() || of.Addr().Interface() != f.Pointer(&c) {
			t.Errorf("%s is not the field of Customer with that name", f.Path)
		}
	}
	if got, want := len(customer.Diff(customer.Customer{}, full())), len(paths); got != want {
		t.Errorf("a diff of all fields has %d, want %d", got, want)
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
