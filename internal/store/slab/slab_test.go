package slab

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kartotek/internal/customer"
)

// TestASlabHoldsTheNewestOfEach writes more than fits, of every length, and takes
// some out again.
func TestASlabHoldsTheNewestOfEach(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, err := New(64 * blockBytes)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		newest := map[int32]Record{}
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			number := rapid.Int32Range(1, 12).Draw(t, "number")
			r := remembered(number, rapid.IntRange(0, 700).Draw(t, "length"))
			if rapid.IntRange(0, 4).Draw(t, "drop") == 0 {
				s.Drop(r)
				delete(newest, number)
				continue
			}
			s.Put(r)
			newest[number] = r
			if got, _ := s.Get(customer.ByID("north", id(number))); got != r {
				t.Fatalf("customer %d is not there after it was put in", number)
			}
		}
		for number := range int32(13) {
			byNumber, found := s.Get(customer.ByNumber("north", number))
			if byID, ok := s.Get(customer.ByID("north", id(number))); ok != found || byID != byNumber {
				t.Errorf("customer %d: by number %v, by id %v", number, found, ok)
			}
			if found && byNumber != newest[number] {
				t.Errorf("customer %d is there as it was before", number)
			}
		}
		countBlocks(t, s)
	})
}

func TestWhatFitsInASlabStays(t *testing.T) {
	t.Parallel()
	s, err := New(64 * blockBytes)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for round := range 100 {
		for number := range int32(6) {
			s.Put(remembered(number, 100+(round+int(number))%200))
		}
	}
	for number := range int32(6) {
		if _, ok := s.Get(customer.ByNumber("north", number)); !ok {
			t.Errorf("customer %d has left", number)
		}
	}
	for _, other := range []customer.Ref{customer.ByNumber("south", 1), customer.ByNumber("north", 7), customer.ByID("north", id(7))} {
		s.heads[s.hash(other)] = s.heads[s.hash(customer.ByNumber("north", 1))] // as if their hashes were the same
		if r, ok := s.Get(other); ok {
			t.Errorf("got %#v for %+v", r, other)
		}
	}
	s.Clear()
	if r, ok := s.Get(customer.ByNumber("north", 1)); ok {
		t.Errorf("got %#v from an empty slab", r)
	}
}

func remembered(number int32, length int) Record {
	return Record{Row: 1, Customer: customer.Customer{Tenant: "north", ID: id(number), Number: number, LastName: strings.Repeat("o", length)}}
}

// countBlocks checks that each block is of one record, or free, or fresh.
func countBlocks(t *rapid.T, s *Slab) {
	owned := map[uint32]bool{}
	count := func(block uint32) {
		for ; block != 0; block = s.header(block) &^ isHead {
			if owned[block] || block >= s.fresh {
				t.Fatalf("block %d has two owners, or is fresh", block)
			}
			owned[block] = true
		}
	}
	heads := map[uint32]bool{}
	for _, head := range s.heads {
		heads[head] = true
	}
	for head := range heads {
		count(head)
	}
	count(s.free)
	if got, want := len(owned), int(s.fresh)-1; got != want {
		t.Errorf("%d blocks are owned or free, want %d", got, want)
	}
}

func id(number int32) string { return fmt.Sprintf("018f3c5a-9b1e-7d3a-8c4b-%012x", number) }
