package customer_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kartotek/internal/customer"
	"kartotek/internal/patch"
)

// noParts is what becomes of an address whose line changes.
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
			var p customer.Patch
			if err := p.Apply(&got); err != nil || got != full() {
				t.Errorf("the empty patch: %v, diff (-want +got):\n%s", err, cmp.Diff(full(), got))
			}
			f.SetPatch(&p, value)
			if err := p.Apply(&got); err != nil || got != want {
				t.Errorf("%s set to %v: %v, diff (-want +got):\n%s", f.Path, value, err, cmp.Diff(want, got))
			}
		}
	}
}

// TestTableOfFieldsNamesTheFieldsOfTheStructs finds the Go field of each path, which has the same
// name in another case, and compares its address with that in the table.
func TestTableOfFieldsNamesTheFieldsOfTheStructs(t *testing.T) {
	t.Parallel()
	var c customer.Customer
	var p customer.Patch
	paths := map[string]bool{}
	for _, f := range customer.Fields() {
		paths[f.Path] = true
		of, in := reflect.ValueOf(&c).Elem(), reflect.ValueOf(&p).Elem()
		for name := range strings.SplitSeq(f.Path, ".") {
			sameName := func(field string) bool { return strings.EqualFold(field, name) }
			of, in = of.FieldByNameFunc(sameName), in.FieldByNameFunc(sameName)
		}
		if !of.IsValid() || of.Addr().Interface() != f.Pointer(&c) {
			t.Errorf("%s is not the field of Customer with that name", f.Path)
		}
		if f.SetPatch(&p, otherValues[f.Path]); !in.IsValid() || in.MethodByName("Absent").Call(nil)[0].Bool() {
			t.Errorf("%s is not the field of Patch with that name", f.Path)
		}
	}
	if got, want := len(paths), countFields(reflect.TypeFor[customer.Patch]()); got != want {
		t.Errorf("the table has %d fields, Patch has %d", got, want)
	}
	if got, want := len(customer.Diff(customer.Customer{}, full())), len(paths); got != want {
		t.Errorf("a diff of all fields has %d, want %d", got, want)
	}
}

func countFields(of reflect.Type) int {
	n := 0
	for i := range of.NumField() {
		switch of.Field(i).Type {
		case reflect.TypeFor[customer.AddressPatch](), reflect.TypeFor[customer.ServicesPatch]():
			n += countFields(of.Field(i).Type)
		default:
			n++
		}
	}
	return n
}

func TestANewLineClearsThePartsThatThePatchDoesNotName(t *testing.T) {
	t.Parallel()
	set, null := patch.Set[string], patch.Clear[string]()
	was := full().Address // at Kerkstraat 12 B
	was.Line = "Zoëstraat 12 B"
	bare := was
	bare.CareOf, bare.HouseNumber, bare.HouseLetter, bare.Entrance, bare.Floor = "", "", "", "", ""
	with := func(a customer.Address, change func(*customer.Address)) customer.Address {
		change(&a)
		return a
	}
	tests := map[string]struct {
		patch customer.AddressPatch
		want  customer.Address
	}{
		"another line clears them":            {customer.AddressPatch{Line: set("Dorp 1")}, with(bare, func(a *customer.Address) { a.Line = "Dorp 1" })},
		"no line clears them":                 {customer.AddressPatch{Line: null}, with(bare, func(a *customer.Address) { a.Line = "" })},
		"another case is another line":        {customer.AddressPatch{Line: set("zoëstraat 12 B")}, with(bare, func(a *customer.Address) { a.Line = "zoëstraat 12 B" })},
		"the same line clears nothing":        {customer.AddressPatch{Line: set(was.Line)}, was},
		"the same line in spaces is the same": {customer.AddressPatch{Line: set("\t Zoëstraat 12 B ")}, was},
		"the same line decomposed is it too":  {customer.AddressPatch{Line: set("Zoe\u0308straat 12 B")}, was},
		"a part without a line clears none":   {customer.AddressPatch{Floor: set("4")}, with(was, func(a *customer.Address) { a.Floor = "4" })},
		"a named part is kept": {
			customer.AddressPatch{Line: set("Dorp 1"), Floor: set("4")},
			with(bare, func(a *customer.Address) { a.Line, a.Floor = "Dorp 1", "4" }),
		},
		"a part named as it was is kept": {
			customer.AddressPatch{Line: set("Dorp 1"), CareOf: set(was.CareOf)},
			with(bare, func(a *customer.Address) { a.Line, a.CareOf = "Dorp 1", was.CareOf }),
		},
		"all parts named are kept": {
			customer.AddressPatch{
				Line: set("Dorp 1"), CareOf: set("Babbage"), HouseNumber: set("1"), HouseLetter: set("A"), Entrance: set("E"), Floor: null,
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
			ch, err := customer.Apply(born(t, before), kari, customer.Patch{Address: tt.patch}.Apply)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, ch.After.Address); diff != "" {
				t.Errorf("address (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheFirstLineClearsTheParts(t *testing.T) {
	t.Parallel()
	before := ada()
	before.Address = customer.Address{HouseNumber: "12", City: "Gent"}
	ch, err := customer.Apply(born(t, before), kari, customer.Patch{
		Address: customer.AddressPatch{Line: patch.Set("Dorp 1")},
	}.Apply)
	if want := (customer.Address{Line: "Dorp 1", City: "Gent"}); err != nil || ch.After.Address != want {
		t.Errorf("address: got %+v, %v, want %+v", ch.After.Address, err, want)
	}
}
