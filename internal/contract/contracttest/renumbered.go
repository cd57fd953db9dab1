package contracttest

import (
	"context"
	"slices"

	"kartotek/internal/customer"
)

// renumbered counts the changes of a store from 1, so that transcripts read the
// same on every engine: each numbers them as it must.
type renumberedStore struct {
	customer.Store
}

// Feed translates the numbers there and back.
func (s renumberedStore) Feed(ctx context.Context, tenant string, after int64, limit int) ([]customer.ChangeRecord, error) {
	seqs, err := s.seqs(ctx)
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
	seqs, err := s.seqs(ctx)
	return renumber(list, seqs), err
}

// counted gives each change its place among all.
func renumber(list []customer.ChangeRecord, seqs []int64) []customer.ChangeRecord {
	for i, r := range list {
		place, _ := slices.BinarySearch(seqs, r.Seq)
		list[i].Seq = int64(place) + 1
	}
	return list
}

// seqs are the numbers of all changes, in their order.
func (s renumberedStore) seqs(ctx context.Context) (seqs []int64, err error) {
	for _, tenant := range []string{"hafslund", "other"} {
		list, err := s.Store.Feed(ctx, tenant, 0, 1<<20)
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			seqs = append(seqs, r.Seq)
		}
	}
	slices.Sort(seqs)
	return seqs, nil
}
