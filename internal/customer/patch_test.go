package customer_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kartotek/internal/customer"
	"kartotek/internal/patch"
)

// move is one field: how a patch clears it or sets it, and what full() becomes.
type move struct {
	clear, set     customer.Patch
	cleared, isSet func(*customer.Customer)
}

func textMove(value string, field func(*customer.Patch) *patch.Field[string], in func(*customer.Customer) *string) move {
	var m move
	*field(&m.clear) = patch.Clear[string]()
	*field(&m.set) = patch.Set(value)
	m.cleared = func(c *customer.Customer) { *in(c) = "" }
	m.isSet = func(c *customer.Customer) { *in(c) = value }
	return m
}

func flagMove(field func(*customer.Patch) *patch.Field[bool], in func(*customer.Customer) *bool) move {
	var m move
	*field(&m.clear) = patch.Clear[bool]()
	*field(&m.set) = patch.Set(false)
	m.cleared = func(c *customer.Customer) { *in(c) = false }
	m.isSet = m.cleared
	return m
}

func moves() map[string]move {
	type P = customer.Patch
	type C = customer.Customer
	type T = patch.Field[string]
	type B = patch.Field[bool]
	all := map[string]move{
		"firstName":                textMove("Ada", func(p *P) *T { return &p.FirstName }, func(c *C) *string { return &c.FirstName }),
		"lastName":                 textMove("King", func(p *P) *T { return &p.LastName }, func(c *C) *string { return &c.LastName }),
		"birthDate":                textMove("1816-01-01", func(p *P) *T { return &p.BirthDate }, func(c *C) *string { return &c.BirthDate }),
		"gender":                   textMove("female", func(p *P) *T { return &p.Gender }, func(c *C) *string { return &c.Gender }),
		"locale":                   textMove("fr-BE", func(p *P) *T { return &p.Locale }, func(c *C) *string { return &c.Locale }),
		"nationalId":               textMove("1", func(p *P) *T { return &p.NationalID }, func(c *C) *string { return &c.NationalID }),
		"organisationNumber":       textMove("2", func(p *P) *T { return &p.OrganisationNumber }, func(c *C) *string { return &c.OrganisationNumber }),
		"email":                    textMove("ada@example.org", func(p *P) *T { return &p.Email }, func(c *C) *string { return &c.Email }),
		"phone":                    textMove("112", func(p *P) *T { return &p.Phone }, func(c *C) *string { return &c.Phone }),
		"mobile":                   textMove("113", func(p *P) *T { return &p.Mobile }, func(c *C) *string { return &c.Mobile }),
		"address.careOf":           textMove("Babbage", func(p *P) *T { return &p.Address.CareOf }, func(c *C) *string { return &c.Address.CareOf }),
		"address.houseNumber":      textMove("13", func(p *P) *T { return &p.Address.HouseNumber }, func(c *C) *string { return &c.Address.HouseNumber }),
		"address.houseLetter":      textMove("C", func(p *P) *T { return &p.Address.HouseLetter }, func(c *C) *string { return &c.Address.HouseLetter }),
		"address.entrance":         textMove("South", func(p *P) *T { return &p.Address.Entrance }, func(c *C) *string { return &c.Address.Entrance }),
		"address.floor":            textMove("4th", func(p *P) *T { return &p.Address.Floor }, func(c *C) *string { return &c.Address.Floor }),
		"address.postalCode":       textMove("1000", func(p *P) *T { return &p.Address.PostalCode }, func(c *C) *string { return &c.Address.PostalCode }),
		"address.city":             textMove("Brussel", func(p *P) *T { return &p.Address.City }, func(c *C) *string { return &c.Address.City }),
		"address.country":          textMove("NL", func(p *P) *T { return &p.Address.Country }, func(c *C) *string { return &c.Address.Country }),
		"address.editable":         flagMove(func(p *P) *B { return &p.Address.Editable }, func(c *C) *bool { return &c.Address.Editable }),
		"services.broadband":       flagMove(func(p *P) *B { return &p.Services.Broadband }, func(c *C) *bool { return &c.Services.Broadband }),
		"services.districtHeating": flagMove(func(p *P) *B { return &p.Services.DistrictHeating }, func(c *C) *bool { return &c.Services.DistrictHeating }),
		"services.grid":            flagMove(func(p *P) *B { return &p.Services.Grid }, func(c *C) *bool { return &c.Services.Grid }),
		"services.power":           flagMove(func(p *P) *B { return &p.Services.Power }, func(c *C) *bool { return &c.Services.Power }),
		"address.poBox": {
			clear:   P{Address: customer.AddressPatch{POBox: patch.Clear[customer.POBox]()}},
			set:     P{Address: customer.AddressPatch{POBox: patch.Set(customer.POBox{Given: true})}},
			cleared: func(c *C) { c.Address.POBox = customer.POBox{} },
			isSet:   func(c *C) { c.Address.POBox = customer.POBox{Given: true} },
		},
		"confirmedAt": {
			clear:   P{ConfirmedAt: patch.Clear[time.Time]()},
			set:     P{ConfirmedAt: patch.Set(noon)},
			cleared: func(c *C) { c.ConfirmedAt = time.Time{} },
			isSet:   func(c *C) { c.ConfirmedAt = noon },
		},
	}
	line := textMove("Dorp 1", func(p *P) *T { return &p.Address.Line }, func(c *C) *string { return &c.Address.Line })
	all["address.line"] = move{line.clear, line.set, then(line.cleared, noParts), then(line.isSet, noParts)}
	all["kind"] = textMove(customer.Organisation, func(p *P) *T { return &p.Kind }, func(c *C) *string { return &c.Kind })
	return all
}

// noParts is what becomes of an address whose line changes.
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

func TestAPatchOfOneFieldChangesThatField(t *testing.T) {
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
	for path, m := range moves() {
		try("null clears "+path, m.clear, m.cleared)
		try("a value replaces "+path, m.set, m.isSet)
	}
}

func TestDiffNamesTheFieldThatAPatchNames(t *testing.T) {
	t.Parallel()
	var paths []string
	for _, ch := range customer.Diff(customer.Customer{}, full()) {
		paths = append(paths, ch.Path)
	}
	slices.Sort(paths)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(moves())), paths); diff != "" {
		t.Errorf("fields of a patch and of a diff differ (-patch +diff):\n%s", diff)
	}
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
