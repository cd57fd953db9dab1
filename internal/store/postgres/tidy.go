package postgres

import (
	"context"
	"time"
)

// tidyAfter is how long keys that have changed may wait to be put into their index.
const tidyAfter = 400 * time.Millisecond

// tidySoon has the indexes of keys and phones take in what was added to the lists
// before them. Otherwise whoever fills a list does that, and all of his group wait for
// it; and searches read the lists from end to end.
func (s *Store) tidySoon() {
	if s.sharded || !s.tidying.CompareAndSwap(false, true) {
		return // a shard has an index of its own
	}
	time.AfterFunc(tidyAfter, func() {
		s.tidying.Store(false) // who comes while it is done may come too late for it
		ctx, cancel := context.WithTimeout(context.Background(), s.patience)
		defer cancel()
		_, _ = s.pool.Exec(ctx, tidyKeys) // what is left is taken in the next time, or by PostgreSQL
	})
}

const tidyKeys = "SELECT gin_clean_pending_list('customers_keys'), gin_clean_pending_list('phones_digits')"
