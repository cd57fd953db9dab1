package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/customer"
	"kartotek/internal/store/terms"
)

// Search implements customer.Store.
func (s *Store) Search(ctx context.Context, tenant, text string, limit int) (customer.SearchResult, error) {
	return search(ctx, s, tenant, func(index termIndex) (customer.SearchResult, error) {
		return terms.Search(index, text, s.phoneRegion, limit)
	})
}

// search runs fn, whose queries each see the commits before them: a search checks every candidate
// that it finds in the index.
func search[T any](ctx context.Context, s *Store, tenant string, fn func(termIndex) (T, error)) (result T, err error) {
	err = s.withRetry(ctx, func(ctx context.Context) (err error) {
		if result, err = fn(termIndex{ctx, s, tenant}); err != nil {
			err = fmt.Errorf("search: %w", err)
		}
		return err
	})
	return result, err
}

// termIndex is the search index of a tenant.
type termIndex struct {
	ctx    context.Context
	store  *Store
	tenant string
}

// Numbers implements terms.Index.
func (x termIndex) Numbers(from, to string, limit int) ([]int32, error) {
	rows, err := x.store.pool.Query(x.ctx, selectTerms, x.tenant, from, to, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int32])
}

// Customers implements terms.Index.
func (x termIndex) Customers(numbers []int32) ([]customer.Customer, error) {
	return x.read(selectByNumbers, numbers)
}

const selectTerms = `
	SELECT number
	FROM terms
	WHERE tenant = $1 AND term >= $2 AND term < $3
	ORDER BY term, number
	LIMIT $4`
