package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/store/layout"
)

// Create implements customer.Store.
func (s *Store) Create(ctx context.Context, tenant string, by customer.Signature, entry customer.Entry, once *customer.Once) (ch customer.Change, err error) {
	create := func(ctx context.Context, tx pgx.Tx) (ch customer.Change, err error) {
		err = s.load(ctx, tx, tenant, by, func(l *load) error {
			ch, err = l.create(ctx, entry)
			return err
		})
		return ch, err
	}
	err = s.inTurn(ctx, customer.Ref{Tenant: tenant}, func(ctx context.Context) (err error) {
		if once != nil {
			ch, err = s.onlyOnce(ctx, tenant, by, once, create)
			return err
		}
		return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
			ch, err = create(ctx, tx)
			return err
		})
	})
	if err != nil {
		return customer.Change{}, err
	}
	return ch, nil
}

// Put implements customer.Store: all entries in one transaction.
func (s *Store) Put(ctx context.Context, tenant string, by customer.Signature, entries []customer.Entry) (results []customer.Result, err error) {
	if len(entries) > maxEntries {
		return nil, fmt.Errorf("put %d entries: at most %d", len(entries), maxEntries)
	}
	err = s.inTurn(ctx, customer.Ref{Tenant: tenant}, func(ctx context.Context) error {
		results = make([]customer.Result, len(entries))
		return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			return s.load(ctx, tx, tenant, by, func(l *load) error {
				return l.putAll(ctx, entries, results)
			})
		})
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// maxEntries is how many changes a transaction has places for.
const maxEntries = 1<<placeBits - 1

// load is a transaction that makes customers of a tenant. It holds the tenant, so
// that no other one makes any.
type load struct {
	*Store
	tx              pgx.Tx
	tenant          string
	by              customer.Signature
	place           int   // of the next change in the transaction
	highest, filled int32 // see schema/0001_customers.sql
	grown           bool  // whether these have changed
}

// load runs fn, and notes the numbers that it gave.
func (s *Store) load(ctx context.Context, tx pgx.Tx, tenant string, by customer.Signature, fn func(*load) error) error {
	l := &load{Store: s, tx: tx, tenant: tenant, by: by}
	if err := tx.QueryRow(ctx, holdTenant, tenant).Scan(&l.highest, &l.filled); err != nil {
		return fmt.Errorf("hold tenant: %w", err)
	}
	if err := fn(l); err != nil || !l.grown {
		return err
	}
	if _, err := tx.Exec(ctx, growTenant, tenant, l.highest, l.filled); err != nil {
		return fmt.Errorf("note highest number: %w", err)
	}
	return nil
}

func (l *load) putAll(ctx context.Context, entries []customer.Entry, results []customer.Result) error {
	for i, e := range entries {
		ch, err := l.put(ctx, e)
		if err != nil && !isFault(err) {
			return err
		}
		results[i] = customer.Result{Change: ch, Err: err}
	}
	return nil
}

// put returns a fault when it wrote nothing.
func (l *load) put(ctx context.Context, e customer.Entry) (customer.Change, error) {
	ref, ok := e.Ref(l.tenant)
	if !ok {
		return l.create(ctx, e)
	}
	before, err := l.find(ctx, l.tx, ref, held.find)
	if fault.Is(err, fault.Missing) {
		return l.create(ctx, e)
	}
	if err != nil {
		return customer.Change{}, err
	}
	ch, err := e.Revised(before, l.by)
	if err != nil || ch.Empty() {
		return ch, err
	}
	l.place++
	return ch, l.move(ctx, l.tx, held, ch, l.place)
}

// create returns a fault when it wrote nothing. That the id and the number are free
// stays so, since the tenant is held.
func (l *load) create(ctx context.Context, e customer.Entry) (customer.Change, error) {
	number := e.Number
	if number == 0 {
		var err error
		if number, err = l.nextNumber(ctx); err != nil {
			return customer.Change{}, err
		}
	}
	ch, err := e.Born(l.tenant, number, l.by)
	if err != nil {
		return customer.Change{}, err
	}
	err = ch.After.Taken(func(ref customer.Ref) (customer.Customer, error) {
		return l.find(ctx, l.tx, ref, selectCustomer)
	})
	if err != nil {
		return customer.Change{}, err
	}
	if number > l.highest {
		l.highest, l.grown = number, true
	}
	return ch, l.insert(ctx, ch)
}

// insert writes the record, its number and its birth in one go.
func (l *load) insert(ctx context.Context, ch customer.Change) error {
	fields, err := layout.EncodeFields(ch.Diff())
	if err != nil {
		return fmt.Errorf("record change: %w", err)
	}
	l.place++
	c := &ch.After
	var all pgx.Batch
	all.Queue(insertNumber, c.Tenant, c.Number, c.ID)
	all.Queue(insertCustomer, append(values(c, layout.Columns), keysOf(*c)...)...)
	all.Queue(insertChange, l.changeArgs(ch, l.place, fields)...)
	if err := l.tx.SendBatch(ctx, &all).Close(); err != nil {
		return fmt.Errorf("insert customer: %w", err)
	}
	return nil
}

// nextNumber is the one after the tenant's highest or, when none can come after
// that, the lowest free one.
func (l *load) nextNumber(ctx context.Context) (int32, error) {
	if l.highest < math.MaxInt32 {
		return l.highest + 1, nil
	}
	for {
		rows, err := l.tx.Query(ctx, numbersAfter, l.tenant, l.filled)
		if err != nil {
			return 0, fmt.Errorf("find free number: %w", err)
		}
		taken, err := pgx.CollectRows(rows, pgx.RowTo[int32])
		if err != nil {
			return 0, fmt.Errorf("find free number: %w", err)
		}
		for _, number := range taken {
			if number != l.filled+1 {
				return l.filled + 1, nil
			}
			l.filled, l.grown = number, true
		}
		if len(taken) == 0 {
			return 0, errors.New("find free number: there is none")
		}
	}
}

var insertCustomer = `
	INSERT INTO customers (` + layout.Names(layout.Columns) + `, last_key, first_key, keys)
	VALUES (` + params(1, len(layout.Columns)+3) + `)`

var numbersAfter = `
	SELECT number
	FROM numbers
	WHERE tenant = $1 AND number > $2
	ORDER BY number
	LIMIT ` + strconv.Itoa(1000)

const (
	insertNumber = `
		INSERT INTO numbers (tenant, number, id)
		VALUES ($1, $2, $3)`

	// holdTenant makes the tenant's row, or takes its lock.
	holdTenant = `
		INSERT INTO tenants AS t (tenant, highest, filled)
		VALUES ($1, 0, 0)
		ON CONFLICT (tenant) DO UPDATE
		SET highest = t.highest
		RETURNING highest, filled`

	growTenant = `
		UPDATE tenants
		SET (highest, filled) = ($2, $3)
		WHERE tenant = $1`
)
