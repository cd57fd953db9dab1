package sqlite

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
	"kartotek/internal/store/terms"
)

// Search implements customer.Store.
func (s *Store) Search(ctx context.Context, tenant, text string, limit int) (customer.SearchResult, error) {
	return search(ctx, s, tenant, func(index termIndex) (customer.SearchResult, error) {
		return terms.Search(index, text, s.phoneRegion, limit)
	})
}

// search runs fn in a read transaction, so that all its queries see the same snapshot.
func search[T any](ctx context.Context, s *Store, tenant string, fn func(termIndex) (T, error)) (T, error) {
	return read(ctx, s, func(conn *sqlite.Conn) (result T, err error) {
		defer sqlitex.Transaction(conn)(&err)
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
func (x termIndex) Numbers(from, to string, limit int) ([]int32, error) {
	return queryRows(x.conn, scanNumber, selectTerms, x.tenant, from, to, limit)
}

// Customers implements terms.Index.
func (x termIndex) Customers(numbers []int32) ([]customer.Customer, error) {
	list, err := json.Marshal(numbers)
	if err != nil {
		return nil, err
	}
	return queryRows(x.conn, scanCustomer, selectByNumbers, x.tenant, string(list))
}

const selectTerms = `
	SELECT number
	FROM terms
	WHERE tenant = ? AND term >= ? AND term < ?
	ORDER BY term, number
	LIMIT ` + limitParameter

var selectByNumbers = `
	SELECT ` + layout.Names(layout.Columns) + `
	FROM customers
	WHERE tenant = ? AND number IN (SELECT value FROM json_each(?))`
