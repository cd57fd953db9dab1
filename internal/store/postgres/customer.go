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
		c, err = s.find(ctx, s.pool, ref, s.usual())
		return err
	})
	return c, err
}

// find returns a Missing fault when there is no such customer.
func (s *Store) find(ctx context.Context, db database, ref customer.Ref, how step) (customer.Customer, error) {
	if !storable(ref.ID) {
		return customer.Customer{}, noCustomer()
	}
	if how.together {
		found, err := s.finds.run(ctx, sought{ref: ref})
		return found.customer, err
	}
	id, err := s.idOf(ctx, db, ref)
	if err != nil {
		return customer.Customer{}, err
	}
	return selectOne(ctx, db, how.find, ref.Tenant, id)
}

func selectOne(ctx context.Context, db database, query string, args ...any) (customer.Customer, error) {
	c, err := scanCustomer(db.QueryRow(ctx, query, args...))
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return customer.Customer{}, noCustomer()
	case err != nil:
		return customer.Customer{}, fmt.Errorf("find customer: %w", err)
	}
	return c, nil
}

func noCustomer() error { return fault.New(fault.Missing, "no such customer") }

// Revise implements customer.Store. It reads the record, and writes what becomes of
// it if it still is what was read.
func (s *Store) Revise(ctx context.Context, ref customer.Ref, by customer.Signature, edit customer.Edit, once *customer.Once) (ch customer.Change, err error) {
	how, start := s.usual(), time.Now()
	err = s.call(ctx, s.turns.in(ref, func(ctx context.Context) (err error) {
		if once != nil {
			ch, err = s.onlyOnce(ctx, ref.Tenant, by, once, func(ctx context.Context, tx pgx.Tx) (customer.Change, error) {
				return s.revise(ctx, tx, held, ref, by, edit)
			})
			return err
		}
		if ch, err = s.revise(ctx, s.pool, how, ref, by, edit); errors.Is(err, errMovedOn) {
			how = alone // and waits for who has the customer
		}
		return err
	}))
	if err != nil {
		return customer.Change{}, err
	}
	if once != nil || !how.together { // a group tells of its commit by itself
		s.committed(1, start)
	}
	return ch, nil
}

// revise finds the customer and saves the change.
func (s *Store) revise(ctx context.Context, db database, how step, ref customer.Ref, by customer.Signature, edit customer.Edit) (customer.Change, error) {
	before, err := s.find(ctx, db, ref, how)
	if err != nil {
		return customer.Change{}, err
	}
	ch, err := customer.Revised(before, by, edit)
	if err != nil || ch.Empty() {
		return ch, err
	}
	return ch, s.move(ctx, db, how, ch, 0)
}

var selectCustomer = `
	SELECT ` + layout.Names(layout.Columns) + `
	FROM customers
	WHERE tenant = $1 AND id = $2`
