package sqlite

import (
	"slices"

	"kartotek/internal/customer"
)

// candidate is a customer whom a query may match. What has been read of him on
// the way is kept.
type candidate struct {
	customer.Position
	entry  *entry
	record *customer.Customer
	unfit  bool // cannot match
}

// source proposes candidates in their order.
type source interface {
	// seek returns the first candidate that does not come before from. It may
	// return some that do not match the query, but passes over none that does.
	// From one call to the next, from does not go back.
	seek(from customer.Position) (candidate, bool, error)
}

// run is a source that reads ahead.
type run struct {
	search *search
	rows   []candidate
	last   customer.Position // of what was read
	done   bool              // nothing comes after it
	ahead  int               // rows to read next

	// read returns up to n rows from a position on, and whether these are the last.
	read func(from customer.Position, n int) ([]candidate, bool, error)
}

// A run reads few rows at first, since a page of many runs takes few of each.
const (
	leastAhead = 4
	mostAhead  = 256
)

func (r *run) seek(from customer.Position) (candidate, bool, error) {
	for passed := 0; ; {
		for ; len(r.rows) > 0; r.rows = r.rows[1:] {
			c := r.rows[0]
			if c.Compare(from) >= 0 && (!c.unfit || r.search.spent()) {
				return c, true, nil
			}
			passed++
		}
		if r.done {
			return candidate{}, false, nil
		}
		if passed > 1 && r.last.Compare(from) < 0 {
			r.ahead = leastAhead // from is far ahead, and may be again
		}
		if err := r.more(from); err != nil {
			return candidate{}, false, err
		}
	}
}

func (r *run) more(from customer.Position) (err error) {
	if next := r.last.Next(); next.Compare(from) > 0 {
		from = next
	}
	r.ahead = max(leastAhead, r.ahead)
	r.rows, r.done, err = r.read(from, r.ahead)
	r.ahead = min(2*r.ahead, mostAhead)
	r.search.rows += len(r.rows)
	if len(r.rows) > 0 {
		r.last = r.rows[len(r.rows)-1].Position
	}
	return err
}

// sorted is a source of candidates that are all known.
func (s *search) sorted(rows []candidate) source {
	slices.SortFunc(rows, func(a, b candidate) int { return a.Compare(b.Position) })
	return &run{search: s, rows: rows, done: true}
}

// union proposes what any of its sources does.
type union struct {
	heads []head // by their candidates
	fresh []source
}

// head is what a source proposes next.
type head struct {
	candidate
	source source
}

func (u *union) seek(from customer.Position) (candidate, bool, error) {
	for {
		var next source
		switch {
		case len(u.fresh) > 0:
			next, u.fresh = u.fresh[0], u.fresh[1:]
		case len(u.heads) > 0 && u.heads[0].Compare(from) < 0:
			next, u.heads = u.heads[0].source, u.heads[1:]
		case len(u.heads) > 0:
			return u.heads[0].candidate, true, nil
		default:
			return candidate{}, false, nil
		}
		c, found, err := next.seek(from)
		if err != nil {
			return candidate{}, false, err
		}
		if found {
			i, _ := slices.BinarySearchFunc(u.heads, c, func(h head, c candidate) int { return h.Compare(c.Position) })
			u.heads = slices.Insert(u.heads, i, head{c, next})
		}
	}
}

// intersection proposes what all of its sources do. It looks at what one of them
// proposes, and now and then has the others say from where on it is worth it.
type intersection struct {
	search  *search
	sources []source
	turn    int // whose proposals are looked at
}

// mostMisses is how many proposals are looked at in vain before the others are
// asked: to look at one is a row, to ask the others is some rows of each.
const mostMisses = 8

func (x *intersection) seek(from customer.Position) (candidate, bool, error) {
	for misses := 1; ; misses++ {
		c, found, err := x.sources[x.turn].seek(from)
		if err != nil || !found {
			return candidate{}, false, err
		}
		fits, err := x.search.fits(&c)
		if err != nil || x.search.spent() || fits && !x.search.hasPhones() {
			return c, true, err
		}
		from = c.Next()
		if fits { // as far as its entry tells, which has no phones
			from = c.Position
		}
		if fits || misses%mostMisses == 0 {
			if from, found, err = x.jump(from); err != nil || !found {
				return candidate{}, false, err
			}
		}
		if fits && from == c.Position {
			return c, true, nil
		}
	}
}

// jump is where the source goes on that is the furthest from its next proposal.
// It has the turn from then on.
func (x *intersection) jump(from customer.Position) (customer.Position, bool, error) {
	for i, src := range x.sources {
		c, found, err := src.seek(from)
		if err != nil || !found {
			return customer.Position{}, false, err
		}
		if c.Compare(from) > 0 {
			from, x.turn = c.Position, i
		}
	}
	return from, true, nil
}
