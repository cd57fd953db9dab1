package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
	"kartotek/internal/store/terms"
)

// List implements customer.Store.
func (s *Store) List(ctx context.Context, tenant string, f customer.Filter, after customer.Cursor, limit int) ([]customer.Customer, error) {
	return search(ctx, s, tenant, func(index termIndex) ([]customer.Customer, error) {
		switch {
		case terms.Indexed(f):
			return terms.List(index, f, s.phoneRegion, after, limit)
		case f.ConfirmedBefore.IsZero():
			return index.read(selectAfterNumber, after.Number, limit)
		}
		never := func(number int32, limit int) ([]customer.Customer, error) {
			return index.read(selectNeverConfirmed, number, limit)
		}
		confirmed := func(after customer.Cursor, limit int) ([]customer.Customer, error) {
			return index.read(selectConfirmedBefore, after.ConfirmedAt.UnixMicro(), after.Number, f.ConfirmedBefore.UnixMicro(), limit)
		}
		return terms.ListUnconfirmed(after, limit, never, confirmed)
	})
}

// read returns the customers that a query of the tenant finds.
func (x termIndex) read(query string, args ...any) ([]customer.Customer, error) {
	rows, err := x.store.pool.Query(x.ctx, query, append([]any{x.tenant}, args...)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (customer.Customer, error) { return scanCustomer(row) })
}

var (
	selectAfterNumber = selectCustomers + ` AND number > $2
		ORDER BY number
		LIMIT $3`

	selectNeverConfirmed = selectCustomers + ` AND confirmed_at IS NULL AND number > $2
		ORDER BY number
		LIMIT $3`

	selectConfirmedBefore = `
		SELECT ` + layout.Names(layout.Columns) + `
		FROM customers
		WHERE tenant = $1 AND (confirmed_at, number) > ($2, $3) AND confirmed_at < $4
		ORDER BY confirmed_at, number
		LIMIT $5`
)
