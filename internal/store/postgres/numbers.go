package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/customer"
)

// maxNumbers is how many are remembered: which customer has a number never changes.
const maxNumbers = 100_000

// idOf is the id that the ref has or, by its number, stands for. It is a Missing
// fault when the number is nobody's.
func (s *Store) idOf(ctx context.Context, db database, ref customer.Ref) (string, error) {
	if ref.ID != "" {
		return ref.ID, nil
	}
	if id, ok := s.numbers.Get(ref); ok {
		return id, nil
	}
	var id string
	err := db.QueryRow(ctx, selectNumber, ref.Tenant, ref.Number).Scan(&id)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", noCustomer()
	case err != nil:
		return "", fmt.Errorf("find number: %w", err)
	}
	if db == database(s.pool) { // what a transaction reads may be its own, and never be
		s.numbers.Add(ref, id)
	}
	return id, nil
}

const selectNumber = `
	SELECT id
	FROM numbers
	WHERE tenant = $1 AND number = $2`
