package customer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

var errEdit = errors.New("the edit failed")

func nothing(*customer.Customer) error { return nil }

func failEdit(*customer.Customer) error { return errEdit }

func setFirstName(name string) customer.Edit { return customer.Patch{"firstName": name}.Apply }

func TestPreconditionFails(t *testing.T) {
	t.Parallel()
	at := func(versions ...int64) customer.Precondition { return customer.Precondition{Versions: versions} }
	second := noon.Truncate(time.Second)
	tests := map[string]struct {
		condition customer.Precondition
		edit      customer.Edit
		want      fault.Kind // empty for no error
	}{
		"none":                   {customer.Precondition{}, setFirstName("A"), ""},
		"the version":            {at(4), setFirstName("A"), ""},
		"one of many versions":   {at(2, 3, 4), setFirstName("A"), ""},
		"an older version":       {at(3), setFirstName("A"), fault.PreconditionFailed},
		"a newer version":        {at(5), setFirstName("A"), fault.PreconditionFailed},
		"no version":             {customer.Precondition{Versions: []int64{}}, setFirstName("A"), fault.PreconditionFailed},
		"an edit without effect": {at(3), nothing, fault.PreconditionFailed},
		"not the version":        {customer.Precondition{NotVersions: []int64{1, 4}}, setFirstName("A"), fault.PreconditionFailed},
		"not other versions":     {customer.Precondition{NotVersions: []int64{3, 5}}, setFirstName("A"), ""},
		"never":                  {customer.Precondition{Never: true}, setFirstName("A"), fault.PreconditionFailed},
		"unmodified":             {customer.Precondition{UnmodifiedSince: second}, setFirstName("A"), ""},
		"modified a second ago":  {customer.Precondition{UnmodifiedSince: second.Add(-time.Second)}, setFirstName("A"), fault.PreconditionFailed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := ada()
			c.Version, c.UpdatedAt = 4, second.Add(999*time.Millisecond)
			err := tt.condition.Edit(tt.edit)(&c)
			if tt.want == "" && err != nil || tt.want != "" && !fault.Is(err, tt.want) {
				t.Errorf("%+v at version 4: got %v, want %q", tt.condition, err, tt.want)
			}
		})
	}
}

func TestPreconditionReturnsEditErrorFirst(t *testing.T) {
	t.Parallel()
	c := ada()
	never := customer.Precondition{Never: true}
	if err := never.Edit(failEdit)(&c); !errors.Is(err, errEdit) {
		t.Errorf("got %v, want %v", err, errEdit)
	}
}

func TestConfirmKeepsLaterConfirmation(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ before, at, want time.Time }{
		"the first is stored":                  {time.Time{}, noon, noon},
		"a later one is stored":                {noon, noon.Add(time.Microsecond), noon.Add(time.Microsecond)},
		"an earlier one is ignored":            {noon, noon.Add(-time.Microsecond), noon},
		"the same one is no change":            {noon, noon, noon},
		"less than a microsecond is no change": {noon, noon.Add(999), noon},
		"a zone makes no difference":           {noon, noon.Add(time.Hour).In(time.FixedZone("", 7200)), noon.Add(time.Hour)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := ada()
			c.ConfirmedAt = tt.before
			ch, err := customer.Apply(stored(t, c), kari, customer.Confirm(tt.at, nothing))
			if err != nil || ch.After.ConfirmedAt != tt.want {
				t.Errorf("confirmed %v then %v: got %v, %v, want %v", tt.before, tt.at, ch.After.ConfirmedAt, err, tt.want)
			}
			if ch.Empty() != (tt.before == tt.want) {
				t.Errorf("empty: got %v, want %v", ch.Empty(), !ch.Empty())
			}
		})
	}
}

func TestConfirmAppliesEditAndReturnsItsError(t *testing.T) {
	t.Parallel()
	c := ada()
	if err := customer.Confirm(noon, setFirstName("Ada"))(&c); err != nil || c.FirstName != "Ada" || c.ConfirmedAt != noon {
		t.Errorf("Confirm: got %q at %v, %v, want the new name at %v", c.FirstName, c.ConfirmedAt, err, noon)
	}
	c = ada()
	if err := customer.Confirm(noon, failEdit)(&c); !errors.Is(err, errEdit) || !c.ConfirmedAt.IsZero() {
		t.Errorf("Confirm of an edit that fails: got %v at %v, want %v and no time", err, c.ConfirmedAt, errEdit)
	}
}

func TestCreateMakesVersionOne(t *testing.T) {
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
		t.Errorf("creation (-want +got):\n%s", cmp.Diff(customer.Change{After: want, Meta: by}, got))
	}
	if got.Event() != customer.EventCreated || got.Empty() {
		t.Errorf("event: got %s, empty %v, want %s", got.Event(), got.Empty(), customer.EventCreated)
	}
}

func TestCreateReturnsNoChangeOnError(t *testing.T) {
	t.Parallel()
	got, err := customer.Create(customer.Customer{}, kari)
	wantRules(t, err, "id:format number:range kind:format lastName:required", "the zero record")
	if got != (customer.Change{}) {
		t.Errorf("change: got %+v, want the zero change", got)
	}
}

func TestApplyMakesNextVersion(t *testing.T) {
	t.Parallel()
	before := stored(t, full())
	by := kari
	by.At = noon.Add(time.Minute + 1)

	got, err := customer.Apply(before, by, setFirstName(" Ada\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := before
	want.FirstName, want.Version, want.UpdatedAt = "Ada", 2, noon.Add(time.Minute)
	if got.After != want || got.Before != before || got.Meta != by {
		t.Errorf("update (-want +got):\n%s", cmp.Diff(customer.Change{Before: before, After: want, Meta: by}, got))
	}
	if got.Event() != customer.EventUpdated || got.Empty() {
		t.Errorf("event: got %s, empty %v, want %s", got.Event(), got.Empty(), customer.EventUpdated)
	}
}

func TestApplyOfEqualValuesIsEmpty(t *testing.T) {
	t.Parallel()
	c := full()
	c.Address.POBox = customer.POBox{}
	before := stored(t, c)
	late := kari
	late.At = noon.Add(time.Hour)
	for name, edit := range map[string]customer.Edit{
		"nothing":                      nothing,
		"an empty patch":               customer.Patch{}.Apply,
		"the same value":               setFirstName(before.FirstName),
		"the same value in spaces":     setFirstName(" " + before.FirstName + "\t"),
		"the same time in a zone":      customer.Patch{"confirmedAt": before.ConfirmedAt.In(time.FixedZone("", 3600))}.Apply,
		"the same time in nanoseconds": customer.Patch{"confirmedAt": before.ConfirmedAt.Add(999)}.Apply,
		"a value changed and restored": func(c *customer.Customer) error {
			c.FirstName = "Eve"
			return setFirstName(before.FirstName)(c)
		},
	} {
		got, err := customer.Apply(before, late, edit)
		if err != nil || !got.Empty() || got.After != before || got.Meta != late || len(got.Diff()) != 0 {
			t.Errorf("%s: got %+v, %v, want an empty change", name, got, err)
		}
	}
}

func TestUpdatedAtNeverDecreases(t *testing.T) {
	t.Parallel()
	before := stored(t, ada())
	early := kari
	early.At = noon.Add(-time.Hour)
	got, err := customer.Apply(before, early, setFirstName("Ada"))
	if err != nil || got.After.UpdatedAt != noon || got.After.Version != 2 {
		t.Errorf("updated with an earlier time: got version %d at %v, %v, want 2 at %v", got.After.Version, got.After.UpdatedAt, err, noon)
	}
}

func TestApplyReturnsNoChangeOnError(t *testing.T) {
	t.Parallel()
	got, err := customer.Apply(stored(t, ada()), kari, customer.Patch{"lastName": nil}.Apply)
	wantRules(t, err, "lastName:required", "a record without names")
	if got != (customer.Change{}) {
		t.Errorf("change: got %+v, want the zero change", got)
	}
	if got, err = customer.Apply(stored(t, ada()), kari, failEdit); !errors.Is(err, errEdit) || got != (customer.Change{}) {
		t.Errorf("got %+v, %v, want the zero change and %v", got, err, errEdit)
	}
}

func TestApplyRejectsEditOfStoreFields(t *testing.T) {
	t.Parallel()
	for name, touch := range map[string]func(*customer.Customer){
		"tenant":    func(c *customer.Customer) { c.Tenant = "south" },
		"id":        func(c *customer.Customer) { c.ID = "0191d3a0-0000-7000-8000-000000000002" },
		"number":    func(c *customer.Customer) { c.Number++ },
		"version":   func(c *customer.Customer) { c.Version++ },
		"createdAt": func(c *customer.Customer) { c.CreatedAt = c.CreatedAt.Add(1) },
		"updatedAt": func(c *customer.Customer) { c.UpdatedAt = c.UpdatedAt.Add(1) },
	} {
		got, err := customer.Apply(stored(t, ada()), kari, func(c *customer.Customer) error {
			touch(c)
			return nil
		})
		if err == nil || fault.From(err).Kind != fault.Internal || got != (customer.Change{}) {
			t.Errorf("an edit of %s: got %+v, %v, want no change and an internal error", name, got, err)
		}
	}
}

func TestDiffHasDomainTypes(t *testing.T) {
	t.Parallel()
	before := ada()
	after := before
	after.Kind = customer.Organisation
	after.LastName = ""
	after.Email = "ada@example.com"
	after.Address.POBox = customer.POBox{Valid: true}
	after.Services.Grid = true
	after.ConfirmedAt = noon
	after.Version, after.UpdatedAt = 2, noon // not in a diff

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
