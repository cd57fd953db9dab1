package terms

import (
	"cmp"
	"slices"

	"kartotek/internal/customer"
)

// Index is what a search reads: the terms and the records of one tenant, in one snapshot
// where the engine can.
type Index interface {
	// Numbers returns for each word of a search the numbers of customers that have a term in
	// one of its ranges, in the order of ranges, then terms, then numbers; at most limit for
	// each word, repetitions allowed.
	Numbers(words [][]Range, limit int) ([][]int32, error)
	// Customers returns the customers with these numbers, in any order, without those that
	// do not exist.
	Customers(numbers []int32) ([]customer.Customer, error)
}

const (
	chunk   = 500   // customers that are read at a time, at most
	maxRead = 4_000 // customers of incomplete lists that are read
)

// depths are how many numbers a search asks the index for, for each word: few at first, since
// they are often enough.
var depths = []int{400, 3_000, 20_000}

// Search answers a search for text. An engine calls it with its own index.
func Search(index Index, text, region string, limit int) (customer.SearchResult, error) {
	s := search{index: index, words: parse(text, region), region: region, limit: limit, read: map[int32]bool{}}
	if len(s.words) == 0 {
		return customer.SearchResult{}, nil
	}
	for _, depth := range depths {
		complete, err := s.look(depth)
		if err != nil {
			return customer.SearchResult{}, err
		}
		if complete || len(s.found) > limit {
			return s.result(!complete), nil
		}
	}
	return s.result(true), nil
}

type search struct {
	index  Index
	words  []word
	region string
	limit  int
	read   map[int32]bool // the numbers whose customers have been read
	found  []found
}

type found struct {
	customer.Customer
	match               int
	lastName, firstName string // folded
}

// look reads customers until it has found more than the limit. It reports whether it has
// found all that match.
func (s *search) look(depth int) (complete bool, err error) {
	ranges := make([][]Range, len(s.words))
	for i, w := range s.words {
		ranges[i] = w.ranges()
	}
	lists, err := s.index.Numbers(ranges, depth)
	if err != nil {
		return false, err
	}
	numbers, complete := s.candidates(lists, depth)
	for size := s.limit + 1; len(numbers) > 0; size *= 2 {
		n := min(size, chunk, len(numbers))
		customers, err := s.index.Customers(numbers[:n])
		if err != nil {
			return false, err
		}
		for _, c := range customers {
			if m := match(c, s.words, s.region); m != none {
				s.found = append(s.found, found{c, m, nameKey(c.LastName), nameKey(c.FirstName)})
			}
		}
		numbers = numbers[n:]
		if len(s.found) > s.limit {
			return complete && len(numbers) == 0, nil
		}
	}
	return complete, nil
}

// candidates returns the numbers to read: those of the shortest list that are also in every
// other complete list, first the ones that are in all lists. It reports whether no other
// customer can match: a list that is as long as the depth may lack some.
func (s *search) candidates(lists [][]int32, depth int) (numbers []int32, complete bool) {
	in := map[int32]int{}         // how many lists have the number
	inComplete := map[int32]int{} // how many complete lists have it
	completeLists := 0
	shortest := 0
	for i, list := range lists {
		isComplete := len(list) < depth
		if n := s.words[i].number; n != 0 {
			list = append([]int32{n}, list...)
		}
		lists[i] = distinct(list)
		if isComplete {
			completeLists++
		}
		for _, n := range lists[i] {
			in[n]++
			if isComplete {
				inComplete[n]++
			}
		}
		if len(lists[i]) < len(lists[shortest]) {
			shortest = i
		}
	}
	var others []int32
	for _, n := range lists[shortest] {
		switch {
		case s.read[n] || inComplete[n] < completeLists:
		case in[n] == len(lists):
			numbers = append(numbers, n)
		default:
			others = append(others, n)
		}
	}
	numbers = append(numbers, others...)
	if completeLists == 0 {
		numbers = numbers[:min(len(numbers), maxRead)]
	}
	for _, n := range numbers {
		s.read[n] = true
	}
	return numbers, completeLists > 0
}

// distinct returns the numbers in their order, without repetition.
func distinct(list []int32) []int32 {
	known := make(map[int32]bool, len(list))
	return slices.DeleteFunc(list, func(n int32) bool {
		repeated := known[n]
		known[n] = true
		return repeated
	})
}

// result sorts what was found, and leaves out what is beyond the limit.
func (s *search) result(more bool) customer.SearchResult {
	slices.SortFunc(s.found, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.match, a.match), cmp.Compare(a.lastName, b.lastName),
			cmp.Compare(a.firstName, b.firstName), cmp.Compare(a.Number, b.Number))
	})
	out := customer.SearchResult{More: more || len(s.found) > s.limit}
	for _, f := range s.found[:min(len(s.found), s.limit)] {
		out.Customers = append(out.Customers, f.Customer)
	}
	return out
}
