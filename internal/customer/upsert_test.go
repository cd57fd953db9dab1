package customer_test

import (
	"errors"
	"testing"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

const (
	givenID = "0191d3a0-0000-7000-8000-00000000000a"
	freshID = "0191d3a0-0000-7000-8000-00000000000b"
)

func surname(c *customer.Customer) error {
	c.LastName = "King"
	return nil
}

func TestAnEntryIsFoundByIDThenByNumber(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		entry customer.Upsert
		want  customer.Ref
		ok    bool
	}{
		"neither means a new customer": {customer.Upsert{GeneratedID: freshID}, customer.Ref{Tenant: "north"}, false},
		"an id finds it":               {customer.Upsert{ID: givenID}, customer.ByID("north", givenID), true},
		"a number finds it":            {customer.Upsert{Number: 7, GeneratedID: freshID}, customer.ByNumber("north", 7), true},
		"both are passed on":           {customer.Upsert{ID: givenID, Number: 7}, customer.Ref{Tenant: "north", ID: givenID, Number: 7}, true},
	}
	for name, tt := range tests {
		if got, ok := tt.entry.Ref("north"); got != tt.want || ok != tt.ok {
			t.Errorf("%s: got %+v %v, want %+v %v", name, got, ok, tt.want, tt.ok)
		}
	}
}

func TestAnEntryIsBornWithItsOwnIDOrANewOne(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		entry  customer.Upsert
		id     string
		number int32
	}{
		"nothing given":  {customer.Upsert{GeneratedID: freshID, Edit: surname}, freshID, 100},
		"an id given":    {customer.Upsert{ID: givenID, GeneratedID: freshID, Edit: surname}, givenID, 100},
		"a number given": {customer.Upsert{GeneratedID: freshID, Number: 7, Edit: surname}, freshID, 7},
		"both given":     {customer.Upsert{ID: givenID, Number: 7, Edit: surname}, givenID, 7},
	}
	for name, tt := range tests {
		ch, err := tt.entry.Create("north", 100, kari)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		c := ch.After
		if c.ID != tt.id || c.Number != tt.number || c.Tenant != "north" || c.Kind != customer.Person || c.LastName != "King" || c.Version != 1 {
			t.Errorf("%s: got %+v, want id %s, number %d", name, c, tt.id, tt.number)
		}
	}
}

func TestAnEntryIsCheckedAtItsBirth(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		entry customer.Upsert
		want  string
	}{
		"a negative number": {customer.Upsert{ID: givenID, Number: -1, Edit: surname}, "number:range"},
		"a bad id":          {customer.Upsert{ID: "A", Edit: surname}, "id:format"},
		"no name":           {customer.Upsert{ID: givenID, Edit: nothing}, "lastName:required"},
	}
	for name, tt := range tests {
		_, err := tt.entry.Create("north", 1, kari)
		wantBroken(t, err, tt.want, name)
	}
	unfit := func(c *customer.Customer) error {
		c.Phone = "x"
		return &fault.Fault{Kind: fault.Invalid, Fields: []fault.Field{{Path: "email", Rule: fault.Type, Text: "must be a string"}}}
	}
	_, err := customer.Upsert{ID: givenID, Edit: unfit}.Create("north", 1, kari)
	wantBroken(t, err, "email:type lastName:required phone:format", "what the edit refuses comes with the record's rules")
	if _, err := (customer.Upsert{ID: givenID, Edit: refuse}).Create("north", 1, kari); !errors.Is(err, errEdit) {
		t.Errorf("an edit that refuses: got %v, want %v", err, errEdit)
	}
}

func TestAnEntryRevisesButNeverRenumbers(t *testing.T) {
	t.Parallel()
	before := born(t, ada())
	for _, number := range []int32{0, before.Number} {
		ch, err := customer.Upsert{ID: before.ID, Number: number, Edit: surname}.Update(before, kari)
		if err != nil || ch.After.LastName != "King" || ch.After.Version != 2 || ch.After.Number != before.Number {
			t.Errorf("number %d: got %+v, %v, want a new last name", number, ch.After, err)
		}
	}
	ch, err := customer.Upsert{ID: before.ID, Number: before.Number + 1, Edit: surname}.Update(before, kari)
	wantBroken(t, err, "number:immutable", "another number")
	if ch != (customer.Change{}) {
		t.Errorf("change: got %+v, want the zero change", ch)
	}
}
