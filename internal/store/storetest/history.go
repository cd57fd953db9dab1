package storetest

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"kartotek/internal/customer"
)

// historyTests test the history and the feed of customer.Store.
var historyTests = map[string]func(*testing.T, *suite){
	"ChangesAreListedNewestFirst":       changesNewestFirst,
	"ChangesArePerCustomer":             changesArePerCustomer,
	"ChangesPreserveValueTypes":         changesPreserveTypes,
	"FeedIsInCommitOrder":               feedIsInOrder,
	"FeedHasEachChangeOnceUnderWriters": feedUnderWriters,
	"TenantsHaveSeparateFeeds":          separateFeeds,
	"FeedContinuesAfterReopening":       feedContinues,
	"EachVersionCanBeRead":              eachVersion,
}

const historyPage = 7 // small, so that most histories have several

// history returns all changes of a customer, oldest first.
func (s *suite) history(t tb, tenant, id string) []customer.ChangeRecord {
	t.Helper()
	var all []customer.ChangeRecord
	for below := int64(math.MaxInt64); ; {
		page, err := s.Changes(t.Context(), tenant, id, below, historyPage)
		if err != nil {
			t.Fatalf("changes of %s: %v", id, err)
		}
		if len(page) == 0 {
			slices.Reverse(all)
			return all
		}
		last := page[len(page)-1].Version
		if last >= below {
			t.Fatalf("changes of %s below version %d: got version %d", id, below, last)
		}
		all, below = append(all, page...), last
	}
}

// wantHistory checks that the history has each version once, in commit order, and that applying all
// changes results in c.
func (s *suite) wantHistory(t tb, c customer.Customer) {
	t.Helper()
	changes := s.history(t, c.Tenant, c.ID)
	if int64(len(changes)) != c.Version {
		t.Fatalf("history: got %d changes, want %d", len(changes), c.Version)
	}
	state := map[string]any{}
	for i, r := range changes {
		if r.Version != int64(i)+1 || r.CustomerID != c.ID || r.Number != c.Number {
			t.Errorf("history: change %d is %+v", i+1, r)
		}
		if i > 0 && r.Seq <= changes[i-1].Seq {
			t.Errorf("history: version %d has seq %d, after %d", r.Version, r.Seq, changes[i-1].Seq)
		}
		applyChange(t, state, r)
	}
	want := map[string]any{}
	for _, f := range customer.Diff(customer.Customer{}, c) {
		want[f.Path] = f.After
	}
	if !maps.Equal(state, want) {
		t.Errorf("replayed history: got %v, want %v", state, want)
	}
	if first, last := changes[0], changes[len(changes)-1]; first.Meta.At != c.CreatedAt || last.Meta.At != c.UpdatedAt {
		t.Errorf("history: from %v to %v, the record from %v to %v", first.Meta.At, last.Meta.At, c.CreatedAt, c.UpdatedAt)
	}
}

// applyChange applies a change to state, which must have the values before the change.
func applyChange(t tb, state map[string]any, r customer.ChangeRecord) {
	t.Helper()
	if len(r.Fields) == 0 {
		t.Errorf("version %d changes no field", r.Version)
	}
	for _, f := range r.Fields {
		before := f.Before
		if before == false { // the initial value of a boolean
			before = nil
		}
		if before != state[f.Path] {
			t.Errorf("version %d: %s before: got %v, want %v", r.Version, f.Path, before, state[f.Path])
		}
		state[f.Path] = f.After
		if f.After == nil || f.After == false {
			delete(state, f.Path)
		}
	}
}

// wantNewestChange checks that the customer's newest change is exactly ch.
func (s *suite) wantNewestChange(t tb, ch customer.Change) {
	t.Helper()
	got, err := s.Changes(t.Context(), ch.After.Tenant, ch.After.ID, math.MaxInt64, 1)
	if err != nil || len(got) != 1 {
		t.Fatalf("the newest change: got %+v (%v), want one", got, err)
	}
	by := ch.Meta
	by.At = ch.After.UpdatedAt
	want := customer.ChangeRecord{
		Seq:        got[0].Seq,
		CustomerID: ch.After.ID,
		Number:     ch.After.Number,
		Version:    ch.After.Version,
		Event:      ch.Event(),
		Meta:       by,
		Fields:     ch.Diff(),
		Snapshot:   ch.Snapshot(),
	}
	if !reflect.DeepEqual(got[0], want) {
		t.Errorf("recorded: got %#v, want %#v", got[0], want)
	}
}

func changesNewestFirst(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	for range 6 { // versions 2 to 7
		s.update(t, c, increment)
	}
	for _, tt := range []struct {
		below int64
		limit int
		want  []int64
	}{
		{math.MaxInt64, 100, []int64{7, 6, 5, 4, 3, 2, 1}},
		{8, 3, []int64{7, 6, 5}},
		{5, 3, []int64{4, 3, 2}},
		{2, 3, []int64{1}},
		{1, 3, nil},
		{8, 0, nil},
	} {
		changes, err := s.Changes(t.Context(), "north", c.ID, tt.below, tt.limit)
		var got []int64
		for _, r := range changes {
			got = append(got, r.Version)
		}
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%d below %d: got versions %v (%v), want %v", tt.limit, tt.below, got, err, tt.want)
		}
	}
}

func changesArePerCustomer(t *testing.T, s *suite) {
	north, south := s.create(t, "north", 1), s.create(t, "south", 1) // with the same id
	s.create(t, "north", 2)
	s.update(t, south, setLastName("King"))
	s.wantHistory(t, north)
	for _, ref := range []struct{ tenant, id string }{{"north", id(3)}, {"west", north.ID}, {"north", ""}} {
		if changes := s.history(t, ref.tenant, ref.id); len(changes) != 0 {
			t.Errorf("changes of %+v: got %+v, want none", ref, changes)
		}
	}
}

func changesPreserveTypes(t *testing.T, s *suite) {
	c := s.create(t, "north", 1)
	confirmed := time.Date(2025, 3, 1, 13, 0, 0, 1000, time.FixedZone("", 3600))
	set := customer.Patch{
		"email":         "ada@example.com",
		"address.poBox": int64(math.MaxInt32), "address.editable": true,
		"confirmedAt": confirmed,
	}
	unset := customer.Patch{
		"email":         nil,
		"address.poBox": int64(0), "address.editable": false,
		"confirmedAt": nil,
	}
	s.update(t, c, set.Apply)
	s.update(t, c, unset.Apply)
	utc := time.Date(2025, 3, 1, 12, 0, 0, 1000, time.UTC)
	changes := s.history(t, "north", c.ID)
	for i, want := range [][]customer.FieldChange{
		{
			fieldChange("email", nil, "ada@example.com"), fieldChange("address.poBox", nil, int64(math.MaxInt32)),
			fieldChange("address.editable", false, true), fieldChange("confirmedAt", nil, utc),
		},
		{
			fieldChange("email", "ada@example.com", nil), fieldChange("address.poBox", int64(math.MaxInt32), int64(0)),
			fieldChange("address.editable", true, false), fieldChange("confirmedAt", utc, nil),
		},
	} {
		if got := changes[i+1].Fields; !slices.Equal(got, want) {
			t.Errorf("version %d: got %#v, want %#v", i+2, got, want)
		}
	}
}

func fieldChange(path string, before, after any) customer.FieldChange {
	return customer.FieldChange{Path: path, Before: before, After: after}
}

// feed returns the tenant's whole feed, read in pages.
func feed(t tb, s customer.Store, tenant string) []customer.ChangeRecord {
	t.Helper()
	f := feedReader{tenant: tenant, limit: historyPage}
	for f.read(t, s) > 0 {
	}
	return f.changes
}

// feedReader reads a feed page by page.
type feedReader struct {
	tenant  string
	limit   int
	after   int64
	changes []customer.ChangeRecord
}

// read reads the next page and returns its number of changes.
func (f *feedReader) read(t tb, s customer.Store) int {
	t.Helper()
	page, err := s.Feed(t.Context(), f.tenant, f.after, f.limit)
	if err != nil || len(page) > f.limit {
		t.Fatalf("feed after %d: got %d changes (%v), want at most %d", f.after, len(page), err, f.limit)
	}
	for _, r := range page {
		if r.Seq <= f.after {
			t.Fatalf("feed after %d: got seq %d", f.after, r.Seq)
		}
		f.after = r.Seq
	}
	f.changes = append(f.changes, page...)
	return len(page)
}

func feedIsInOrder(t *testing.T, s *suite) {
	var want []customer.Change
	for n := range int32(3) {
		entry := customer.Upsert{ID: id(n), Edit: setLastName("Ada")}
		ch, err := s.Create(t.Context(), "north", meta(0), entry, nil)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, ch)
	}
	for i := range 9 {
		ch := s.update(t, want[i%3].After, increment)
		s.update(t, want[i%3].After, setLastName("Ada")) // changes nothing
		want = append(want, ch)
	}
	got := feed(t, s, "north")
	if len(got) != len(want) {
		t.Fatalf("got %d changes, want %d", len(got), len(want))
	}
	for i, r := range got {
		after := want[i].After
		if r.CustomerID != after.ID || r.Number != after.Number || r.Version != after.Version || !slices.Equal(r.Fields, want[i].Diff()) {
			t.Errorf("change %d: got %+v, want %+v", i, r, want[i])
		}
	}
	if got := feed(t, s, "west"); len(got) != 0 {
		t.Errorf("feed of west: got %+v, want nothing", got)
	}
}

// feedUnderWriters reads the feed of a tenant through two open stores during writes: no change may
// appear before one that a reader already has.
func feedUnderWriters(t *testing.T, s *suite) {
	const writers, each, readers = 8, 20, 4
	c := s.create(t, "north", 1)
	other := s.openAgain()
	written := make(chan struct{})
	var writing, reading sync.WaitGroup
	for w := range int32(writers) {
		writing.Go(func() {
			for i := range int32(each) {
				s.update(t, c, increment)
				s.create(t, "south", 1+w*each+i)
			}
		})
	}
	all := make([]feedReader, readers)
	for i := range all {
		all[i] = feedReader{tenant: "north", limit: 3}
		from := []customer.Store{s, other}[i%2]
		reading.Go(func() {
			for done := false; !done; {
				select {
				case <-written:
					done = true // after reading once more
				default:
				}
				for all[i].read(t, from) > 0 {
				}
			}
		})
	}
	writing.Wait()
	close(written)
	reading.Wait()
	want := feed(t, s, "north")
	if len(want) != writers*each+1 {
		t.Errorf("the feed: got %d changes, want %d", len(want), writers*each+1)
	}
	for i, f := range all {
		if !reflect.DeepEqual(f.changes, want) {
			t.Errorf("reader %d got %d changes, want the %d of the feed", i, len(f.changes), len(want))
		}
	}
}

func separateFeeds(t *testing.T, s *suite) {
	for n := range int32(5) {
		s.create(t, "north", n+1)
		s.create(t, "south", n+1)
	}
	for _, tenant := range []string{"north", "south"} {
		changes := feed(t, s, tenant)
		if len(changes) != 5 {
			t.Errorf("feed of %s: got %d changes, want 5", tenant, len(changes))
		}
		for i, r := range changes {
			if r.CustomerID != id(int32(i)+1) {
				t.Errorf("feed of %s: change %d is of %s", tenant, i, r.CustomerID)
			}
		}
	}
}

func feedContinues(t *testing.T, s *suite) {
	f := feedReader{tenant: "north", limit: 100}
	c := s.create(t, "north", 1)
	f.read(t, s)
	s.reopen()
	ch := s.update(t, c, setLastName("King"))
	f.read(t, s)
	if len(f.changes) != 2 || f.changes[1].Version != ch.After.Version {
		t.Errorf("got %+v, want the creation and then the update", f.changes)
	}
}
