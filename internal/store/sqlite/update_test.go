package sqlite

import (
	"slices"
	"strconv"
	"testing"

	"zombiezen.com/go/sqlite"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// TestEveryFieldHasAColumn changes all fields, so that a diff names them.
func TestEveryFieldHasAColumn(t *testing.T) {
	var full customer.Customer
	for _, col := range layout.Moving {
		switch p := col.Field(&full).(type) {
		case *string:
			*p = "x"
		case *bool:
			*p = true
		case *customer.POBox:
			p.Valid = true
		}
	}
	full.ConfirmedAt = layout.Instant(1)
	diff := customer.Diff(customer.Customer{}, full)
	for _, f := range diff {
		if !slices.ContainsFunc(layout.Moving, func(col layout.Column) bool { return col.Path == f.Path }) {
			t.Errorf("%s has no column", f.Path)
		}
	}
	if got, want := len(updates{}.of(diff).columns), len(layout.Moving); got != want {
		t.Errorf("a change of all fields sets %d columns, want %d", got, want)
	}
}

// TestSetsOfFieldsBeyondCounting changes more sets of fields than there are
// statements for.
func TestSetsOfFieldsBeyondCounting(t *testing.T) {
	s, _ := start(t, Options{})
	fill(t, s, 1)
	texts := []func(*customer.Customer) *string{
		func(c *customer.Customer) *string { return &c.FirstName },
		func(c *customer.Customer) *string { return &c.NationalID },
		func(c *customer.Customer) *string { return &c.Address.Line },
		func(c *customer.Customer) *string { return &c.Address.Floor },
		func(c *customer.Customer) *string { return &c.Address.Entrance },
		func(c *customer.Customer) *string { return &c.Address.City },
		func(c *customer.Customer) *string { return &c.Address.CareOf },
	}
	var want []string
	for set := range 1 << len(texts) {
		edit := func(c *customer.Customer) error {
			for i, text := range texts {
				if set&(1<<i) != 0 {
					*text(c) = strconv.Itoa(set)
				}
			}
			return nil
		}
		if err := revise(t, s, 1, edit); err != nil {
			t.Fatal(err)
		}
	}
	found, err := read(t.Context(), s, func(conn *sqlite.Conn) (record, error) {
		return find(conn, customer.ByNumber("north", 1))
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, text := range texts {
		got = append(got, *text(&found.Customer))
		want = append(want, strconv.Itoa(1<<len(texts)-1))
	}
	if !slices.Equal(got, want) || found.Version != 1<<len(texts) {
		t.Errorf("got %v at version %d, want %v", got, found.Version, want)
	}
	if got := len(s.writer.updates); got != maxUpdates {
		t.Errorf("got %d statements, want %d", got, maxUpdates)
	}
}
