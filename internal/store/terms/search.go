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
	// Numbers returns the numbers of customers that have a term with from <= term < to, in the
	// order of terms, then numbers; at most limit, repetitions allowed.
	Numbers(from, to string, limit int) ([]int32, error)
	// Customers returns the customers with these numbers, in any order, without those that
	// do not exist.
	Customers(numbers []int32) ([]customer.Customer, error)
}

// depths are the limits of the lists that a search asks the index for, one after the other.
// The first is often enough, and cheap.
var depths = []int{400, 2000}

// maxChecked is how many candidates a search reads at most when there are others that it does not
// know.
const maxChecked = 200

// Search returns up to limit customers that match every word of text.
func Search(index Index, text, region string, limit int) (out customer.SearchResult, err error) {
	words := parse(text, region)
	if len(words) == 0 {
		return out, nil
	}
	order := map[int32]string{} // what customers are sorted by
	matches := func(c customer.Customer) bool {
		quality := match(c, words)
		if quality > none {
			order[c.Number] = fmt.Sprintf("%d\x00%s\x00%s\x00%010d",
				exact-quality, fold(c.LastName)[0], fold(c.FirstName)[0], c.Number)
		}
		return quality > none
	}
	for _, depth := range depths {
		numbers, complete, err := candidates(index, words, depth)
		if err != nil {
			return out, err
		}
		if !complete {
			numbers = numbers[:min(len(numbers), maxChecked)]
		}
		if out.Customers, err = read(index, numbers, limit+1, matches); err != nil {
			return out, err
		}
		out.More = !complete || len(out.Customers) > limit
		if complete || len(out.Customers) > limit {
			break
		}
	}
	slices.SortFunc(out.Customers, func(a, b customer.Customer) int { return cmp.Compare(order[a.Number], order[b.Number]) })
	out.Customers = out.Customers[:min(len(out.Customers), limit)]
	return out, nil
}

// candidates returns the numbers of customers that may match, the most likely first. It reports
// whether no other customer can match. A list that has reached the depth is not complete.
func candidates(index Index, words []word, depth int) (numbers []int32, complete bool, err error) {
	var partial []int32      // the numbers of the lists that are not complete
	lists := map[int32]int{} // how many of these lists have a number
	for _, w := range words {
		list, err := listOf(index, w, depth)
		switch {
		case err != nil:
			return nil, false, err
		case len(list) >= depth:
			list = distinct(list)
			for _, n := range list {
				lists[n]++
			}
			partial = append(partial, list...)
		case complete:
			numbers = intersection(numbers, list)
		default:
			numbers, complete = distinct(list), true
		}
	}
	if !complete {
		numbers = distinct(partial)
	}
	slices.SortStableFunc(numbers, func(a, b int32) int { return cmp.Compare(lists[b], lists[a]) })
	return numbers, complete, nil
}

// listOf returns up to depth numbers of customers that may match the word.
func listOf(index Index, w word, depth int) (list []int32, err error) {
	if w.number != 0 {
		list = []int32{w.number}
	}
	for _, a := range w.alternatives {
		more, err := index.Numbers(a.from, a.to, max(0, depth-len(list)))
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	return list, nil
}

// intersection returns the numbers in both lists. It overwrites the first.
func intersection(numbers, list []int32) []int32 {
	has := make(map[int32]bool, len(list))
	for _, n := range list {
		has[n] = true
	}
	return slices.DeleteFunc(numbers, func(n int32) bool { return !has[n] })
}

// distinct returns the list without repetition, in the same order. It overwrites the list.
func distinct(list []int32) []int32 {
	has := make(map[int32]bool, len(list))
	return slices.DeleteFunc(list, func(n int32) bool {
		repeated := has[n]
		has[n] = true
		return repeated
	})
}

// read returns the customers that match, at least the first ones until they are enough.
func read(index Index, numbers []int32, enough int, matches func(customer.Customer) bool) (found []customer.Customer, err error) {
	for chunk := range slices.Chunk(numbers, min(enough, 100)) {
		customers, err := index.Customers(chunk)
		if err != nil {
			return nil, err
		}
		found = append(found, slices.DeleteFunc(customers, func(c customer.Customer) bool { return !matches(c) })...)
		if len(found) >= enough {
			break
		}
	}
	return found, nil
}
