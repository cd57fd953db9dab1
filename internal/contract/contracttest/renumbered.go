package contracttest

import (
	"context"
	"slices"

	"kartotek/internal/customer"
)

// renumberedStore numbers the changes of each tenant from 1 without gaps, so that transcripts are
// equal on every engine.
type renumberedStore struct {
	customer.Store
}

// Feed translates after and the numbers of the changes.
func (s renumberedStore) Feed(ctx context.Context, tenant string, after int64, limit int) ([]customer.ChangeRecord, error) {
	seqs, err := s.seqs(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if last := int64(len(seqs)); after > 0 && last > 0 {
		after = seqs[min(after, last)-1]
	}
	list, err := s.Store.Feed(ctx, tenant, after, limit)
	return renumber(list, seqs), err
}

// Changes translates the numbers of the changes.
func (s renumberedStore) Changes(ctx context.Context, tenant, id string, below int64, limit int) ([]customer.ChangeRecord, error) {
	list, err := s.Store.Changes(ctx, tenant, id, below, limit)
	if err != nil {
		return nil, err
	}
	seqs, err := s.seqs(ctx, tenant)
	return renumber(list, seqs), err
}

// renumber replaces the number of each change by its position among those of the tenant.
func renumber(list []customer.ChangeRecord, seqs []int64) []customer.ChangeRecord {
	for i, r := range list {
		position, _ := slices.BinarySearch(seqs, r.Seq)
		list[i].Seq = int64(position) + 1
	}
	return list
}

// seqs returns the numbers of all changes of a tenant in order.
func (s renumberedStore) seqs(ctx context.Context, tenant string) (seqs []int64, err error) {
	list, err := s.Store.Feed(ctx, tenant, 0, 1<<20)
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		seqs = append(seqs, r.Seq)
	}
	return seqs, nil
}
