package sqlite

import (
	"context"
	"errors"

	"kartotek/internal/customer"
)

// Search implements customer.Store.
func (s *Store) Search(ctx context.Context, tenant string, q customer.Query, after customer.Position, limit int) (customer.Page, error) {
	return customer.Page{}, errors.New("not yet")
}
