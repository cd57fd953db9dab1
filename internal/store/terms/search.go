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
	maxRead = 4_000 // customers that are read when every word has more than the index returns
)

// depths are the limits of the lists that a search asks the index for, one after the other.
// The first is often enough, and cheap.
var depths = []int{400, 3_000, 20_000}

// Search answers a search for text. An engine calls it with its own index.
func Search(index Index, text, region string, limit int) (out customer.SearchResult, err error) {
	words := parse(text, region)
	if len(words) == 0 {
		return out, nil
	}
	var all []found
	complete := false
	for _, depth := range depths {
		if all, complete, err = find(index, words, region, limit, depth); err != nil {
			return out, err
		}
		if complete || len(all) > limit {
			break
		}
	}
	slices.SortFunc(all, found.compare)
	for _, f := range all[:min(len(all), limit)] {
		out.Customers = append(out.Customers, f.Customer)
	}
	out.More = len(all) > limit || !complete
	return out, nil
}

// found is a customer that matches, with what it is sorted by.
type found struct {
	customer.Customer
	match               int
	lastName, firstName string
}

func (f found) compare(other found) int {
	return cmp.Or(cmp.Compare(other.match, f.match), cmp.Compare(f.lastName, other.lastName),
		cmp.Compare(f.firstName, other.firstName), cmp.Compare(f.Number, other.Number))
}

// find reads the index to a depth, then customers until more than limit match. It reports
// whether it has found all that match, if these are not more.
func find(index Index, words []word, region string, limit, depth int) (all []found, complete bool, err error) {
	ranges := make([][]Range, len(words))
	for i, w := range words {
		ranges[i] = w.ranges()
	}
	lists, err := index.Numbers(ranges, depth)
	if err != nil {
		return nil, false, err
	}
	for i, w := range words {
		if w.number != 0 {
			lists[i] = append([]int32{w.number}, lists[i]...)
		}
	}
	numbers, complete := candidates(lists, depth)
	for size := limit + 1; len(numbers) > 0 && len(all) <= limit; size *= 2 {
		n := min(size, chunk, len(numbers))
		customers, err := index.Customers(numbers[:n])
		if err != nil {
			return nil, false, err
		}
		for _, c := range customers {
			if m := match(c, words, region); m != none {
				all = append(all, found{c, m, nameKey(c.LastName), nameKey(c.FirstName)})
			}
		}
		numbers = numbers[n:]
	}
	return all, complete, nil
}

// candidates returns the numbers in the shortest list that are in each other complete list,
// those in all lists first. It reports whether no other customer can match. A list that has
// reached the depth is not complete.
func candidates(lists [][]int32, depth int) (numbers []int32, complete bool) {
	slices.SortStableFunc(lists, func(a, b []int32) int { return cmp.Compare(len(a), len(b)) })
	numbers, complete = distinct(lists[0]), len(lists[0]) < depth
	for _, list := range lists[1:] {
		has := make(map[int32]bool, len(list))
		for _, n := range list {
			has[n] = true
		}
		if len(list) < depth {
			numbers = slices.DeleteFunc(numbers, func(n int32) bool { return !has[n] })
			continue
		}
		slices.SortStableFunc(numbers, func(a, b int32) int {
			switch {
			case has[a] == has[b]:
				return 0
			case has[a]:
				return -1
			}
			return 1
		})
	}
	if !complete {
		numbers = numbers[:min(len(numbers), maxRead)]
	}
	return numbers, complete
}

// distinct returns the numbers in their order, without repetition.
func distinct(numbers []int32) []int32 {
	known := make(map[int32]bool, len(numbers))
	return slices.DeleteFunc(numbers, func(n int32) bool {
		repeated := known[n]
		known[n] = true
		return repeated
	})
}
