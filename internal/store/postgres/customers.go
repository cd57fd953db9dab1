package postgres

import (
	"context"
	"fmt"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/store/layout"
)

// Find implements customer.Store.
func (s *Store) Find(ctx context.Context, ref customer.Ref) (customer.Customer, error) {
	query, key := selectByNumber, any(ref.Number)
	if ref.ID != "" {
		query, key = selectByID, ref.ID
	}
	found, err := readRows(ctx, s, layout.Customers.Scan, query, ref.Tenant, key)
	if err != nil {
		return customer.Customer{}, fmt.Errorf("find customer: %w", err)
	}
	if len(found) == 0 {
		return customer.Customer{}, errNoCustomer()
	}
	return found[0], nil
}

var (
	selectByID     = selectCustomers + " AND id = $2"
	selectByNumber = selectCustomers + " AND number = $2"
)

// Update implements customer.Store.
func (s *Store) Update(ctx context.Context, ref customer.Ref, meta customer.ChangeMeta, edit customer.Edit, idem *customer.Idempotency) (customer.Change, error) {
	return s.writeChange(ctx, ref.Tenant, needsOf(ref, idem), meta, idem, func(t *tx) (customer.Change, error) {
		before, err := t.find(ref)
		if err != nil {
			return customer.Change{}, err
		}
		return customer.Apply(before, meta, edit)
	})
}

// Create implements customer.Store.
func (s *Store) Create(ctx context.Context, tenant string, meta customer.ChangeMeta, entry customer.Upsert, idem *customer.Idempotency) (customer.Change, error) {
	var n needs
	n.addKey(idem)
	n.addEntry(entry)
	return s.writeChange(ctx, tenant, n, meta, idem, func(t *tx) (customer.Change, error) {
		return t.create(meta, entry)
	})
}

// writeChange saves the change that makeChange returns and, if idem is not nil, its idempotency
// record.
func (s *Store) writeChange(ctx context.Context, tenant string, n needs, meta customer.ChangeMeta, idem *customer.Idempotency, makeChange func(*tx) (customer.Change, error)) (customer.Change, error) {
	var ch customer.Change
	err := s.write(ctx, tenant, n, func(t *tx) (err error) {
		if idem != nil {
			if err := t.checkKeyUnused(actorKey{meta.Actor, idem.Key}, meta.At); err != nil {
				return err
			}
		}
		if ch, err = makeChange(t); err != nil {
			return err
		}
		if idem == nil {
			return t.save(ch)
		}
		record, err := idem.Record(ch, tenant)
		if err != nil {
			return fmt.Errorf("encode idempotency record: %w", err)
		}
		if err := t.save(ch); err != nil {
			return err
		}
		t.saveIdempotencyRecord(record)
		return nil
	})
	if err != nil {
		return customer.Change{}, err // without reading ch: fn may still be running
	}
	return ch, nil
}

// Upsert implements customer.Store: all entries in one transaction.
func (s *Store) Upsert(ctx context.Context, tenant string, meta customer.ChangeMeta, entries []customer.Upsert) ([]customer.UpsertResult, error) {
	var n needs
	for _, entry := range entries {
		n.addEntry(entry)
	}
	var results []customer.UpsertResult
	err := s.write(ctx, tenant, n, func(t *tx) error {
		results = make([]customer.UpsertResult, len(entries))
		for i, entry := range entries {
			ch, err := t.upsert(meta, entry)
			if err == nil {
				err = t.save(ch)
			}
			switch {
			case err == nil:
				results[i].Change = ch
			case fault.IsFault(err):
				results[i].Err = err
			default:
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// upsert returns the change that the entry makes: an update if its customer exists, or a creation.
func (t *tx) upsert(meta customer.ChangeMeta, entry customer.Upsert) (customer.Change, error) {
	ref, ok := entry.Ref(t.tenant)
	if !ok {
		return t.create(meta, entry)
	}
	before, err := t.find(ref)
	if err != nil {
		return t.create(meta, entry)
	}
	return entry.Update(before, meta)
}
