package storetest

import (
	"fmt"
	"testing"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/customer"
)

// eachVersion reads every version by its number and its time, and every page of the history. The
// time repeats, because a clock may go back.
func eachVersion(t *testing.T, s *suite) {
	s.create(t, "south", 1) // with the same id
	versions := []customer.Customer{s.create(t, "north", 1)}
	for i := 2; i <= 70; i++ {
		ch, err := s.Update(t.Context(), customer.ByNumber("north", 1), meta(i/3*3), func(c *customer.Customer) error {
			c.LastName, c.FirstName, c.Services.Grid = fmt.Sprintf("Ada %d", i), "", i%2 == 0
			c.Address.POBox = customer.POBox{Valid: i%5 > 0, Number: int32(i)}
			return nil
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, ch.After)
	}
	service := customer.New(s.Store, nil, time.Now, nil)
	reader := access.Actor{
		Tenant: "north", ID: actorID, Customers: access.AllCustomers(), Scopes: []access.Scope{access.Read},
	}
	for i, want := range versions {
		got, err := service.GetVersion(t.Context(), reader, customer.ByNumber("north", 1), want.Version)
		if err != nil || got != want {
			t.Errorf("version %d: got %+v (%v), want %+v", want.Version, got, err, want)
		}
		last := want // at this time
		for _, later := range versions[i:] {
			if later.UpdatedAt.Equal(want.UpdatedAt) {
				last = later
			}
		}
		got, err = service.GetAt(t.Context(), reader, customer.ByNumber("north", 1), want.UpdatedAt)
		if err != nil || got != last {
			t.Errorf("at %v: got %+v (%v), want %+v", want.UpdatedAt, got, err, last)
		}
		page, err := s.Changes(t.Context(), "north", want.ID, want.Version, 100)
		if err != nil || len(page) != i {
			t.Errorf("changes below %d: got %d (%v), want %d", want.Version, len(page), err, i)
		}
	}
	s.wantHistory(t, versions[len(versions)-1])
}
