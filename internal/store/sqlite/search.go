package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/store/layout"
	"kartotek/internal/store/terms"
)

// Search implements customer.Store.
func (s *Store) Search(ctx context.Context, tenant, text string, limit int) (customer.SearchResult, error) {
	return search(ctx, s, tenant, func(index termIndex) (customer.SearchResult, error) {
		return terms.Search(index, text, s.phoneRegion, limit)
	})
}

// List implements customer.Store.
func (s *Store) List(ctx context.Context, tenant string, f customer.Filter, after customer.Cursor, limit int) ([]customer.Customer, error) {
	return search(ctx, s, tenant, func(index termIndex) ([]customer.Customer, error) {
		switch {
		case terms.Indexed(f):
			return terms.List(index, f, s.phoneRegion, after, limit)
		case f.ConfirmedBefore.IsZero():
			return queryRows(index.conn, scanCustomer, selectByNumbers, tenant, after.Number, limit)
		}
		return index.confirmedBefore(f, after, limit)
	})
}

// search runs fn in a read transaction, so that all its queries see the same snapshot.
func search[T any](ctx context.Context, s *Store, tenant string, fn func(termIndex) (T, error)) (T, error) {
	return read(ctx, s, func(conn *sqlite.Conn) (result T, err error) {
		end := sqlitex.Transaction(conn)
		defer end(&err)
		if result, err = fn(termIndex{conn, tenant}); err != nil {
			err = fmt.Errorf("search: %w", err)
		}
		return result, err
	})
}

// termIndex is the search index of a tenant.
type termIndex struct {
	conn   *sqlite.Conn
	tenant string
}

// Numbers implements terms.Index.
func (x termIndex) Numbers(words [][]terms.Range, limit int) ([][]int32, error) {
	lists := make([][]int32, len(words))
	for i, ranges := range words {
		for _, r := range ranges {
			numbers, err := queryRows(x.conn, scanNumber, selectTerms, x.tenant, r.From, r.After, r.To, limit-len(lists[i]))
			if err != nil {
				return nil, err
			}
			lists[i] = append(lists[i], numbers...)
		}
	}
	return lists, nil
}

// Customers implements terms.Index.
func (x termIndex) Customers(numbers []int32) ([]customer.Customer, error) {
	customers := make([]customer.Customer, 0, len(numbers))
	for _, number := range numbers {
		r, err := findRecord(x.conn, customer.ByNumber(x.tenant, number))
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		customers = append(customers, r.Customer)
	}
	return customers, nil
}

// confirmedBefore lists customers that never confirmed their contact details, by number, and then
// those that did so before a time.
func (x termIndex) confirmedBefore(f customer.Filter, after customer.Cursor, limit int) ([]customer.Customer, error) {
	var never []customer.Customer
	if after.ConfirmedAt.IsZero() {
		var err error
		never, err = queryRows(x.conn, scanCustomer, selectNeverConfirmed, x.tenant, after.Number, limit)
		if err != nil || len(never) == limit {
			return never, err
		}
		after.Number = 0
	}
	confirmed, err := queryRows(x.conn, scanCustomer, selectConfirmedBefore,
		x.tenant, after.ConfirmedAt.UnixMicro(), after.Number, f.ConfirmedBefore.UnixMicro(), limit-len(never))
	return append(never, confirmed...), err
}

const selectTerms = `
	SELECT number
	FROM terms
	WHERE tenant = ? AND (term, number) > (?, ?) AND term < ?
	ORDER BY term, number
	LIMIT ?`

var (
	selectByNumbers = `
		SELECT ` + layout.Names(layout.Columns) + `
		FROM customers
		WHERE tenant = ? AND number > ?
		ORDER BY number
		LIMIT ?`

	selectNeverConfirmed = `
		SELECT ` + layout.Names(layout.Columns) + `
		FROM customers
		WHERE tenant = ? AND confirmed_at IS NULL AND number > ?
		ORDER BY number
		LIMIT ?`

	selectConfirmedBefore = `
		SELECT ` + layout.Names(layout.Columns) + `
		FROM customers
		WHERE tenant = ? AND (confirmed_at, number) > (?, ?) AND confirmed_at < ?
		ORDER BY confirmed_at, number
		LIMIT ?`
)
