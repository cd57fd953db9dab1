package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/store/layout"
	"kartotek/internal/store/slab"
)

// Find implements customer.Store.
func (s *Store) Find(ctx context.Context, ref customer.Ref) (customer.Customer, error) {
	if ctx.Err() != nil {
		return customer.Customer{}, gaveUp(ctx)
	}
	if r, ok := s.cache.find(ref); ok {
		return r.Customer, nil
	}
	looked := s.cache.look()
	r, err := read(ctx, s, func(conn *sqlite.Conn) (record, error) {
		return find(conn, ref)
	})
	if err == nil {
		s.cache.fill(r, looked)
	}
	return r.Customer, err
}

// Update implements customer.Store.
func (s *Store) Update(ctx context.Context, ref customer.Ref, by customer.ChangeMeta, edit customer.Edit, once *customer.Idempotency) (customer.Change, error) {
	ready, found := s.prepare(ref, by, edit)
	return write(ctx, s, func(conn *sqlite.Conn) (customer.Change, error) {
		if found {
			ch, err := s.onlyOnce(conn, ref.Tenant, by, once, func() (step, error) { return ready, nil })
			if !errors.Is(err, errMovedOn) {
				return ch, err
			}
		}
		return s.onlyOnce(conn, ref.Tenant, by, once, func() (step, error) {
			before, err := find(conn, ref)
			if err != nil {
				return step{}, err
			}
			return revised(before, by, edit)
		})
	})
}

// prepare makes the change outside the writer, of the record as the cache has it,
// so that the writer, whom all wait for, need not. It finds none when the record
// is not there, or when nothing would be written: only the file can say so.
func (s *Store) prepare(ref customer.Ref, by customer.ChangeMeta, edit customer.Edit) (step, bool) {
	before, ok := s.cache.find(ref)
	if !ok {
		return step{}, false
	}
	ch, err := revised(before, by, edit)
	return ch, err == nil && !ch.Empty()
}

// Create implements customer.Store.
func (s *Store) Create(ctx context.Context, tenant string, by customer.ChangeMeta, entry customer.Upsert, once *customer.Idempotency) (customer.Change, error) {
	return write(ctx, s, func(conn *sqlite.Conn) (customer.Change, error) {
		return s.onlyOnce(conn, tenant, by, once, func() (step, error) {
			l := load{conn, tenant, by, s.taken}
			return l.born(entry)
		})
	})
}

// onlyOnce saves the change that decide comes to, and with once its receipt,
// unless the tenant has that already.
func (s *Store) onlyOnce(conn *sqlite.Conn, tenant string, by customer.ChangeMeta, once *customer.Idempotency, decide func() (step, error)) (customer.Change, error) {
	if once != nil {
		if err := firstToUse(conn, tenant, once.Key, by.At); err != nil {
			return customer.Change{}, err
		}
	}
	ch, err := decide()
	if err != nil {
		return customer.Change{}, err
	}
	if once == nil {
		return ch.Change, s.save(conn, ch)
	}
	receipt, err := once.Record(ch.Change, tenant)
	if err != nil {
		return customer.Change{}, fmt.Errorf("write receipt: %w", err)
	}
	if err := s.save(conn, ch); err != nil {
		return customer.Change{}, err
	}
	return ch.Change, keep(conn, receipt)
}

// Upsert implements customer.Store: all entries in one durable step.
func (s *Store) Upsert(ctx context.Context, tenant string, by customer.ChangeMeta, entries []customer.Upsert) ([]customer.UpsertResult, error) {
	return write(ctx, s, func(conn *sqlite.Conn) ([]customer.UpsertResult, error) {
		l := load{conn, tenant, by, s.taken}
		results := make([]customer.UpsertResult, len(entries))
		for i, e := range entries {
			ch, err := s.put(&l, e)
			if err != nil && !fault.IsFault(err) {
				return nil, err
			}
			results[i] = customer.UpsertResult{Change: ch, Err: err}
		}
		return results, nil
	})
}

// load is one call of Put or Create.
type load struct {
	conn   *sqlite.Conn
	tenant string
	by     customer.ChangeMeta
	taken  map[string]int32 // see Store
}

// put returns a fault when it wrote nothing.
func (s *Store) put(l *load, e customer.Upsert) (customer.Change, error) {
	ch, err := l.change(e)
	if err != nil {
		return customer.Change{}, err
	}
	if err := s.save(l.conn, ch); err != nil {
		return customer.Change{}, err
	}
	return ch.Change, nil
}

func (l *load) change(e customer.Upsert) (step, error) {
	if ref, ok := e.Ref(l.tenant); ok {
		before, err := find(l.conn, ref)
		if err == nil {
			ch, err := e.Update(before.Customer, l.by)
			return step{ch, before.Row, before.Change}, err
		}
		if !fault.Is(err, fault.NotFound) {
			return step{}, err
		}
	}
	return l.born(e)
}

func (l *load) born(e customer.Upsert) (step, error) {
	number := e.Number
	if number == 0 {
		var err error
		if number, err = l.nextNumber(); err != nil {
			return step{}, err
		}
	}
	ch, err := e.Create(l.tenant, number, l.by)
	return step{Change: ch}, err
}

// nextNumber is the one after the tenant's highest or, when none can come after
// that, the lowest free one.
func (l *load) nextNumber() (int32, error) {
	var highest int32
	err := sqlitex.Execute(l.conn, highestNumber, &sqlitex.ExecOptions{
		Args: []any{l.tenant},
		ResultFunc: func(stmt *sqlite.Stmt) error {
			highest = stmt.ColumnInt32(0)
			return nil
		},
	})
	if err != nil {
		return 0, fmt.Errorf("find highest number: %w", err)
	}
	if highest < math.MaxInt32 {
		return highest + 1, nil
	}
	return l.lowestNumber()
}

// lowestNumber walks from the lowest number up to the first gap, and the next
// call from there.
func (l *load) lowestNumber() (int32, error) {
	stmt, err := l.conn.Prepare(numbersFrom)
	if err != nil {
		return 0, fmt.Errorf("find free number: %w", err)
	}
	lowest := l.taken[l.tenant] + 1
	stmt.BindText(1, l.tenant)
	stmt.BindInt64(2, int64(lowest))
	for {
		found, err := stmt.Step()
		if err != nil {
			return 0, fmt.Errorf("find free number: %w", err)
		}
		if !found || stmt.ColumnInt32(0) != lowest {
			return lowest, stmt.Reset()
		}
		l.taken[l.tenant] = lowest
		lowest++
	}
}

// record is a customer with the row of the table that it is in, which only the file
// knows, and only until it is vacuumed, and with the seq of its newest change.
type record = slab.Record

// step is a change with the record that it changes.
type step struct {
	customer.Change
	row      int64 // of the record; 0 at a birth
	previous int64 // the seq of the change before; 0 at a birth
}

func revised(r record, by customer.ChangeMeta, edit customer.Edit) (step, error) {
	ch, err := customer.Apply(r.Customer, by, edit)
	return step{ch, r.Row, r.Change}, err
}

// find returns a NotFound fault when there is no such customer.
func find(conn *sqlite.Conn, ref customer.Ref) (record, error) {
	stmt, err := prepareFind(conn, ref)
	if err != nil {
		return record{}, fmt.Errorf("find customer: %w", err)
	}
	found, err := stmt.Step()
	if err != nil {
		return record{}, fmt.Errorf("find customer: %w", err)
	}
	if !found {
		return record{}, fault.New(fault.NotFound, "no such customer")
	}
	r := record{Customer: scanCustomer(stmt), Row: stmt.ColumnInt64(len(layout.Columns)), Change: stmt.ColumnInt64(len(layout.Columns) + 1)}
	// A statement that has not ended would hold its snapshot, and with it the log.
	if err := stmt.Reset(); err != nil {
		return record{}, fmt.Errorf("find customer: %w", err)
	}
	return r, nil
}

func prepareFind(conn *sqlite.Conn, ref customer.Ref) (*sqlite.Stmt, error) {
	if ref.ID == "" {
		stmt, err := conn.Prepare(selectByNumber)
		if err != nil {
			return nil, err
		}
		stmt.BindText(1, ref.Tenant)
		stmt.BindInt64(2, int64(ref.Number))
		return stmt, nil
	}
	stmt, err := conn.Prepare(selectByID)
	if err != nil {
		return nil, err
	}
	stmt.BindText(1, ref.Tenant)
	stmt.BindText(2, ref.ID)
	return stmt, nil
}

// save writes the customer and the record of the change, and notes it for searches;
// nothing when the change is empty. When it returns a fault it wrote nothing.
func (s *Store) save(conn *sqlite.Conn, ch step) error {
	if ch.Empty() {
		return nil
	}
	seq, diff := s.writer.follower.last+1, ch.Diff()
	row, err := s.writer.writeRecord(ch, diff, seq)
	if err != nil {
		return err
	}
	if err := enter(conn, ch, diff, seq); err != nil {
		return err
	}
	s.writer.changed = append(s.writer.changed, record{Customer: ch.After, Row: row, Change: seq})
	s.writer.follower.note(seq, ch.Change)
	return nil
}

// errMovedOn is what becomes of a change of a record that has another version
// than the one before it. Nothing was written.
var errMovedOn = errors.New("the record is at another version")

// insert returns a Conflict fault when the id or the number is taken, or both.
func insert(conn *sqlite.Conn, ch customer.Change, seq int64) (row int64, err error) {
	stmt, err := conn.Prepare(insertCustomer)
	if err != nil {
		return 0, fmt.Errorf("insert customer: %w", err)
	}
	for i, col := range layout.Columns {
		bind(stmt, 1+i, col.Field(&ch.After))
	}
	stmt.BindInt64(1+len(layout.Columns), seq)
	_, err = stmt.Step()
	switch sqlite.ErrCode(err) {
	case sqlite.ResultOK:
		return conn.LastInsertRowID(), nil
	case sqlite.ResultConstraintPrimaryKey, sqlite.ResultConstraintUnique: // whichever it met first
		taken := ch.After.AlreadyExists(func(ref customer.Ref) (customer.Customer, error) {
			r, err := find(conn, ref)
			return r.Customer, err
		})
		if taken != nil {
			return 0, taken
		}
	}
	return 0, fmt.Errorf("insert customer: %w", err)
}

var (
	selectByID     = selectCustomer + " AND id = ?"
	selectByNumber = selectCustomer + " AND number = ?"

	selectCustomer = `
		SELECT ` + layout.Names(layout.Columns) + `, rowid, last_change
		FROM customers
		WHERE tenant = ?`

	insertCustomer = `
		INSERT INTO customers (` + layout.Names(layout.Columns) + `, last_change)
		VALUES (` + marks(layout.Columns) + `, ?)`
)

const (
	highestNumber = `
		SELECT number
		FROM customers
		WHERE tenant = ?
		ORDER BY number DESC
		LIMIT 1`

	numbersFrom = `
		SELECT number
		FROM customers
		WHERE tenant = ? AND number >= ?
		ORDER BY number`
)
