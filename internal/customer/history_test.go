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
	fullAccess = actor(access.AllCustomers(), access.Read, access.Write)
	mineRef    = customer.ByID("north", mine.ID)
)

// updateMine updates mine and returns the record after it.
func updateMine(t interface {
	Helper()
	Fatalf(string, ...any)
}, svc *customer.Service, edit customer.Edit,
) customer.Customer {
	t.Helper()
	ch, err := svc.Update(context.Background(), fullAccess, mineRef, edit, nil)
	if err != nil {
		t.Fatalf("update: %v", err)
	}
	return ch.After
}

// revertMine reverts one change of mine.
func revertMine(svc *customer.Service, version int64) (customer.Change, error) {
	edit, err := svc.RevertEdit(context.Background(), fullAccess, mineRef, version)
	if err != nil {
		return customer.Change{}, err
	}
	return svc.Update(context.Background(), fullAccess, mineRef, edit, nil)
}

func TestGetVersionAndGetAtReturnEveryVersion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := noon
		store := &memoryStore{records: []customer.Customer{mine}}
		var past []customer.Customer
		for _, ch := range createAndUpdate("north", 7) { // both at noon
			store.record(ch)
			past = append(past, ch.After)
		}
		svc := customer.New(store, nil, func() time.Time { return now }, nil)
		for range rapid.IntRange(0, 12).Draw(t, "changes") {
			// The clock may stand still or go back.
			now = now.Add(time.Duration(rapid.SampledFrom([]int{-2, 0, 0, 1, 5}).Draw(t, "seconds")) * time.Second)
			p, _ := anyPatch(t)
			ch, err := svc.Update(context.Background(), fullAccess, mineRef, p.Apply, nil)
			if err == nil && !ch.Empty() {
				past = append(past, ch.After)
			}
		}
		for _, want := range past {
			got, err := svc.GetVersion(context.Background(), fullAccess, mineRef, want.Version)
			if err != nil || got != want {
				t.Fatalf("version %d: got %v (-want +got):\n%s", want.Version, err, cmp.Diff(want, got))
			}
		}
		for at := noon; at.Before(noon.Add(70 * time.Second)); at = at.Add(500 * time.Millisecond) {
			wantAt(t, svc, past, at)
		}
	})
}

// wantAt checks that the record at that time is the last of past that is not later.
func wantAt(t *rapid.T, svc *customer.Service, past []customer.Customer, at time.Time) {
	t.Helper()
	var want customer.Customer
	for _, c := range past {
		if !c.UpdatedAt.After(at) {
			want = c
		}
	}
	got, err := svc.GetAt(context.Background(), fullAccess, mineRef, at)
	if err != nil || got != want {
		t.Fatalf("at %v: got %v (-want +got):\n%s", at, err, cmp.Diff(want, got))
	}
}

func TestGetAtBeforeCreationIsNotFound(t *testing.T) {
	t.Parallel()
	svc, _ := service()
	got, err := svc.GetAt(context.Background(), fullAccess, mineRef, noon.Add(-1))
	if !fault.Is(err, fault.NotFound) || got != (customer.Customer{}) {
		t.Errorf("got %+v, %v, want NotFound", got, err)
	}
}

func TestGetVersionOutsideHistoryIsNotFound(t *testing.T) {
	t.Parallel()
	svc, _ := service()
	for _, version := range []int64{-1, 0, 3, 1 << 62} {
		got, err := svc.GetVersion(context.Background(), fullAccess, mineRef, version)
		if !fault.Is(err, fault.NotFound) || got != (customer.Customer{}) {
			t.Errorf("version %d: got %+v, %v, want NotFound", version, got, err)
		}
		if edit, err := svc.RevertEdit(context.Background(), fullAccess, mineRef, version); !fault.Is(err, fault.NotFound) || edit != nil {
			t.Errorf("revert version %d: got %v, want NotFound", version, err)
		}
	}
}

func TestGetVersionReadsLongHistory(t *testing.T) {
	t.Parallel()
	svc, _ := service()
	for n := 3; n <= 301; n++ {
		updateMine(t, svc, setFirstName(fmt.Sprint(n)))
	}
	for version, want := range map[int64]string{1: full().FirstName, 2: "Ada", 100: "100", 101: "101", 201: "201", 202: "202", 301: "301"} {
		got, err := svc.GetVersion(context.Background(), fullAccess, mineRef, version)
		if err != nil || got.FirstName != want || got.Version != version {
			t.Errorf("version %d: got %q at %d (%v), want %q", version, got.FirstName, got.Version, err, want)
		}
	}
	if got, err := svc.GetAt(context.Background(), fullAccess, mineRef, noon); err != nil || got.Version != 301 {
		t.Errorf("at the time of all changes: got version %d (%v), want the last", got.Version, err)
	}
}

// A record that does not match its history must never be returned.
func TestGetVersionOfCorruptHistoryIsError(t *testing.T) {
	t.Parallel()
	for name, corrupt := range map[string]func(*memoryStore){
		"a missing change":        func(s *memoryStore) { s.changes[len(s.changes)-2].Version = 99 },
		"a missing newest change": func(s *memoryStore) { s.changes[len(s.changes)-1].Version = 99 },
		"no changes":              func(s *memoryStore) { s.changes, s.tenants = nil, nil },
		"an unknown field":        func(s *memoryStore) { s.changes[len(s.changes)-1].Fields[0].Path = "shoeSize" },
		"a value of another type": func(s *memoryStore) { s.changes[len(s.changes)-1].Fields[0].Before = true },
	} {
		svc, store := service()
		for _, name := range []string{"Eve", "Eva", "Evi", "Eli"} { // versions 3 to 6
			updateMine(t, svc, setFirstName(name))
		}
		corrupt(store)
		for version := int64(1); version < 5; version++ {
			if got, err := svc.GetVersion(context.Background(), fullAccess, mineRef, version); err == nil || fault.From(err).Kind != fault.Internal {
				t.Errorf("%s: version %d: got %+v, %v, want an internal error", name, version, got, err)
			}
		}
		if got, err := svc.GetAt(context.Background(), fullAccess, mineRef, noon.Add(time.Hour)); err == nil && got != store.records[0] {
			t.Errorf("%s: the newest: got %+v, want the record or an internal error", name, got)
		}
	}
}

func TestHistoryReturnsPages(t *testing.T) {
	t.Parallel()
	svc, _ := service()
	for n := 3; n <= 7; n++ {
		updateMine(t, svc, setFirstName(fmt.Sprint(n)))
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
		changes, err := svc.History(context.Background(), fullAccess, mineRef, tt.below, tt.limit)
		var got []int64
		for _, r := range changes {
			got = append(got, r.Version)
		}
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%d below %d: got versions %v (%v), want %v", tt.limit, tt.below, got, err, tt.want)
		}
	}
}

func TestRevert(t *testing.T) {
	t.Parallel()
	at := noon.Add
	box := int64(7)
	tests := map[string]struct {
		steps   []customer.Patch // versions 3, 4, …
		version int64
		want    string // fields that still differ; "path:rule" for a fault
	}{
		"restores every field": {
			[]customer.Patch{{
				"firstName": "Eve", "email": nil, "address.poBox": box, "address.line": "Dorp 1",
				"services.grid": false, "confirmedAt": at(0),
			}}, 3, "",
		},
		"keeps other fields":                     {[]customer.Patch{{"firstName": "Eve"}, {"email": nil}}, 3, "email"},
		"rejects a field changed since":          {[]customer.Patch{{"firstName": "Eve"}, {"firstName": "Eva"}}, 3, "firstName:changed-since"},
		"reports all fields changed since":       {[]customer.Patch{{"firstName": "Eve", "email": "e@example.com", "phone": "112"}, {"phone": "113", "firstName": nil}}, 3, "firstName:changed-since phone:changed-since"},
		"skips a field already restored":         {[]customer.Patch{{"firstName": "Eve", "phone": "112"}, {"firstName": "Ada"}}, 3, ""},
		"accepts a field set again to the value": {[]customer.Patch{{"firstName": "Eve"}, {"firstName": "Eva"}, {"firstName": "Eve"}}, 3, ""},
		"keeps a later confirmation":             {[]customer.Patch{{"firstName": "Eve", "confirmedAt": at(0)}, {"confirmedAt": at(time.Minute)}}, 3, "confirmedAt"},
		"reverts a confirmation":                 {[]customer.Patch{{"confirmedAt": at(0)}}, 3, ""},
		"restores the parts of an address":       {[]customer.Patch{{"address.line": "Dorp 1"}}, 3, ""},
		"checks the rules": {
			[]customer.Patch{{"firstName": nil}, {"firstName": "Eve"}, {"lastName": nil}}, 4, "lastName:required",
		},
		"rejects a creation": {nil, 1, "version:range"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svc, store := service()
			for _, p := range tt.steps {
				updateMine(t, svc, p.Apply)
			}
			ch, err := revertMine(svc, tt.version)
			if err != nil {
				if got := faultRules(err); got != tt.want {
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

// faultRules lists the rules in a Conflict or an Invalid fault, "path:rule".
func faultRules(err error) string {
	if f := fault.From(err); f.Kind == fault.Conflict {
		return brokenRules(&fault.Fault{Kind: fault.Invalid, Fields: f.Fields})
	}
	return brokenRules(err)
}

func TestRevertTwiceChangesNothingAndRevertCanBeReverted(t *testing.T) {
	t.Parallel()
	svc, _ := service()
	changed := updateMine(t, svc, setFirstName("Eve"))
	reverted, err := revertMine(svc, 3)
	if err != nil || reverted.After.FirstName != "Ada" || reverted.After.Version != 4 {
		t.Fatalf("revert: got %q at version %d (%v), want Ada at 4", reverted.After.FirstName, reverted.After.Version, err)
	}
	again, err := revertMine(svc, 3)
	if err != nil || !again.Empty() {
		t.Errorf("second revert: got %+v (%v), want no change", again.Diff(), err)
	}
	back, err := revertMine(svc, 4)
	if err != nil || back.After.FirstName != changed.FirstName || back.After.Version != 5 {
		t.Errorf("revert of the revert: got %q (%v), want %q", back.After.FirstName, err, changed.FirstName)
	}
}

func TestRevertOfCorruptHistoryChangesNothing(t *testing.T) {
	t.Parallel()
	for name, corrupt := range map[string]func(*customer.FieldChange){
		"an unknown field":        func(f *customer.FieldChange) { *f = customer.FieldChange{Path: "shoeSize", After: "47"} },
		"a value of another type": func(f *customer.FieldChange) { f.Before = int64(1) },
	} {
		svc, store := service()
		updateMine(t, svc, setFirstName("Eve"))
		corrupt(&store.changes[len(store.changes)-1].Fields[0])
		ch, err := revertMine(svc, 3)
		if err == nil || fault.From(err).Kind != fault.Internal || ch != (customer.Change{}) || store.records[0].Version != 3 {
			t.Errorf("%s: got %+v, %v, want an internal error", name, ch, err)
		}
	}
	svc, store := service()
	updateMine(t, svc, setFirstName("Eve"))
	store.changes[len(store.changes)-1].Version = 99
	if edit, err := svc.RevertEdit(context.Background(), fullAccess, mineRef, 3); err == nil || fault.From(err).Kind != fault.Internal || edit != nil {
		t.Errorf("a missing change: got %v, want an internal error", err)
	}
}

func (s *memoryStore) SnapshotAfter(_ context.Context, tenant, id string, at time.Time) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.changes {
		if s.tenants[r.Seq-1] == tenant && r.CustomerID == id && r.Snapshot != nil && r.Meta.At.After(at) {
			return r.Version, s.failure
		}
	}
	return 0, s.failure
}
