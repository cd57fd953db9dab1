package sqlite

import (
	"context"

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
			return queryRows(index.conn, scanCustomer, selectAfterNumber, tenant, after.Number, limit)
		}
		never := func(number int32, limit int) ([]customer.Customer, error) {
			return queryRows(index.conn, scanCustomer, selectNeverConfirmed, tenant, number, limit)
		}
		confirmed := func(after customer.Cursor, limit int) ([]customer.Customer, error) {
			return queryRows(index.conn, scanCustomer, selectConfirmedBefore,
				tenant, after.ConfirmedAt.UnixMicro(), after.Number, f.ConfirmedBefore.UnixMicro(), limit)
		}
		return terms.ListUnconfirmed(after, limit, never, confirmed)
	})
}

var (
	selectAfterNumber = `
		SELECT ` + layout.Names(layout.Columns) + `
		FROM customers
		WHERE tenant = ? AND number > ?
		ORDER BY number
		LIMIT ` + limitParameter

	selectNeverConfirmed = `
		SELECT ` + layout.Names(layout.Columns) + `
		FROM customers
		WHERE tenant = ? AND confirmed_at IS NULL AND number > ?
		ORDER BY number
		LIMIT ` + limitParameter

	selectConfirmedBefore = `
		SELECT ` + layout.Names(layout.Columns) + `
		FROM customers
		WHERE tenant = ? AND (confirmed_at, number) > (?, ?) AND confirmed_at < ?
		ORDER BY confirmed_at, number
		LIMIT ` + limitParameter
)
