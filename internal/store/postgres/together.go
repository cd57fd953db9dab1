package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// sought is a customer who is to be found.
type sought struct {
	ref      customer.Ref
	customer customer.Customer // when found
}

// findTogether finds the customers of a group with one statement.
func (s *Store) findTogether(group []*errand[sought]) {
	if len(group) == 1 {
		e := group[0]
		e.what.customer, e.err = s.findAlone(e.ctx, e.what.ref)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	found, err := s.findMany(ctx, group)
	for i, e := range group {
		switch {
		case err != nil:
			e.err = fmt.Errorf("find customers: %w", err)
		case found[i].ID == "":
			e.err = noCustomer()
		default:
			e.what.customer = found[i]
		}
	}
}

func (s *Store) findAlone(ctx context.Context, ref customer.Ref) (customer.Customer, error) {
	if ref.ID != "" {
		return selectOne(ctx, s.pool, selectCustomer, ref.Tenant, ref.ID)
	}
	return selectOne(ctx, s.pool, selectNumbered, ref.Tenant, ref.Number)
}

// findMany returns the customers by their places in the group.
func (s *Store) findMany(ctx context.Context, group []*errand[sought]) ([]customer.Customer, error) {
	refs := make([][]any, len(group))
	for i, e := range group {
		refs[i] = []any{e.what.ref.Tenant, text(e.what.ref.ID), e.what.ref.Number}
	}
	rows, err := s.pool.Query(ctx, selectCustomers, refRow.arrays(refs)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := make([]customer.Customer, len(group))
	for rows.Next() {
		var place int64
		c, err := scanCustomer(rows, &place)
		if err != nil {
			return nil, err
		}
		found[place-1] = c
	}
	return found, rows.Err()
}

// moveTogether makes the changes of a group, whose parameters are those of
// moveCustomer, with one statement. It leaves alone what somebody else holds, so that
// nobody waits for a customer who is not his.
func (s *Store) moveTogether(group []*errand[[]any]) {
	start := time.Now()
	if movesKeys(group) {
		defer s.tidySoon()
	}
	if len(group) == 1 {
		e := group[0]
		if e.err = movedOne(e.ctx, s.pool, alone.move, e.what); e.err == nil {
			s.committed(1, start)
		}
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	moved, err := s.moveMany(ctx, group)
	if refused(err) {
		err = fmt.Errorf("%w: %w", errMovedOn, err) // each by itself may do
	}
	writes := 0
	for i, e := range group {
		switch {
		case err != nil:
			e.err = fmt.Errorf("update customers: %w", err)
		case !moved[i]:
			e.err = errMovedOn
		default:
			writes++
		}
	}
	if writes > 0 {
		s.committed(writes, start)
	}
}

// movesKeys reports whether one of the group writes keys.
func movesKeys(group []*errand[[]any]) bool {
	return slices.ContainsFunc(group, func(e *errand[[]any]) bool { return e.what[keysParam-1] != nil })
}

// moveMany reports which of the group were moved.
func (s *Store) moveMany(ctx context.Context, group []*errand[[]any]) (moved []bool, err error) {
	changes := make([][]any, len(group))
	for place, e := range group {
		e.what[placeParam-1] = int64(place)
		changes[place] = e.what
	}
	rows, err := s.pool.Query(ctx, moveCustomers, moveRow.arrays(changes)...)
	if err != nil {
		return nil, err
	}
	moved = make([]bool, len(group))
	var seq int64
	_, err = pgx.ForEachRow(rows, []any{&seq}, func() error {
		moved[(seq-s.feedBase)%(1<<placeBits)] = true
		return nil
	})
	return moved, err
}

// refused reports whether PostgreSQL refused a statement, of which nothing is left.
func refused(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.SeverityUnlocalized == "ERROR"
}

var (
	selectNumbered = `
		SELECT ` + layout.Names(layout.Columns) + `
		FROM (
			SELECT tenant, id
			FROM numbers
			WHERE tenant = $1 AND number = $2
		) AS numbered
		JOIN customers USING (tenant, id)`

	refRow = rowType{"text", "text", "integer"} // tenant, id or NULL, number

	selectCustomers = `
		SELECT ` + layout.Names(layout.Columns) + `, place
		FROM (
			SELECT place, ` + field(1) + ` AS tenant, coalesce(` + field(2) + `, numbers.id) AS id
			FROM ` + refRow.unnest() + `
			LEFT JOIN numbers ON ` + field(2) + ` IS NULL AND numbers.tenant = ` + field(1) + ` AND numbers.number = ` + field(3) + `
		) AS sought
		JOIN customers USING (tenant, id)`
)

// moveRow is the type of moveCustomer's parameters.
var moveRow = typesOf(layout.Moving).and(
	"text", "text", "text", // keys
	"text", "text", "bigint", // tenant, id, version before
	"bigint", "bigint", // base, place
	"text", "text", "text", "text", "text", // event, actor, contract, request, fields
)

// moveCustomers is moveCustomer for arrays of its parameters, without those whom
// somebody else holds. No change can get a lower number than the one before it: that
// one would have come after this transaction had its number, and so after the
// customer was read, whose version is then another.
var moveCustomers = `
	WITH free AS (
		SELECT sent.*
		FROM ` + moveRow.unnest() + `
		JOIN customers ON tenant = ` + field(tenantParam) + ` AND id = ` + field(idParam) + ` AND version = ` + field(versionParam) + `
		FOR NO KEY UPDATE OF customers SKIP LOCKED
	), moved AS (
		UPDATE customers
		SET ` + setMoving(field) + `
		FROM free
		WHERE tenant = ` + field(tenantParam) + ` AND id = ` + field(idParam) + `
		RETURNING tenant, id, version, number, updated_at, ` + listed(field, baseParam, lastParam) + `
	)` + insertMoved(field) + `
	RETURNING seq`
