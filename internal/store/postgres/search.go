package postgres

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// Search implements customer.Store. Of a query that few match these are found by
// the index of keys, and sorted; of any other, customers are read in their order.
// Either way the rows are candidates, and each is held to the query.
func (s *Store) Search(ctx context.Context, tenant string, q customer.Query, after customer.Position, limit int) (page customer.Page, err error) {
	err = s.call(ctx, func(ctx context.Context) error {
		one := search{db: s.pool, query: q, terms: q.Terms(), tenant: tenant, page: customer.Page{Next: after, More: true}, limit: limit}
		err := one.run(ctx)
		page = one.page
		return err
	})
	if err != nil {
		return customer.Page{}, fmt.Errorf("search: %w", err)
	}
	return page, nil
}

// What a search looks at, so that none takes long.
const (
	// mostSorted is how many candidates are found by the index and sorted.
	mostSorted = 1000

	// mostCalled is how many candidates are found by a part of a phone.
	mostCalled = 10_000

	// mostInOrder is how many customers are read in their order, for a page that may
	// then be shorter than asked for.
	mostInOrder = 20_000

	// spare is how many candidates more than a page has are read: some do not match.
	spare = 20
)

// search is one call of Search.
type search struct {
	db     database
	query  customer.Query
	terms  []customer.Term
	tenant string
	page   customer.Page
	limit  int
}

func (s *search) run(ctx context.Context) error {
	if slices.ContainsFunc(s.terms, narrow) {
		few, err := s.sorted(ctx)
		if err != nil || few {
			return err
		}
	}
	return s.inOrder(ctx)
}

// sorted fills the page from all candidates, unless they are too many.
func (s *search) sorted(ctx context.Context) (few bool, err error) {
	called, few, err := s.called(ctx)
	if err != nil || !few {
		return false, err
	}
	sql, args := s.sortedQuery(called)
	rows, total, err := s.read(ctx, sql, args)
	if err != nil || total > mostSorted {
		return false, err
	}
	s.page.More = s.fill(rows) < int(total)
	return true, nil
}

// called finds the candidates of each term that may be a phone and that indexes can
// find, unless they are too many. They are in two tables, each with an index of its
// own. The ids of another term are nil.
func (s *search) called(ctx context.Context) (ids [][]string, few bool, err error) {
	ids = make([][]string, len(s.terms))
	for i, t := range s.terms {
		if len(t.Phones) == 0 || !narrow(t) {
			continue
		}
		sql, args := s.calledQuery(t)
		rows, err := s.db.Query(ctx, sql, append([]any{pgx.QueryExecModeExec}, args...)...)
		if err != nil {
			return nil, false, err
		}
		if ids[i], err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil || len(ids[i]) > mostCalled {
			return nil, false, err
		}
	}
	return ids, true, nil
}

func (s *search) calledQuery(t customer.Term) (sql string, args []any) {
	c := condition{[]any{s.tenant}}
	keys, digits := c.parts(t)
	sql = `
		SELECT id
		FROM customers
		WHERE tenant = $1 AND ` + anyOf(keys) + `
		UNION ALL
		SELECT id
		FROM phones
		WHERE tenant = $1 AND ` + anyOf(digits) + `
		LIMIT ` + strconv.Itoa(mostCalled+1)
	return sql, c.args
}

func (s *search) sortedQuery(called [][]string) (sql string, args []any) {
	c := newCondition(s.tenant, s.page.Next)
	found := func(place int, t customer.Term) string {
		if called[place] != nil {
			return "id = ANY (" + c.param(called[place]) + ")"
		}
		keys, digits := c.parts(t)
		if len(t.Phones) > 0 { // of those whom the other terms find
			keys = append(keys, "(SELECT "+anyOf(digits)+" FROM phones WHERE tenant = $1 AND id = customers.id)")
		}
		return anyOf(keys)
	}
	sql = `
		SELECT ` + layout.Names(layout.Columns) + `, count(*) OVER ()
		FROM (
			SELECT *
			FROM customers
			WHERE ` + c.afterAnyOrder() + ` AND ` + c.matches(s.terms, s.query, found) + `
			LIMIT ` + strconv.Itoa(mostSorted+1) + `
		) AS candidates
		ORDER BY last_key, first_key, id
		LIMIT ` + strconv.Itoa(s.limit+spare)
	return sql, c.args
}

// inOrder fills the page from the next customers.
func (s *search) inOrder(ctx context.Context) error {
	from := newCondition(s.tenant, s.page.Next)
	sql, args := s.inOrderQuery()
	rows, _, err := s.read(ctx, sql, args)
	if err != nil {
		return err
	}
	if s.fill(rows) < len(rows) || len(rows) == s.limit+spare {
		return nil
	}
	// All that match among these are on the page: it goes on behind them, if there
	// are more.
	end, err := s.db.Query(ctx, `
		SELECT last_key, first_key, id`+from.next()+`
		OFFSET `+strconv.Itoa(mostInOrder-1)+`
		LIMIT 1`, from.args...)
	if err != nil {
		return err
	}
	positions, err := pgx.CollectRows(end, pgx.RowToStructByPos[customer.Position])
	s.page.More = len(positions) > 0
	if s.page.More {
		s.page.Next = positions[0]
	}
	return err
}

func (s *search) inOrderQuery() (sql string, args []any) {
	c := newCondition(s.tenant, s.page.Next)
	has := func(_ int, t customer.Term) string {
		keys, digits := c.parts(t)
		return anyOf(append(keys, digits...))
	}
	sql = `
		SELECT ` + layout.Names(layout.Columns) + `, 0::bigint
		FROM (
			SELECT *` + c.next() + `
			LIMIT ` + strconv.Itoa(mostInOrder) + `
		) AS candidates
		LEFT JOIN phones USING (tenant, id)
		WHERE ` + c.matches(s.terms, s.query, has) + `
		ORDER BY last_key, first_key, id
		LIMIT ` + strconv.Itoa(s.limit+spare)
	return sql, c.args
}

// read returns the candidates, and how many there are in all.
func (s *search) read(ctx context.Context, sql string, args []any) (list []customer.Customer, total int64, err error) {
	rows, err := s.db.Query(ctx, sql, append([]any{pgx.QueryExecModeExec}, args...)...)
	if err != nil {
		return nil, 0, err
	}
	list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (customer.Customer, error) {
		return scanCustomer(row, &total)
	})
	return list, total, err
}

// fill adds the candidates that match, until the page is full, and returns how many
// it looked at.
func (s *search) fill(candidates []customer.Customer) (looked int) {
	for i, c := range candidates {
		if len(s.page.Customers) >= s.limit {
			return i
		}
		s.page.Next = customer.PositionOf(c)
		if s.matches(c) {
			s.page.Customers = append(s.page.Customers, c)
		}
	}
	return len(candidates)
}

func (s *search) matches(c customer.Customer) bool {
	for _, t := range s.terms {
		if !t.Matches(c) {
			return false
		}
	}
	return s.query.Wants(c.ConfirmedAt)
}
