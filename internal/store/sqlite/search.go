package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// Search implements customer.Store. Indexes propose candidates in the order of
// their positions; each is held to the query before it is on the page.
func (s *Store) Search(ctx context.Context, tenant string, q customer.Query, after customer.Position, limit int) (customer.Page, error) {
	page, err := s.search(ctx, tenant, q, after, limit, needIndex)
	if !errors.Is(err, errBehind) {
		return page, err
	}
	if err := s.follow(ctx); err != nil && (ctx.Err() != nil || !fault.IsFault(err)) {
		return customer.Page{}, err
	}
	// From a store that cannot be written to it is better to find nearly all.
	return s.search(ctx, tenant, q, after, limit, func(*sqlite.Conn) error { return nil })
}

// follow has the index follow all changes that were committed before the call.
func (s *Store) follow(ctx context.Context) error {
	for {
		done, err := write(ctx, s, s.writer.follower.follow)
		if err != nil || done {
			return err
		}
	}
}

func (s *Store) search(ctx context.Context, tenant string, q customer.Query, after customer.Position, limit int, need func(*sqlite.Conn) error) (customer.Page, error) {
	return read(ctx, s, func(conn *sqlite.Conn) (page customer.Page, err error) {
		end := sqlitex.Transaction(conn) // what the statements read is of one moment
		defer end(&err)
		if err := need(conn); err != nil {
			return customer.Page{}, err
		}
		number, err := findTenant(conn, tenant)
		if err != nil {
			return customer.Page{}, fmt.Errorf("search: %w", err)
		}
		if number == 0 {
			return customer.Page{Next: after}, nil
		}
		one := &search{conn: conn, name: tenant, tenant: number, query: q, terms: q.Terms(), most: s.searchRows}
		page, err = one.page(after, limit)
		if err != nil {
			return customer.Page{}, fmt.Errorf("search: %w", err)
		}
		return page, nil
	})
}

// What a search may look at, so that none takes long.
const (
	// maxRows is where a page ends, full or not. It is a matter of 50 ms.
	maxRows = 20_000

	// tryRows is how many rows a query of one letter reads in their order: most
	// often that is a page, and it is cheaper than to look for such a query in the
	// indexes.
	tryRows = 1000

	// refusedRecord is how many rows a record counts that was read in vain.
	refusedRecord = 10

	// maxPlanned is how many of a query's terms, and of a term's words, are looked
	// up in indexes. A candidate is held to all of them.
	maxPlanned = 8
)

// search is one call of Search.
type search struct {
	conn   *sqlite.Conn
	name   string // of the tenant
	tenant int64
	query  customer.Query
	terms  []customer.Term
	rows   int // that were read
	most   int // rows, before the search gives up
}

func (s *search) page(after customer.Position, limit int) (customer.Page, error) {
	page := customer.Page{Next: after, More: true}
	if len(s.terms) > 0 && s.matches(isBrief) {
		most := s.most
		s.most = min(tryRows, most)
		if err := s.fill(&page, s.everyone(), limit); err != nil {
			return customer.Page{}, err
		}
		s.most = most
	}
	if !page.More || len(page.Customers) >= limit || s.spent() {
		return page, nil
	}
	from, err := s.plan()
	if err != nil {
		return customer.Page{}, err
	}
	if err := s.fill(&page, from, limit); err != nil {
		return customer.Page{}, err
	}
	return page, nil
}

// isBrief reports whether a term is one letter, which many customers have.
func isBrief(t customer.Term) bool {
	return len(t.Name) == 1 && len(t.Name[0]) == 1 || len(t.Email) == 1
}

// fill adds the customers that a source proposes and the query matches, until the
// page is full, the source empty, or enough rows have been read.
func (s *search) fill(page *customer.Page, from source, limit int) error {
	for {
		c, found, err := from.seek(page.Next.Next())
		if err != nil {
			return err
		}
		if !found {
			page.More = false
			return nil
		}
		if len(page.Customers) >= limit {
			return nil
		}
		page.Next = c.Position
		record, matches, err := s.held(c)
		if err != nil {
			return err
		}
		if matches {
			page.Customers = append(page.Customers, record)
		}
		if s.spent() {
			return nil
		}
	}
}

func (s *search) spent() bool { return s.rows >= s.most }

// held returns the record of a candidate, if it matches the query.
func (s *search) held(c candidate) (customer.Customer, bool, error) {
	if c.entry != nil && !s.matches(c.entry.mayMatch) {
		return customer.Customer{}, false, nil
	}
	if c.record == nil {
		found, err := find(s.conn, customer.ByID(s.name, c.ID))
		if err != nil {
			return customer.Customer{}, false, err
		}
		c.record = &found.Customer
	}
	matches := s.query.Wants(c.record.ConfirmedAt) &&
		s.matches(func(t customer.Term) bool { return t.Matches(*c.record) })
	if !matches {
		s.rows += refusedRecord
		return customer.Customer{}, false, nil
	}
	return *c.record, true, nil
}

// fits reports whether a candidate may match the query, by the keys that stand in
// the order of searches.
func (s *search) fits(c *candidate) (bool, error) {
	if c.entry == nil {
		if err := s.readEntry(c); err != nil || c.entry == nil {
			return false, err
		}
	}
	return s.matches(c.entry.mayMatch), nil
}

func (s *search) readEntry(c *candidate) error {
	s.rows++
	return sqlitex.Execute(s.conn, selectEntry, &sqlitex.ExecOptions{
		Args: []any{s.tenant, c.LastName, c.FirstName, c.ID},
		ResultFunc: func(stmt *sqlite.Stmt) error {
			c.entry = scanEntry(stmt)
			return nil
		},
	})
}

const selectEntry = selectEntries + `
	AND last_name = ? AND first_name = ? AND id = ?`

// mayMatch leaves terms about phones open, whose keys the entry lacks.
func (e *entry) mayMatch(t customer.Term) bool {
	return len(t.Phones) > 0 || t.Holds(e.keys, e.number)
}

func (s *search) hasPhones() bool {
	return slices.ContainsFunc(s.terms, func(t customer.Term) bool { return len(t.Phones) > 0 })
}

// matches reports whether each term does.
func (s *search) matches(does func(customer.Term) bool) bool {
	for _, t := range s.terms {
		if !does(t) {
			return false
		}
	}
	return true
}
