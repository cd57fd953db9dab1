package terms

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"kartotek/internal/customer"
)

// Indexed reports whether the filter has an e-mail address, phone, postal code or number, so
// that List can use the index.
func Indexed(f customer.Filter) bool {
	return f.Email != "" || f.Phone != "" || f.PostalCode != "" || f.Number != 0
}

// List returns the customers of a list whose filter is Indexed. For other lists an engine scans a
// range of customers.
func List(index Index, f customer.Filter, region string, after customer.Cursor, limit int) ([]customer.Customer, error) {
	words := filterWords(f, region)
	numbers, _, err := candidates(index, words, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	compare := func(a, b customer.Customer) int {
		return cmp.Or(a.ConfirmedAt.Compare(b.ConfirmedAt), cmp.Compare(a.Number, b.Number))
	}
	enough := math.MaxInt32
	if f.ConfirmedBefore.IsZero() {
		compare = func(a, b customer.Customer) int { return cmp.Compare(a.Number, b.Number) }
		enough = limit
		numbers = slices.DeleteFunc(numbers, func(n int32) bool { return n <= after.Number })
		slices.Sort(numbers)
	}
	start := customer.Customer{ConfirmedAt: after.ConfirmedAt, Number: after.Number}
	found, err := read(index, numbers, enough, func(c customer.Customer) bool {
		return (f.ConfirmedBefore.IsZero() || c.ConfirmedAt.Before(f.ConfirmedBefore)) &&
			compare(c, start) > 0 && match(c, words) == exact
	})
	slices.SortFunc(found, compare)
	return found[:min(len(found), limit)], err
}

// ListUnconfirmed returns up to limit customers after the cursor: first those that never confirmed
// their contact details, by number, and then those that did so before a time. never and confirmed
// are the engine's queries for the two parts.
func ListUnconfirmed(after customer.Cursor, limit int,
	never func(number int32, limit int) ([]customer.Customer, error),
	confirmed func(after customer.Cursor, limit int) ([]customer.Customer, error),
) (list []customer.Customer, err error) {
	if after.ConfirmedAt.IsZero() {
		if list, err = never(after.Number, limit); err != nil || len(list) == limit {
			return list, err
		}
		after.Number = 0
	}
	rest, err := confirmed(after, limit-len(list))
	return append(list, rest...), err
}

// filterWords returns the conditions of the filter.
func filterWords(f customer.Filter, region string) (words []word) {
	add := func(alternatives ...alternative) { words = append(words, word{alternatives: alternatives}) }
	if f.Number != 0 {
		words = append(words, word{number: f.Number})
	}
	if f.Email != "" {
		add(exactly(email + emailKey(clean(f.Email))))
	}
	if f.Phone != "" {
		number := strings.Join(phonesIn(f.Phone), " ") // one, or none that a customer has
		add(phoneAlternatives(number, region, true)...)
	}
	if f.PostalCode != "" {
		add(exactly(postalCode + postalKeys(clean(f.PostalCode))[0]))
	}
	return words
}
