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
var depths = []int{400, 20_000}

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

// candidates returns the numbers in the shortest list of a word that are in the other lists. It
// reports whether no other customer can match. A list that has reached the depth is not complete.
func candidates(index Index, words []word, depth int) (numbers []int32, complete bool, err error) {
	lists := make([][]int32, len(words))
	for i, w := range words {
		if w.number != 0 {
			lists[i] = []int32{w.number}
		}
		for _, a := range w.alternatives {
			more, err := index.Numbers(a.from, a.to, max(0, depth-len(lists[i])))
			if err != nil {
				return nil, false, err
			}
			lists[i] = append(lists[i], more...)
		}
	}
	slices.SortFunc(lists, func(a, b []int32) int { return cmp.Compare(len(a), len(b)) })
	numbers, complete = lists[0], len(lists[0]) < depth
	for _, list := range lists {
		if complete && len(list) >= depth {
			break // the others lack some of the customers
		}
		has := make(map[int32]bool, len(list))
		for _, n := range list {
			has[n] = true
		}
		numbers = slices.DeleteFunc(numbers, func(n int32) bool {
			found := has[n]
			delete(has, n) // no number twice
			return !found
		})
	}
	return numbers, complete, nil
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
