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

// reviseWithOthers finds the customer and saves the change, with statements that
// others may share. Where the record was seen before, it is taken to be the same still,
// which saves to read it. Only a change can find out that it is not: to change nothing,
// or to refuse, takes the record as it is.
func (s *Store) reviseWithOthers(ctx context.Context, ref customer.Ref, by customer.ChangeMeta, edit customer.Edit) (customer.Change, error) {
	if before, ok := s.seen.find(ref); ok {
		ch, err := customer.Apply(before.Customer, by, edit)
		if err == nil && !ch.Empty() {
			if err = s.moveWithOthers(ctx, before.row, ch); !errors.Is(err, errMovedOn) {
				return ch, err
			}
		}
	}
	before, err := s.findWithOthers(ctx, ref)
	if err != nil {
		return customer.Change{}, err
	}
	ch, err := customer.Apply(before.Customer, by, edit)
	if err != nil || ch.Empty() {
		return ch, err
	}
	return ch, s.moveWithOthers(ctx, before.row, ch)
}

// current is a customer as the database has him, and the transaction that wrote that
// row (xmin). Each writes a row anew, also one who knows nothing of versions, so the
// two say whether a row is the same.
type current struct {
	customer.Customer
	row uint32
}

// sought is a customer who is to be found.
type sought struct {
	ref   customer.Ref
	found current
}

// findWithOthers returns a NotFound fault when there is no such customer.
func (s *Store) findWithOthers(ctx context.Context, ref customer.Ref) (current, error) {
	if !storable(ref.ID) {
		return current{}, noCustomer()
	}
	done, err := s.finds.run(ctx, sought{ref: ref})
	if err != nil {
		return current{}, err
	}
	s.seen.put(done.found)
	return done.found, nil
}

// findTogether finds the customers of a group with one statement.
func (s *Store) findTogether(group []*errand[sought]) {
	if len(group) == 1 {
		e := group[0]
		e.what.found, e.err = s.findAlone(e.ctx, e.what.ref)
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
			e.what.found = found[i]
		}
	}
}

func (s *Store) findAlone(ctx context.Context, ref customer.Ref) (c current, err error) {
	query, name := selectNumbered, any(ref.Number)
	if ref.ID != "" {
		query, name = selectRow, ref.ID
	}
	c.Customer, err = scanCustomer(s.pool.QueryRow(ctx, query, ref.Tenant, name), &c.row)
	return c, orMissing(err)
}

// findMany returns the customers by their places in the group.
func (s *Store) findMany(ctx context.Context, group []*errand[sought]) ([]current, error) {
	refs := make([][]any, len(group))
	for i, e := range group {
		refs[i] = []any{e.what.ref.Tenant, text(e.what.ref.ID), e.what.ref.Number}
	}
	rows, err := s.pool.Query(ctx, selectCustomers, refRow.arrays(refs)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := make([]current, len(group))
	for rows.Next() {
		var place int64
		var row uint32
		c, err := scanCustomer(rows, &row, &place)
		if err != nil {
			return nil, err
		}
		found[place-1] = current{c, row}
	}
	return found, rows.Err()
}

// moving is a change that is to be made.
type moving struct {
	args []any  // of moveCustomer, and the row that is to be changed
	row  uint32 // that it has become
}

// moveWithOthers writes the record and the change, or neither: errMovedOn says that
// the row is another one, or that somebody holds it.
func (s *Store) moveWithOthers(ctx context.Context, row uint32, ch customer.Change) error {
	args, err := s.moveArgs(ch, 0)
	if err != nil {
		return err
	}
	done, err := s.moves.run(ctx, moving{args: append(args, row)})
	if err != nil {
		return err
	}
	s.seen.put(current{ch.After, done.row})
	return nil
}

// moveTogether makes the changes of a group with one statement. It leaves alone what
// somebody else holds, so that nobody waits for a customer who is not his.
func (s *Store) moveTogether(group []*errand[moving]) {
	start := time.Now()
	if movesKeys(group) {
		defer s.tidySoon()
	}
	if len(group) == 1 {
		e := group[0]
		if e.what.row, e.err = s.moveAlone(e.ctx, e.what.args); e.err == nil {
			s.committed(1, start)
		}
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	rows, err := s.moveMany(ctx, group)
	if refused(err) {
		err = fmt.Errorf("%w: %w", errMovedOn, err) // each by itself may do
	}
	for place, e := range group {
		var moved bool
		switch e.what.row, moved = rows[place]; {
		case err != nil:
			e.err = fmt.Errorf("update customers: %w", err)
		case !moved:
			e.err = errMovedOn
		}
	}
	if err == nil && len(rows) > 0 {
		s.committed(len(rows), start)
	}
}

// movesKeys reports whether one of the group writes what customers are found by.
func movesKeys(group []*errand[moving]) bool {
	return slices.ContainsFunc(group, func(e *errand[moving]) bool {
		return e.what.args[keysParam-1] != nil || e.what.args[digitsParam-1] != nil
	})
}

// moveAlone returns the row that the change has made.
func (s *Store) moveAlone(ctx context.Context, args []any) (uint32, error) {
	var seq int64
	err := s.pool.QueryRow(ctx, moveRow, args...).Scan(&seq)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return 0, errMovedOn
	case err != nil:
		return 0, fmt.Errorf("update customer: %w", err)
	}
	row, _ := s.written(seq)
	return row, nil
}

// moveMany returns the rows that the changes have made, by their places in the group.
func (s *Store) moveMany(ctx context.Context, group []*errand[moving]) (map[int]uint32, error) {
	changes := make([][]any, len(group))
	for place, e := range group {
		e.what.args[placeParam-1] = int64(place)
		changes[place] = e.what.args
	}
	rows, err := s.pool.Query(ctx, moveRows, movingRow.arrays(changes)...)
	if err != nil {
		return nil, err
	}
	moved := make(map[int]uint32, len(group))
	var seq int64
	_, err = pgx.ForEachRow(rows, []any{&seq}, func() error {
		row, place := s.written(seq)
		moved[place] = row
		return nil
	})
	return moved, err
}

// written is the row that a change has made, which has the transaction's number, and
// the place of the change therein.
func (s *Store) written(seq int64) (row uint32, place int) {
	seq -= s.feedBase
	return uint32(seq >> placeBits), int(seq % (1 << placeBits))
}

// refused reports whether PostgreSQL refused a statement, of which nothing is left.
func refused(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.SeverityUnlocalized == "ERROR"
}

// rowColumns tell the row as well.
var rowColumns = layout.Names(layout.Columns) + ", customers.xmin"

var (
	selectRow = `
		SELECT ` + rowColumns + `
		FROM customers
		WHERE tenant = $1 AND id = $2`

	selectNumbered = `
		SELECT ` + rowColumns + `
		FROM (
			SELECT tenant, id
			FROM numbers
			WHERE tenant = $1 AND number = $2
		) AS numbered
		JOIN customers USING (tenant, id)`

	refRow = rowType{"text", "text", "integer"} // tenant, id or NULL, number

	selectCustomers = `
		SELECT ` + rowColumns + `, place
		FROM (
			SELECT place, ` + field(1) + ` AS tenant, coalesce(` + field(2) + `, numbers.id) AS id
			FROM ` + refRow.unnest() + `
			LEFT JOIN numbers ON ` + field(2) + ` IS NULL AND numbers.tenant = ` + field(1) + ` AND numbers.number = ` + field(3) + `
		) AS sought
		JOIN customers USING (tenant, id)`
)

// moveRow is moveCustomer for the row that was seen.
var moveRow = moveCustomer(" AND xmin = "+param(rowParam)) + `
	RETURNING seq`

// movingRow is the type of its parameters.
var movingRow = typesOf(layout.MutableColumns).and(
	"text", "text", "text", // keys
	"text", "text", "bigint", // tenant, id, version before
	"bigint", "bigint", // base, place
	"text", "text", "text", "text", "text", // event, actor, contract, request, fields
	"text", // digits
	"xid",  // row before
)

// moveRows is moveRow for arrays of its parameters, without those whom somebody else
// holds. No change can get a lower number than the one before it: that one would
// have come after this transaction had its number, and so after the customer was
// read, whose row is then another.
var moveRows = moveArrays("") + `
	RETURNING seq`

// moveHeld is moveRows in a transaction that holds the customers, and may have its
// number already: see notOvertaken.
var moveHeld = moveArrays(notOvertaken(field))

func moveArrays(condition string) string {
	return `
	WITH free AS (
		SELECT sent.*
		FROM ` + movingRow.unnest() + `
		JOIN customers ON tenant = ` + field(tenantParam) + ` AND id = ` + field(idParam) + `
			AND version = ` + field(versionParam) + ` AND customers.xmin = ` + field(rowParam) + condition + `
		FOR NO KEY UPDATE OF customers SKIP LOCKED
	), moved AS (
		UPDATE customers
		SET ` + setMoving(field) + `
		FROM free
		WHERE tenant = ` + field(tenantParam) + ` AND id = ` + field(idParam) + `
		RETURNING tenant, id, version, number, updated_at, ` + listed(field, baseParam, digitsParam) + `
	)` + insertMoved(field)
}
