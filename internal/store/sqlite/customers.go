package sqlite

import (
	"context"
	"fmt"
	"math"

	"zombiezen.com/go/sqlite"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// Find implements customer.Store.
func (s *Store) Find(ctx context.Context, ref customer.Ref) (customer.Customer, error) {
	if ctx.Err() != nil {
		return customer.Customer{}, timeoutError(ctx)
	}
	r, err := read(ctx, s, func(conn *sqlite.Conn) (record, error) { return findRecord(conn, ref) })
	return r.Customer, err
}

// Update implements customer.Store.
func (s *Store) Update(ctx context.Context, ref customer.Ref, meta customer.ChangeMeta, edit customer.Edit, idem *customer.Idempotency) (customer.Change, error) {
	return write(ctx, s, ref.Tenant, func(tx *tx) (customer.Change, error) {
		return withIdempotency(tx, ref.Tenant, meta, idem, func() (change, error) { return tx.update(ref, meta, edit) })
	})
}

// Create implements customer.Store.
func (s *Store) Create(ctx context.Context, tenant string, meta customer.ChangeMeta, entry customer.Upsert, idem *customer.Idempotency) (customer.Change, error) {
	return write(ctx, s, tenant, func(tx *tx) (customer.Change, error) {
		return withIdempotency(tx, tenant, meta, idem, func() (change, error) { return tx.create(tenant, meta, entry) })
	})
}

// Upsert implements customer.Store: all entries in one transaction.
func (s *Store) Upsert(ctx context.Context, tenant string, meta customer.ChangeMeta, entries []customer.Upsert) ([]customer.UpsertResult, error) {
	return write(ctx, s, tenant, func(tx *tx) ([]customer.UpsertResult, error) {
		results := make([]customer.UpsertResult, len(entries))
		for i, entry := range entries {
			ch, err := tx.upsert(tenant, meta, entry)
			if err == nil {
				err = tx.save(ch)
			}
			switch {
			case err == nil:
				results[i].Change = ch.Change
			case fault.IsFault(err):
				results[i].Err = err
			default:
				return nil, err
			}
		}
		return results, nil
	})
}

// upsert returns the change that the entry makes: an update if its customer exists, or a creation.
func (t *tx) upsert(tenant string, meta customer.ChangeMeta, entry customer.Upsert) (change, error) {
	ref, ok := entry.Ref(tenant)
	if !ok {
		return t.create(tenant, meta, entry)
	}
	before, err := findRecord(t.conn, ref)
	if fault.Is(err, fault.NotFound) {
		return t.create(tenant, meta, entry)
	}
	if err != nil {
		return change{}, err
	}
	ch, err := entry.Update(before.Customer, meta)
	return change{ch, before.row, before.change}, err
}

// update returns the change that the edit makes.
func (t *tx) update(ref customer.Ref, meta customer.ChangeMeta, edit customer.Edit) (change, error) {
	before, err := findRecord(t.conn, ref)
	if err != nil {
		return change{}, err
	}
	ch, err := customer.Apply(before.Customer, meta, edit)
	return change{ch, before.row, before.change}, err
}

// create returns the creation of the entry's customer.
func (t *tx) create(tenant string, meta customer.ChangeMeta, entry customer.Upsert) (change, error) {
	number := entry.Number
	if number == 0 {
		var err error
		if number, err = t.nextNumber(tenant); err != nil {
			return change{}, err
		}
	}
	ch, err := entry.Create(tenant, number, meta)
	return change{Change: ch}, err
}

// nextNumber returns the number after the tenant's highest or, when that is the highest possible,
// the lowest free one.
func (t *tx) nextNumber(tenant string) (int32, error) {
	highest, err := queryRows(t.conn, scanNumber, selectHighestNumber, tenant)
	switch {
	case err != nil:
		return 0, fmt.Errorf("find the highest number: %w", err)
	case len(highest) == 0:
		return 1, nil
	case highest[0] < math.MaxInt32:
		return highest[0] + 1, nil
	}
	return t.findFreeNumber(tenant)
}

// findFreeNumber scans the numbers up to the first gap. The next call continues there.
func (t *tx) findFreeNumber(tenant string) (int32, error) {
	stmt, err := t.conn.Prepare(selectNumbersFrom)
	if err != nil {
		return 0, fmt.Errorf("find a free number: %w", err)
	}
	number := max(1, t.lowestFree[tenant])
	stmt.BindText(1, tenant)
	stmt.BindInt64(2, int64(number))
	for {
		found, err := stmt.Step()
		if err != nil {
			return 0, fmt.Errorf("find a free number: %w", err)
		}
		if !found || stmt.ColumnInt32(0) != number {
			t.lowestFree[tenant] = number
			return number, stmt.Reset()
		}
		number++
	}
}

const (
	selectHighestNumber = `
		SELECT number
		FROM customers
		WHERE tenant = ?
		ORDER BY number DESC
		LIMIT 1`

	selectNumbersFrom = `
		SELECT number
		FROM customers
		WHERE tenant = ? AND number >= ?
		ORDER BY number`
)
