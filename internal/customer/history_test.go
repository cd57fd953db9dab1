package customer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

var (
	anyone  = actor(access.AllCustomers(), access.Read, access.Write)
	mineRef = customer.ByID("north", mine.ID)
)

// revise makes a change to mine and returns the record after it.
func revise(t interface {
	Helper()
	Fatalf(string, ...any)
}, svc *customer.Service, edit customer.Edit,
) customer.Customer {
	t.Helper()
	ch, err := svc.Update(context.Background(), anyone, mineRef, edit, nil)
	if err != nil {
		t.Fatalf("update: %v", err)
	}
	return ch.After
}

// undo undoes one change to mine.
func undo(svc *customer.Service, version int64) (customer.Change, error) {
	edit, err := svc.RevertEdit(context.Background(), anyone, mineRef, version)
	if err != nil {
		return customer.Change{}, err
	}
	return svc.Update(context.Background(), anyone, mineRef, edit, nil)
}

func TestEveryVersionAndEveryTimeCanBeReadAgain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := noon
		store := &shelf{records: []customer.Customer{mine}}
		var past []customer.Customer
		for _, ch := range life("north", 7) { // both at noon
			store.record(ch)
			past = append(past, ch.After)
		}
		svc := customer.New(store, nil, func() time.Time { return now }, nil)
		for range rapid.IntRange(0, 12).Draw(t, "changes") {
			// At times the clock stands still, or goes back.
			now = now.Add(time.Duration(rapid.SampledFrom([]int{-2, 0, 0, 1, 5}).Draw(t, "seconds")) * time.Second)
			p, _ := anyPatch(t)
			ch, err := svc.Update(context.Background(), anyone, mineRef, p.Apply, nil)
			if err == nil && !ch.Empty() {
				past = append(past, ch.After)
			}
		}
		for _, want := range past {
			got, err := svc.GetVersion(context.Background(), anyone, mineRef, want.Version)
			if err != nil || got != want {
				t.Fatalf("version %d: got %v (-want +got):\n%s", want.Version, err, cmp.Diff(want, got))
			}
		}
		for at := noon; at.Before(noon.Add(70 * time.Second)); at = at.Add(500 * time.Millisecond) {
			wantAt(t, svc, past, at)
		}
	})
}

// wantAt reports unless the record at that time was the last of past that is not
// younger.
func wantAt(t *rapid.T, svc *customer.Service, past []customer.Customer, at time.Time) {
	t.Helper()
	var want customer.Customer
	for _, c := range past {
		if !c.UpdatedAt.After(at) {
			want = c
		}
	}
	got, err := svc.GetAt(context.Background(), anyone, mineRef, at)
	if err != nil || got != want {
		t.Fatalf("at %v: got %v (-want +got):\n%s", at, err, cmp.Diff(want, got))
	}
}

func TestThereIsNoCustomerBeforeItsBirth(t *testing.T) {
	t.Parallel()
	svc, _ := service()
	got, err := svc.GetAt(context.Background(), anyone, mineRef, noon.Add(-1))
	if !fault.Is(err, fault.NotFound) || got != (customer.Customer{}) {
		t.Errorf("got %+v, %v, want a Missing fault", got, err)
	}
}

func TestThereIsNoVersionOutsideALife(t *testing.T) {
	t.Parallel()
	svc, _ := service()
	for _, version := range []int64{-1, 0, 3, 1 << 62} {
		got, err := svc.GetVersion(context.Background(), anyone, mineRef, version)
		if !fault.Is(err, fault.NotFound) || got != (customer.Customer{}) {
			t.Errorf("version %d: got %+v, %v, want a Missing fault", version, got, err)
		}
		if edit, err := svc.RevertEdit(context.Background(), anyone, mineRef, version); !fault.Is(err, fault.NotFound) || edit != nil {
			t.Errorf("undo version %d: got %v, want a Missing fault", version, err)
		}
	}
}

func TestALongLifeIsReadBackInPages(t *testing.T) {
	t.Parallel()
	svc, _ := service()
	for n := 3; n <= 301; n++ {
		revise(t, svc, rename(fmt.Sprint(n)))
	}
	for version, want := range map[int64]string{1: full().FirstName, 2: "Ada", 100: "100", 101: "101", 201: "201", 202: "202", 301: "301"} {
		got, err := svc.GetVersion(context.Background(), anyone, mineRef, version)
		if err != nil || got.FirstName != want || got.Version != version {
			t.Errorf("version %d: got %q at %d (%v), want %q", version, got.FirstName, got.Version, err, want)
		}
	}
	if got, err := svc.GetAt(context.Background(), anyone, mineRef, noon); err != nil || got.Version != 301 {
		t.Errorf("at the time of all changes: got version %d (%v), want the last", got.Version, err)
	}
}

// A record that the history does not lead to must never be shown.
func TestABrokenHistoryIsAnError(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*shelf){
		"a change is gone":     func(s *shelf) { s.changes[len(s.changes)-2].Version = 99 },
		"the newest is gone":   func(s *shelf) { s.changes[len(s.changes)-1].Version = 99 },
		"nothing is there":     func(s *shelf) { s.changes, s.tenants = nil, nil },
		"no such field":        func(s *shelf) { s.changes[len(s.changes)-1].Fields[0].Path = "shoeSize" },
		"the value of another": func(s *shelf) { s.changes[len(s.changes)-1].Fields[0].Before = true },
	} {
		svc, store := service()
		for _, name := range []string{"Eve", "Eva", "Evi", "Eli"} { // versions 3 to 6
			revise(t, svc, rename(name))
		}
		spoil(store)
		for version := int64(1); version < 5; version++ {
			if got, err := svc.GetVersion(context.Background(), anyone, mineRef, version); err == nil || fault.From(err).Kind != fault.Internal {
				t.Errorf("%s: version %d: got %+v, %v, want a defect", name, version, got, err)
			}
		}
		if got, err := svc.GetAt(context.Background(), anyone, mineRef, noon.Add(time.Hour)); err == nil && got != store.records[0] {
			t.Errorf("%s: the newest: got %+v, want the record or a defect", name, got)
		}
	}
}

func TestHistoryComesInPages(t *testing.T) {
	t.Parallel()
	svc, _ := service()
	for n := 3; n <= 7; n++ {
		revise(t, svc, rename(fmt.Sprint(n)))
	}
	for _, tt := range []struct {
		below int64
		limit int
		want  []int64
	}{
		{0, 100, []int64{7, 6, 5, 4, 3, 2, 1}},
		{0, 3, []int64{7, 6, 5}},
		{5, 3, []int64{4, 3, 2}},
		{2, 3, []int64{1}},
		{1, 3, nil},
		{8, 1, []int64{7}},
		{1000, 1, []int64{7}},
		{-5, 1, []int64{7}},
	} {
		changes, err := svc.History(context.Background(), anyone, mineRef, tt.below, tt.limit)
		var got []int64
		for _, r := range changes {
			got = append(got, r.Version)
		}
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%d below %d: got versions %v (%v), want %v", tt.limit, tt.below, got, err, tt.want)
		}
	}
}

func TestUndo(t *testing.T) {
	t.Parallel()
	at := noon.Add
	box := int64(7)
	tests := map[string]struct {
		steps   []customer.Patch // versions 3, 4, …
		version int64
		want    string // fields that are another's than they were, "path:rule" for a fault
	}{
		"gives every field back": {
			[]customer.Patch{{
				"firstName": "Eve", "email": nil, "address.poBox": box, "address.line": "Dorp 1",
				"services.grid": false, "confirmedAt": at(0),
			}}, 3, "",
		},
		"leaves other fields alone":                {[]customer.Patch{{"firstName": "Eve"}, {"email": nil}}, 3, "email"},
		"knows a field that has been changed":      {[]customer.Patch{{"firstName": "Eve"}, {"firstName": "Eva"}}, 3, "firstName:changed-since"},
		"names each of them, and them alone":       {[]customer.Patch{{"firstName": "Eve", "email": "e@example.com", "phone": "112"}, {"phone": "113", "firstName": nil}}, 3, "firstName:changed-since phone:changed-since"},
		"takes a field that is back for undone":    {[]customer.Patch{{"firstName": "Eve", "phone": "112"}, {"firstName": "Ada"}}, 3, ""},
		"takes a field that came back for its own": {[]customer.Patch{{"firstName": "Eve"}, {"firstName": "Eva"}, {"firstName": "Eve"}}, 3, ""},
		"keeps a later confirmation":               {[]customer.Patch{{"firstName": "Eve", "confirmedAt": at(0)}, {"confirmedAt": at(time.Minute)}}, 3, "confirmedAt"},
		"takes a confirmation back":                {[]customer.Patch{{"confirmedAt": at(0)}}, 3, ""},
		"brings parts of an address back":          {[]customer.Patch{{"address.line": "Dorp 1"}}, 3, ""},
		"knows the rules": {
			[]customer.Patch{{"firstName": nil}, {"firstName": "Eve"}, {"lastName": nil}}, 4, "lastName:required",
		},
		"is refused at the birth": {nil, 1, "version:range"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svc, store := service()
			for _, p := range tt.steps {
				revise(t, svc, p.Apply)
			}
			ch, err := undo(svc, tt.version)
			if err != nil {
				if got := refusal(err); got != tt.want {
					t.Errorf("got %q (%v), want %q", got, err, tt.want)
				}
				return
			}
			var got []string
			for _, f := range customer.Diff(mine, ch.After) {
				got = append(got, f.Path)
			}
			if left := strings.Join(got, " "); left != tt.want || ch.After.Version != store.records[0].Version {
				t.Errorf("left: got %q, want %q", left, tt.want)
			}
		})
	}
}

// refusal is the fields of a Conflict or an Invalid fault, "path:rule".
func refusal(err error) string {
	if f := fault.From(err); f.Kind == fault.Conflict {
		return broken(&fault.Fault{Kind: fault.Invalid, Fields: f.Fields})
	}
	return broken(err)
}

func TestASecondUndoChangesNothingAndAnUndoCanBeUndone(t *testing.T) {
	t.Parallel()
	svc, _ := service()
	changed := revise(t, svc, rename("Eve"))
	undone, err := undo(svc, 3)
	if err != nil || undone.After.FirstName != "Ada" || undone.After.Version != 4 {
		t.Fatalf("undo: got %q at version %d (%v), want Ada at 4", undone.After.FirstName, undone.After.Version, err)
	}
	again, err := undo(svc, 3)
	if err != nil || !again.Empty() {
		t.Errorf("the second time: got %+v (%v), want no change", again.Diff(), err)
	}
	back, err := undo(svc, 4)
	if err != nil || back.After.FirstName != changed.FirstName || back.After.Version != 5 {
		t.Errorf("undo of the undo: got %q (%v), want %q", back.After.FirstName, err, changed.FirstName)
	}
}

func TestAnUndoOfWhatItCannotReadChangesNothing(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*customer.FieldChange){
		"no such field":        func(f *customer.FieldChange) { *f = customer.FieldChange{Path: "shoeSize", After: "47"} },
		"the value of another": func(f *customer.FieldChange) { f.Before = int64(1) },
	} {
		svc, store := service()
		revise(t, svc, rename("Eve"))
		spoil(&store.changes[len(store.changes)-1].Fields[0])
		ch, err := undo(svc, 3)
		if err == nil || fault.From(err).Kind != fault.Internal || ch != (customer.Change{}) || store.records[0].Version != 3 {
			t.Errorf("%s: got %+v, %v, want a defect", name, ch, err)
		}
	}
	svc, store := service()
	revise(t, svc, rename("Eve"))
	store.changes[len(store.changes)-1].Version = 99
	if edit, err := svc.RevertEdit(context.Background(), anyone, mineRef, 3); err == nil || fault.From(err).Kind != fault.Internal || edit != nil {
		t.Errorf("a change that is gone: got %v, want a defect", err)
	}
}
