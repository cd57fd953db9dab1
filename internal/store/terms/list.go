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
	byNumber := f.ConfirmedBefore.IsZero()
	compare := func(a, b customer.Customer) int {
		if order := a.ConfirmedAt.Compare(b.ConfirmedAt); order != 0 && !byNumber {
			return order
		}
		return cmp.Compare(a.Number, b.Number)
	}
	words := filterWords(f, region)
	matches := func(c customer.Customer) bool {
		return (byNumber || c.ConfirmedAt.Before(f.ConfirmedBefore)) && match(c, words) == exact &&
			compare(c, customer.Customer{ConfirmedAt: after.ConfirmedAt, Number: after.Number}) > 0
	}
	depth, enough := math.MaxInt32, math.MaxInt32
	// The customers of one term are in the order of the list, but not of one by confirmedAt.
	if a := words[0].alternatives; byNumber && len(a) == 1 && a[0].check == nil {
		depth, enough, a[0].After = limit, limit, after.Number
	}
	for {
		found, complete, err := find(index, words[:1], depth, enough, matches)
		if err != nil || complete || len(found) >= limit {
			slices.SortFunc(found, compare)
			return found[:min(len(found), limit)], err
		}
		depth *= 10
	}
}

// filterWords returns the conditions of the filter, first the one that fewest customers meet.
func filterWords(f customer.Filter, region string) (words []word) {
	add := func(term string) {
		words = append(words, word{alternatives: []alternative{{Range: exactly(term)}}})
	}
	if f.Number != 0 {
		words = append(words, word{number: f.Number})
	}
	if f.Email != "" {
		add(email + emailKey(clean(f.Email)))
	}
	if f.Phone != "" {
		number := strings.Join(phonesIn(f.Phone), " ") // one, or none that a customer has
		words = append(words, word{alternatives: phoneAlternatives(number, region, true)})
	}
	if f.PostalCode != "" {
		add(postalCode + postalKeys(clean(f.PostalCode))[0])
	}
	return words
}
