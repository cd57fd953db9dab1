package terms

import (
	"cmp"
	"math"
	"slices"

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
	var err error
	switch {
	case slices.ContainsFunc(l.words, func(w word) bool { return len(w.alternatives) == 0 }):
		return nil, nil // nothing can match a filter without letters and digits
	case f.Number != 0:
		err = l.add([]int32{f.Number})
	case len(l.words[0].alternatives) == 1:
		err = l.scanTerm(l.words[0].alternatives[0].Range)
	default:
		err = l.scanAll(l.words[0].ranges())
	}
	return l.found, err
}

// filterWords returns the conditions of the filter, first the one that fewest customers meet.
func filterWords(f customer.Filter, region string) []word {
	var words []word
	if f.Email != "" {
		words = append(words, word{alternatives: []alternative{{Range: exactly(email + emailKey(clean(f.Email)))}}})
	}
	if f.Phone != "" {
		var w word
		if numbers := phonesIn(f.Phone); len(numbers) > 0 {
			w.alternatives = phoneAlternatives(numbers[0], region, true)
		}
		words = append(words, w)
	}
	if f.PostalCode != "" {
		var w word
		if code := postalKey(clean(f.PostalCode)); code != "" {
			w.alternatives = []alternative{{Range: exactly(postalCode + code)}}
		}
		words = append(words, w)
	}
	return words
}

type list struct {
	index  Index
	filter customer.Filter
	words  []word
	region string
	after  customer.Cursor
	limit  int
	found  []customer.Customer // in the order of the list
}

// scanTerm reads the customers of one range in the order of terms and numbers. The range of a
// single term is in the order of the list, so that reading may begin after the cursor and
// end at the limit.
func (l *list) scanTerm(r Range) error {
	single := r == exactly(r.From)
	byNumber := single && l.filter.ConfirmedBefore.IsZero()
	if byNumber {
		r.After = l.after.Number
	}
	for {
		lists, err := l.index.Numbers([][]Range{{r}}, chunk)
		if err != nil {
			return err
		}
		numbers := lists[0]
		if err := l.add(numbers); err != nil {
			return err
		}
		if len(numbers) < chunk || byNumber && len(l.found) == l.limit {
			return nil
		}
		if !single {
			return l.scanAll([]Range{r})
		}
		r.After = numbers[len(numbers)-1]
	}
}

// scanAll reads all customers of the ranges.
func (l *list) scanAll(ranges []Range) error {
	l.found = nil
	lists, err := l.index.Numbers([][]Range{ranges}, math.MaxInt32)
	if err != nil {
		return err
	}
	return l.add(lists[0])
}

// add adds the customers with these numbers that the filter selects after the cursor, as far
// as the limit allows.
func (l *list) add(numbers []int32) error {
	for part := range slices.Chunk(distinct(numbers), chunk) {
		customers, err := l.index.Customers(part)
		if err != nil {
			return err
		}
		for _, c := range customers {
			if l.selects(c) {
				l.found = append(l.found, c)
			}
		}
		slices.SortFunc(l.found, l.compare)
		l.found = l.found[:min(len(l.found), l.limit)]
	}
	return nil
}

func (l *list) selects(c customer.Customer) bool {
	f := l.filter
	return (f.Number == 0 || c.Number == f.Number) &&
		(f.ConfirmedBefore.IsZero() || c.ConfirmedAt.Before(f.ConfirmedBefore)) &&
		(l.after == customer.Cursor{} || l.compare(c, customer.Customer{ConfirmedAt: l.after.ConfirmedAt, Number: l.after.Number}) > 0) &&
		match(c, l.words, l.region) == exact
}

// compare is the order of the list: by number or, with ConfirmedBefore, by confirmedAt first.
func (l *list) compare(a, b customer.Customer) int {
	if !l.filter.ConfirmedBefore.IsZero() {
		if order := a.ConfirmedAt.Compare(b.ConfirmedAt); order != 0 {
			return order
		}
	}
	return cmp.Compare(a.Number, b.Number)
}
