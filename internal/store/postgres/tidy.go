package postgres

import (
	"context"
	"time"
)

// tidyAfter is how long keys that have changed may wait to be put into the index.
const tidyAfter = 400 * time.Millisecond

// tidySoon has the index of keys take in what was added to the list before it.
// Otherwise whoever fills the list does that, and all of his group wait for it; and
// searches read the list from end to end.
func (s *Store) tidySoon() {
	if s.sharded || !s.tidying.CompareAndSwap(false, true) {
		return // a shard has an index of its own
	}
	time.AfterFunc(tidyAfter, func() {
		defer s.tidying.Store(false)
		ctx, cancel := context.WithTimeout(context.Background(), s.patience)
		defer cancel()
		_, _ = s.pool.Exec(ctx, tidyKeys) // what is left is taken in the next time, or by PostgreSQL
	})
}

const tidyKeys = "SELECT gin_clean_pending_list('customers_keys')"
