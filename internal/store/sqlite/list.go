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
			return queryRows(index.conn, scanCustomer, selectByNumbers, tenant, after.Number, limit)
		}
		return index.confirmedBefore(f, after, limit)
	})
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
