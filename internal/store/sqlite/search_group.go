package sqlite

import (
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
)

// pieces is a source of customers with some pieces. Their rowids come group by
// group, and a group is sorted when it is read.
type pieces struct {
	search *search
	match  string
	rowids []int64 // that were read and are of no group yet
	next   int64   // the first that was not read
	done   bool    // there is none
	ahead  int     // rowids to read next
	group  source
}

// maxAlike is how many rows of a group are looked up by their rowids. A larger
// one is a part of the alphabet that is better read in its order.
const maxAlike = 256

func (p *pieces) seek(from customer.Position) (candidate, bool, error) {
	for {
		if p.group != nil {
			c, found, err := p.group.seek(from)
			if err != nil || found {
				return c, found, err
			}
		}
		found, err := p.nextGroup(firstRowid(from.LastName))
		if err != nil || !found {
			return candidate{}, false, err
		}
	}
}

// nextGroup takes the group of the first rowid that does not come before from.
func (p *pieces) nextGroup(from int64) (bool, error) {
	for len(p.rowids) > 0 && p.rowids[0] < from {
		p.rowids = p.rowids[1:]
	}
	p.next = max(p.next, from)
	if err := p.readTo(1); err != nil || len(p.rowids) == 0 {
		return false, err
	}
	code, size := group(p.rowids[0]), 1
	for ; size <= maxAlike; size++ {
		if err := p.readTo(size + 1); err != nil {
			return false, err
		}
		if len(p.rowids) == size || group(p.rowids[size]) != code {
			return true, p.take(size)
		}
	}
	p.group = p.search.between(groupStart(code), groupStart(code+1))
	p.rowids, p.next = nil, (code+1)<<groupShift
	return true, nil
}

// readTo reads on until there are so many rowids, or no more.
func (p *pieces) readTo(n int) error {
	for len(p.rowids) < n && !p.done {
		p.ahead = min(max(2*p.ahead, 32), mostAhead)
		count := 0
		err := sqlitex.Execute(p.search.conn, matchPieces, &sqlitex.ExecOptions{
			Args: []any{p.match, p.next, p.ahead},
			ResultFunc: func(stmt *sqlite.Stmt) error {
				count++
				p.rowids = append(p.rowids, stmt.ColumnInt64(0))
				return nil
			},
		})
		if err != nil {
			return err
		}
		p.search.rows += count
		p.done = count < p.ahead
		if count > 0 {
			p.next = p.rowids[len(p.rowids)-1] + 1
		}
	}
	return nil
}

// take looks up the customers of the first rowids and makes them the group.
func (p *pieces) take(size int) error {
	var rows []candidate
	for i, rowid := range p.rowids[:size] {
		number := numberOf(rowid)
		if i > 0 && numberOf(p.rowids[i-1]) == number {
			continue // another phone of the same customer
		}
		c, found, err := p.search.byNumber(number)
		if err != nil {
			return err
		}
		if found {
			rows = append(rows, c)
		}
	}
	p.group, p.rowids = p.search.sorted(rows), p.rowids[size:]
	return nil
}
