package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/store/layout"
)

// database is what statements run on: the pool, each in a transaction of its own,
// or a transaction.
type database interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Find implements customer.Store.
func (s *Store) Find(ctx context.Context, ref customer.Ref) (c customer.Customer, err error) {
	err = s.call(ctx, func(ctx context.Context) (err error) {
		if s.sharded { // a statement for many would concern many shards
			c, err = s.find(ctx, s.pool, ref, alone)
			return err
		}
		found, err := s.findWithOthers(ctx, ref)
		c = found.Customer
		return err
	})
	return c, err
}

// find returns a NotFound fault when there is no such customer.
func (s *Store) find(ctx context.Context, db database, ref customer.Ref, how step) (customer.Customer, error) {
	if !storable(ref.ID) {
		return customer.Customer{}, noCustomer()
	}
	id, err := s.idOf(ctx, db, ref)
	if err != nil {
		return customer.Customer{}, err
	}
	c, err := scanCustomer(db.QueryRow(ctx, how.find, ref.Tenant, id))
	return c, orMissing(err)
}

// orMissing is the error of a statement that reads one customer.
func orMissing(err error) error {
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return noCustomer()
	case err != nil:
		return fmt.Errorf("find customer: %w", err)
	}
	return nil
}

func noCustomer() error { return fault.New(fault.NotFound, "no such customer") }

// Update implements customer.Store. It reads the record, and writes what becomes of
// it if it still is what was read.
func (s *Store) Update(ctx context.Context, ref customer.Ref, by customer.ChangeMeta, edit customer.Edit, once *customer.Idempotency) (ch customer.Change, err error) {
	together, start := once == nil && !s.sharded, time.Now()
	err = s.call(ctx, s.turns.in(ref, func(ctx context.Context) (err error) {
		switch {
		case once != nil:
			ch, err = s.onlyOnce(ctx, ref.Tenant, by, once, func(ctx context.Context, tx pgx.Tx) (customer.Change, error) {
				return s.revise(ctx, tx, held, ref, by, edit)
			})
		case together:
			ch, err = s.reviseWithOthers(ctx, ref, by, edit)
			together = !errors.Is(err, errMovedOn) // otherwise it waits for who has the customer
		default:
			ch, err = s.revise(ctx, s.pool, alone, ref, by, edit)
		}
		return err
	}))
	if err != nil {
		return customer.Change{}, err
	}
	if !together { // a group tells of its commit by itself
		s.committed(1, start)
	}
	return ch, nil
}

// revise finds the customer and saves the change.
func (s *Store) revise(ctx context.Context, db database, how step, ref customer.Ref, by customer.ChangeMeta, edit customer.Edit) (customer.Change, error) {
	before, err := s.find(ctx, db, ref, how)
	if err != nil {
		return customer.Change{}, err
	}
	ch, err := customer.Apply(before, by, edit)
	if err != nil || ch.Empty() {
		return ch, err
	}
	return ch, s.move(ctx, db, how, ch)
}

var selectCustomer = `
	SELECT ` + layout.Names(layout.Columns) + `
	FROM customers
	WHERE tenant = $1 AND id = $2`
