package terms

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"kartotek/internal/customer"
)

// Indexed reports whether the filter has an e-mail address, phone, postal code or number, so
// that List answers it.
func Indexed(f customer.Filter) bool {
	return f.Email != "" || f.Phone != "" || f.PostalCode != "" || f.Number != 0
}

// List answers a list whose filter is Indexed. An engine answers other lists by a range scan
// of its own.
func List(index Index, f customer.Filter, region string, after customer.Cursor, limit int) ([]customer.Customer, error) {
	l := list{index: index, filter: f, words: filterWords(f, region), region: region, after: after, limit: limit}
	if f.Number != 0 {
		err := l.add([]int32{f.Number})
		return l.customers, err
	}
	ranges, depth := l.words[0].ranges(), math.MaxInt32
	// The customers of one term are in the order of the list, but not of one by confirmedAt.
	if f.ConfirmedBefore.IsZero() && len(ranges) == 1 && ranges[0] == exactly(ranges[0].From) {
		ranges[0].After, depth = after.Number, limit
	}
	for {
		lists, err := index.Numbers([][]Range{ranges}, depth)
		if err != nil {
			return nil, err
		}
		numbers := lists[0]
		if err := l.add(numbers); err != nil || len(numbers) < depth || len(l.customers) == limit {
			return l.customers, err
		}
		ranges[0].After = numbers[len(numbers)-1]
	}
}

type list struct {
	index     Index
	filter    customer.Filter
	words     []word // the conditions of the filter, first the one that fewest customers meet
	region    string
	after     customer.Cursor
	limit     int
	customers []customer.Customer // in the order of the list
}

func filterWords(f customer.Filter, region string) (words []word) {
	if f.Email != "" {
		words = append(words, word{alternatives: []alternative{{Range: exactly(email + emailKey(clean(f.Email)))}}})
	}
	if f.Phone != "" {
		number := strings.Join(phonesIn(f.Phone), " ") // one, or none that a customer has
		words = append(words, word{alternatives: phoneAlternatives(number, region, true)})
	}
	if f.PostalCode != "" {
		words = append(words, word{alternatives: []alternative{{Range: exactly(postalCode + postalKeys(clean(f.PostalCode))[0])}}})
	}
	return words
}

// add adds the customers with these numbers that belong to the list, as far as the limit allows.
func (l *list) add(numbers []int32) error {
	for part := range slices.Chunk(distinct(numbers), chunk) {
		customers, err := l.index.Customers(part)
		if err != nil {
			return err
		}
		l.customers = append(l.customers, slices.DeleteFunc(customers, func(c customer.Customer) bool { return !l.has(c) })...)
		slices.SortFunc(l.customers, l.compare)
		l.customers = l.customers[:min(len(l.customers), l.limit)]
	}
	return nil
}

func (l *list) has(c customer.Customer) bool {
	f, after := l.filter, customer.Customer{ConfirmedAt: l.after.ConfirmedAt, Number: l.after.Number}
	return (f.Number == 0 || c.Number == f.Number) &&
		(f.ConfirmedBefore.IsZero() || c.ConfirmedAt.Before(f.ConfirmedBefore)) &&
		(l.after == customer.Cursor{} || l.compare(c, after) > 0) &&
		match(c, l.words, l.region) == exact
}

// compare is the order of the list: by number or, with ConfirmedBefore, by confirmedAt first.
func (l *list) compare(a, b customer.Customer) int {
	if order := a.ConfirmedAt.Compare(b.ConfirmedAt); order != 0 && !l.filter.ConfirmedBefore.IsZero() {
		return order
	}
	return cmp.Compare(a.Number, b.Number)
}
