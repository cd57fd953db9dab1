package postgres

import (
	"slices"
	"strings"

	"kartotek/internal/customer"
)

// keysOf are the columns of keys. In keys a space stands before each that is found
// by its start.
func keysOf(c customer.Customer) []any {
	k := customer.KeysOf(c)
	keys := " " + strings.Join([]string{k.Words, k.Email, k.PostalCode, k.Phone, k.Mobile}, " ")
	return []any{k.LastName, k.FirstName, keys}
}

// movedKeys are the columns of keys that the change may move: nil for those that
// stay. Phones alone stay as they were there, and are found by movedDigits.
func movedKeys(ch customer.Change) []any {
	if !ch.MovesKeys() {
		return []any{nil, nil, nil}
	}
	return keysOf(ch.After)
}

// movedDigits are those of phones that have changed since keys were written: nil
// where keys are written, or have them.
func movedDigits(ch customer.Change) any {
	if ch.MovesKeys() || !ch.MovesPhone() && !ch.MovesMobile() {
		return nil
	}
	return " " + customer.PhoneKey(ch.After) + " " + customer.MobileKey(ch.After)
}

// condition is a part of a statement, with the parameters so far: first those of
// the position that a page begins behind.
type condition struct{ args []any }

func newCondition(tenant string, after customer.Position) *condition {
	return &condition{[]any{tenant, after.LastName, after.FirstName, after.ID}}
}

// after wants customers of the tenant behind the position.
func (*condition) after() string { return "tenant = $1 AND (last_key, first_key, id) > ($2, $3, $4)" }

// afterAnyOrder is after in words that the index of the order does not know: where
// few are sought, it would lead through all.
func (*condition) afterAnyOrder() string {
	return "tenant = $1 AND (last_key || '', first_key, id) > ($2, $3, $4)"
}

// next are these customers in their order.
func (c *condition) next() string {
	return `
		FROM customers
		WHERE ` + c.after() + `
		ORDER BY last_key, first_key, id`
}

// matches wants what all customers have whom the terms match, and some others. The
// condition of a term is whatever of says.
func (c *condition) matches(terms []customer.Term, q customer.Query, of func(place int, t customer.Term) string) string {
	all := []string{"true"}
	for i, t := range terms {
		all = append(all, of(i, t))
	}
	if !q.ConfirmedBefore.IsZero() {
		all = append(all, "coalesce(confirmed_at < "+c.param(q.ConfirmedBefore.UnixMicro())+", true)")
	}
	return strings.Join(all, " AND ")
}

// parts are the conditions of which a term wants one.
func (c *condition) parts(t customer.Term) (keys, digits []string) {
	keys, digits = []string{"false"}, []string{"false"}
	if t.Number != 0 {
		keys = append(keys, "id = (SELECT id FROM numbers WHERE tenant = $1 AND number = "+c.param(t.Number)+")")
	}
	lists := patterns(t)
	for i, list := range lists {
		again := slices.ContainsFunc(lists[:i], func(before []string) bool { return slices.Equal(before, list) })
		if again || slices.ContainsFunc(list, func(pattern string) bool { return !storable(pattern) }) {
			continue
		}
		var all []string
		for _, pattern := range list {
			all = append(all, "keys LIKE "+c.param(pattern))
		}
		keys = append(keys, strings.Join(all, " AND "))
	}
	for _, pattern := range phonePatterns(t) {
		if storable(pattern) {
			digits = append(digits, "digits LIKE "+c.param(pattern))
		}
	}
	return keys, digits
}

func anyOf(conditions []string) string { return "(" + strings.Join(conditions, " OR ") + ")" }

func (c *condition) param(v any) string {
	c.args = append(c.args, v)
	return param(len(c.args))
}

// patterns are what LIKE is asked for a term: all of one list.
func patterns(t customer.Term) [][]string {
	var lists [][]string
	if len(t.Name) > 0 {
		var starts []string
		for _, start := range t.Name {
			starts = append(starts, "% "+escaped(start)+"%")
		}
		lists = append(lists, starts)
	}
	for _, start := range append([]string{t.Email}, t.PostalCodes...) {
		if start != "" {
			lists = append(lists, []string{"% " + escaped(start) + "%"})
		}
	}
	for _, pattern := range phonePatterns(t) {
		lists = append(lists, []string{pattern})
	}
	return lists
}

// phonePatterns are those of them by which phones are found.
func phonePatterns(t customer.Term) []string {
	var list []string
	for _, digits := range t.Phones {
		list = append(list, "%"+escaped(digits)+"%")
	}
	return list
}

// escaped has LIKE take each character as it is.
func escaped(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// narrow reports whether the indexes can find those of a term: each of its parts has
// three letters or digits in a row, of those that every locale takes for such.
func narrow(t customer.Term) bool {
	lists := patterns(t)
	return (len(lists) > 0 || t.Number != 0) && !slices.ContainsFunc(lists, func(list []string) bool {
		return !slices.ContainsFunc(list, hasTrigram)
	})
}

func hasTrigram(pattern string) bool {
	run := 0
	for _, r := range pattern {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			run++
		} else {
			run = 0
		}
		if run == 3 {
			return true
		}
	}
	return false
}
