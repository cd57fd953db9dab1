package terms

import (
	"cmp"
	"fmt"
	"slices"

	"kartotek/internal/customer"
)

// Index is what a search reads: the terms and the records of one tenant, in one snapshot
// where the engine can.
type Index interface {
	// Numbers returns the numbers of customers that have a term in the range, in the order of
	// terms, then numbers; at most limit, repetitions allowed.
	Numbers(r Range, limit int) ([]int32, error)
	// Customers returns the customers with these numbers, in any order, without those that
	// do not exist.
	Customers(numbers []int32) ([]customer.Customer, error)
}

// depths are the limits of the lists that a search asks the index for, one after the other.
// The first is often enough, and cheap.
var depths = []int{400, 20_000}

const chunk = 500 // customers that are read at a time, at most

// Search answers a search for text. An engine calls it with its own index.
func Search(index Index, text, region string, limit int) (out customer.SearchResult, err error) {
	words := parse(text, region)
	if len(words) == 0 {
		return out, nil
	}
	order := map[int32]string{} // what customers are sorted by
	matches := func(c customer.Customer) bool {
		quality := match(c, words)
		order[c.Number] = fmt.Sprintf("%d\x00%s\x00%s\x00%010d", exact-quality, nameKey(c.LastName), nameKey(c.FirstName), c.Number)
		return quality > none
	}
	for _, depth := range depths {
		found, complete, err := find(index, words, depth, limit+1, matches)
		if err != nil {
			return out, err
		}
		out.Customers, out.More = found, !complete || len(found) > limit
		if complete || len(found) > limit {
			break
		}
	}
	slices.SortFunc(out.Customers, func(a, b customer.Customer) int { return cmp.Compare(order[a.Number], order[b.Number]) })
	out.Customers = out.Customers[:min(len(out.Customers), limit)]
	return out, nil
}

// find reads the index to a depth, then customers until enough match. It reports whether it has
// found all that match, if these are not more.
func find(index Index, words []word, depth, enough int, matches func(customer.Customer) bool) (found []customer.Customer, complete bool, err error) {
	numbers, complete, err := candidates(index, words, depth)
	for size := enough; err == nil && len(numbers) > 0 && len(found) < enough; size *= 2 {
		n := min(size, chunk, len(numbers))
		var customers []customer.Customer
		customers, err = index.Customers(numbers[:n])
		for _, c := range customers {
			if matches(c) {
				found = append(found, c)
			}
		}
		numbers = numbers[n:]
	}
	return found, complete, err
}

// candidates returns the numbers in the shortest list of a word that are in the other lists. It
// reports whether no other customer can match. A list that has reached the depth is not complete.
func candidates(index Index, words []word, depth int) (numbers []int32, complete bool, err error) {
	lists := make([][]int32, len(words))
	for i, w := range words {
		if lists[i], err = w.list(index, depth); err != nil {
			return nil, false, err
		}
	}
	slices.SortFunc(lists, func(a, b []int32) int { return cmp.Compare(len(a), len(b)) })
	numbers, complete = lists[0], len(lists[0]) < depth
	for _, list := range lists[1:] {
		if complete && len(list) >= depth {
			continue // it lacks some of the customers
		}
		has := make(map[int32]bool, len(list))
		for _, n := range list {
			has[n] = true
		}
		numbers = slices.DeleteFunc(numbers, func(n int32) bool { return !has[n] })
	}
	return distinct(numbers), complete, nil
}

// list returns the numbers of customers that the word may match, repetitions allowed.
func (w word) list(index Index, limit int) (numbers []int32, err error) {
	if w.number != 0 {
		numbers = append(numbers, w.number)
	}
	for _, a := range w.alternatives {
		more, err := index.Numbers(a.Range, max(0, limit-len(numbers)))
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, more...)
	}
	return numbers, nil
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
