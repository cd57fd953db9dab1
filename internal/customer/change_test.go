package customer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

var errEdit = errors.New("the edit refused")

func nothing(*customer.Customer) error { return nil }

func refuse(*customer.Customer) error { return errEdit }

func rename(name string) customer.Edit { return customer.Patch{"firstName": name}.Apply }

func TestAtVersionRefusesAnyOtherVersion(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		versions []int64
		edit     customer.Edit
		want     fault.Kind // empty when there is none
	}{
		"the version passes":              {[]int64{4}, rename("A"), ""},
		"one of many passes":              {[]int64{2, 3, 4}, rename("A"), ""},
		"an older one is stale":           {[]int64{3}, rename("A"), fault.PreconditionFailed},
		"a newer one is stale":            {[]int64{5}, rename("A"), fault.PreconditionFailed},
		"none is stale":                   {nil, rename("A"), fault.PreconditionFailed},
		"an edit without effect is stale": {[]int64{3}, nothing, fault.PreconditionFailed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := ada()
			c.Version = 4
			err := customer.AtVersion(tt.versions, tt.edit)(&c)
			if tt.want == "" && err != nil || tt.want != "" && !fault.Is(err, tt.want) {
				t.Errorf("at version 4, asked for %v: got %v, want %q", tt.versions, err, tt.want)
			}
		})
	}
}

func TestFaultsOfTheEditComeBeforeItsVersion(t *testing.T) {
	t.Parallel()
	c := ada()
	if err := customer.AtVersion(nil, refuse)(&c); !errors.Is(err, errEdit) {
		t.Errorf("AtVersion: got %v, want %v", err, errEdit)
	}
}

func TestConfirmNeverMovesBack(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ before, at, want time.Time }{
		"the first is noted":          {time.Time{}, noon, noon},
		"a later one is noted":        {noon, noon.Add(time.Microsecond), noon.Add(time.Microsecond)},
		"an earlier one is too late":  {noon, noon.Add(-time.Microsecond), noon},
		"the same one is no change":   {noon, noon, noon},
		"less than a microsecond too": {noon, noon.Add(999), noon},
		"a zone makes no difference":  {noon, noon.Add(time.Hour).In(time.FixedZone("", 7200)), noon.Add(time.Hour)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := ada()
			c.ConfirmedAt = tt.before
			ch, err := customer.Apply(born(t, c), kari, customer.Confirm(tt.at, nothing))
			if err != nil || ch.After.ConfirmedAt != tt.want {
				t.Errorf("confirmed %v then %v: got %v, %v, want %v", tt.before, tt.at, ch.After.ConfirmedAt, err, tt.want)
			}
			if ch.Empty() != (tt.before == tt.want) {
				t.Errorf("empty: got %v, want %v", ch.Empty(), !ch.Empty())
			}
		})
	}
}

func TestConfirmKeepsTheEditAndItsRefusal(t *testing.T) {
	t.Parallel()
	c := ada()
	if err := customer.Confirm(noon, rename("Ada"))(&c); err != nil || c.FirstName != "Ada" || c.ConfirmedAt != noon {
		t.Errorf("Confirm: got %q at %v, %v, want the new name at %v", c.FirstName, c.ConfirmedAt, err, noon)
	}
	c = ada()
	if err := customer.Confirm(noon, refuse)(&c); !errors.Is(err, errEdit) || !c.ConfirmedAt.IsZero() {
		t.Errorf("Confirm of a refusal: got %v at %v, want %v and no time", err, c.ConfirmedAt, errEdit)
	}
}

func TestBirthIsVersionOne(t *testing.T) {
	t.Parallel()
	by := kari
	by.At = time.Date(2026, 3, 1, 14, 0, 0, 123456789, time.FixedZone("", 7200))
	c := full()
	c.Version, c.CreatedAt, c.UpdatedAt = 99, noon.Add(time.Hour), noon.Add(time.Hour)

	got, err := customer.Create(c, by)
	if err != nil {
		t.Fatal(err)
	}
	want := full()
	want.Version = 1
	want.CreatedAt = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)
	want.UpdatedAt = want.CreatedAt
	if got.After != want || got.Before != (customer.Customer{}) || got.Meta != by {
		t.Errorf("birth (-want +got):\n%s", cmp.Diff(customer.Change{After: want, Meta: by}, got))
	}
	if got.Event() != customer.EventCreated || got.Empty() {
		t.Errorf("event: got %s, empty %v, want %s", got.Event(), got.Empty(), customer.EventCreated)
	}
}

func TestARefusedBirthIsNoChange(t *testing.T) {
	t.Parallel()
	got, err := customer.Create(customer.Customer{}, kari)
	wantBroken(t, err, "id:format number:range kind:format lastName:required", "the zero record")
	if got != (customer.Change{}) {
		t.Errorf("change: got %+v, want the zero change", got)
	}
}

func TestARevisionIsTheNextVersion(t *testing.T) {
	t.Parallel()
	before := born(t, full())
	by := kari
	by.At = noon.Add(time.Minute + 1)

	got, err := customer.Apply(before, by, rename(" Ada\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := before
	want.FirstName, want.Version, want.UpdatedAt = "Ada", 2, noon.Add(time.Minute)
	if got.After != want || got.Before != before || got.Meta != by {
		t.Errorf("revision (-want +got):\n%s", cmp.Diff(customer.Change{Before: before, After: want, Meta: by}, got))
	}
	if got.Event() != customer.EventUpdated || got.Empty() {
		t.Errorf("event: got %s, empty %v, want %s", got.Event(), got.Empty(), customer.EventUpdated)
	}
}

func TestAnEditWithoutEffectIsAnEmptyChange(t *testing.T) {
	t.Parallel()
	c := full()
	c.Address.POBox = customer.POBox{}
	before := born(t, c)
	late := kari
	late.At = noon.Add(time.Hour)
	for name, edit := range map[string]customer.Edit{
		"nothing":                  nothing,
		"an empty patch":           customer.Patch{}.Apply,
		"the same value":           rename(before.FirstName),
		"the same value in spaces": rename(" " + before.FirstName + "\t"),
		"the same time in a zone":  customer.Patch{"confirmedAt": before.ConfirmedAt.In(time.FixedZone("", 3600))}.Apply,
		"the same time but finer":  customer.Patch{"confirmedAt": before.ConfirmedAt.Add(999)}.Apply,
		"a value gone and back": func(c *customer.Customer) error {
			c.FirstName = "Eve"
			return rename(before.FirstName)(c)
		},
	} {
		got, err := customer.Apply(before, late, edit)
		if err != nil || !got.Empty() || got.After != before || got.Meta != late || len(got.Diff()) != 0 {
			t.Errorf("%s: got %+v, %v, want an empty change", name, got, err)
		}
	}
}

func TestUpdatedAtNeverGoesBack(t *testing.T) {
	t.Parallel()
	before := born(t, ada())
	early := kari
	early.At = noon.Add(-time.Hour)
	got, err := customer.Apply(before, early, rename("Ada"))
	if err != nil || got.After.UpdatedAt != noon || got.After.Version != 2 {
		t.Errorf("revised an hour before: got version %d at %v, %v, want 2 at %v", got.After.Version, got.After.UpdatedAt, err, noon)
	}
}

func TestARefusedRevisionIsNoChange(t *testing.T) {
	t.Parallel()
	got, err := customer.Apply(born(t, ada()), kari, customer.Patch{"lastName": nil}.Apply)
	wantBroken(t, err, "lastName:required", "a record without names")
	if got != (customer.Change{}) {
		t.Errorf("change: got %+v, want the zero change", got)
	}
	if got, err = customer.Apply(born(t, ada()), kari, refuse); !errors.Is(err, errEdit) || got != (customer.Change{}) {
		t.Errorf("got %+v, %v, want the zero change and %v", got, err, errEdit)
	}
}

func TestAnEditMayNotTouchTheBookkeeping(t *testing.T) {
	t.Parallel()
	for name, touch := range map[string]func(*customer.Customer){
		"tenant":    func(c *customer.Customer) { c.Tenant = "south" },
		"id":        func(c *customer.Customer) { c.ID = "0191d3a0-0000-7000-8000-000000000002" },
		"number":    func(c *customer.Customer) { c.Number++ },
		"version":   func(c *customer.Customer) { c.Version++ },
		"createdAt": func(c *customer.Customer) { c.CreatedAt = c.CreatedAt.Add(1) },
		"updatedAt": func(c *customer.Customer) { c.UpdatedAt = c.UpdatedAt.Add(1) },
	} {
		got, err := customer.Apply(born(t, ada()), kari, func(c *customer.Customer) error {
			touch(c)
			return nil
		})
		if err == nil || fault.From(err).Kind != fault.Internal || got != (customer.Change{}) {
			t.Errorf("an edit of %s: got %+v, %v, want no change and no fault of the caller's", name, got, err)
		}
	}
}

func TestDiffTellsValuesInDomainTypes(t *testing.T) {
	t.Parallel()
	before := ada()
	after := before
	after.Kind = customer.Organisation
	after.LastName = ""
	after.Email = "ada@example.com"
	after.Address.POBox = customer.POBox{Valid: true}
	after.Services.Grid = true
	after.ConfirmedAt = noon
	after.Version, after.UpdatedAt = 2, noon // not the customer's doing

	want := []customer.FieldChange{
		{Path: "kind", Before: "person", After: "organisation"},
		{Path: "lastName", Before: "Lovelace", After: nil},
		{Path: "email", Before: nil, After: "ada@example.com"},
		{Path: "address.poBox", Before: nil, After: int64(0)},
		{Path: "services.grid", Before: false, After: true},
		{Path: "confirmedAt", Before: nil, After: noon},
	}
	if diff := cmp.Diff(want, customer.Change{Before: before, After: after}.Diff()); diff != "" {
		t.Errorf("diff (-want +got):\n%s", diff)
	}
}
