package postgres

import (
	"errors"
	"testing"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

var errUnwanted = errors.New("the edit wants another version")

// TestARecordThatWasSeenIsHeldToTheDatabase has a server change a customer whom it
// has seen, after somebody else has changed him.
func TestARecordThatWasSeenIsHeldToTheDatabase(t *testing.T) {
	t.Parallel()
	atVersion := func(version int64) customer.Edit {
		return func(c *customer.Customer) error {
			if c.Version != version {
				return errUnwanted
			}
			c.Phone = "+47 22 33 44 55"
			return nil
		}
	}
	called := func(c *customer.Customer) error {
		c.Phone = "+47 22 33 44 55"
		return nil
	}
	byOther := func(t *testing.T, other *Store) {
		if _, err := rename(t, other, 1, "King"); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		other func(t *testing.T, other *Store)
		edit  customer.Edit
		want  customer.Customer // but for what both have
		err   error
		empty bool // nothing was left to change
	}{
		"nobody":                   {func(*testing.T, *Store) {}, called, customer.Customer{Version: 2, LastName: "Lovelace", Phone: "+47 22 33 44 55"}, nil, false},
		"another server":           {byOther, called, customer.Customer{Version: 3, LastName: "King", Phone: "+47 22 33 44 55"}, nil, false},
		"the wanted version":       {byOther, atVersion(2), customer.Customer{Version: 3, LastName: "King", Phone: "+47 22 33 44 55"}, nil, false},
		"a version that has gone":  {byOther, atVersion(1), customer.Customer{Version: 2, LastName: "King"}, errUnwanted, false},
		"back to what was seen":    {byOther, named("Lovelace"), customer.Customer{Version: 3, LastName: "Lovelace"}, nil, false},
		"what another did already": {byOther, named("King"), customer.Customer{Version: 2, LastName: "King"}, nil, true},
		"who knows no versions": {
			func(t *testing.T, other *Store) { run(t, other, "UPDATE customers SET last_name = 'King'") },
			called,
			customer.Customer{Version: 2, LastName: "King", Phone: "+47 22 33 44 55"},
			nil, false,
		},
		"a restored row": {
			func(t *testing.T, other *Store) {
				run(t, other, `
					CREATE TABLE saved AS SELECT * FROM customers;
					DELETE FROM customers;
					INSERT INTO customers SELECT * FROM saved;
					UPDATE customers SET last_name = 'King'`)
			},
			called,
			customer.Customer{Version: 2, LastName: "King", Phone: "+47 22 33 44 55"},
			nil, false,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, dsn := start(t)
			fill(t, s, 1)
			ref := customer.ByNumber("north", 1)
			if _, err := s.Find(t.Context(), ref); err != nil {
				t.Fatal(err)
			}
			tt.other(t, open(t, dsn))
			ch, err := s.Update(t.Context(), ref, byTest, tt.edit, nil)
			if !errors.Is(err, tt.err) || err == nil && ch.Empty() != tt.empty {
				t.Errorf("got %v, empty %v, want %v, %v", err, ch.Empty(), tt.err, tt.empty)
			}
			c, err := s.Find(t.Context(), ref)
			if err != nil || c.Version != tt.want.Version || c.LastName != tt.want.LastName || c.Phone != tt.want.Phone {
				t.Errorf("got version %d, %q, %q (%v), want %d, %q, %q", c.Version, c.LastName, c.Phone, err, tt.want.Version, tt.want.LastName, tt.want.Phone)
			}
		})
	}
}

func TestACustomerWhoWasSeenMayBeGone(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	fill(t, s, 1)
	if _, err := s.Find(t.Context(), customer.ByNumber("north", 1)); err != nil {
		t.Fatal(err)
	}
	run(t, s, "DELETE FROM customers")
	if ch, err := rename(t, s, 1, "King"); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %+v, %v", ch, err)
	}
}

// TestWhoWasSeenIsNotReadForAChange counts how often records are read.
func TestWhoWasSeenIsNotReadForAChange(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	fillApart(t, s, 2)
	reads, read := 0, s.finds.do
	s.finds.do = func(group []*errand[sought]) {
		reads += len(group)
		read(group)
	}
	for i, tt := range []struct {
		number int32
		name   string
		reads  int
	}{
		{1, "King", 1},
		{1, "Byron", 1}, // seen when it was read and written
		{1, "Byron", 2}, // to change nothing takes the record as it is
		{2, "King", 3},
		{1, "King", 3},
	} {
		if _, err := rename(t, s, tt.number, tt.name); err != nil || reads != tt.reads {
			t.Errorf("change %d: %d were read until then (%v), want %d", i, reads, err, tt.reads)
		}
	}
	for caller := range 2 {
		if _, ok := s.seen.find(customer.ByNumber("north", int32(caller+1))); !ok {
			t.Errorf("%d is forgotten", caller+1)
		}
	}
	gather(t, &s.moves, 2, func(caller int) {
		if _, err := rename(t, s, int32(caller+1), "Milbanke"); err != nil {
			t.Errorf("%d: %v", caller+1, err)
		}
	})
	if reads != 3 {
		t.Errorf("%d were read, want none for a group who were all seen", reads-3)
	}
	if _, err := rename(t, s, 2, "King"); err != nil || reads != 3 {
		t.Errorf("%d were read (%v), want none for one whom a group has changed", reads-3, err)
	}
}
