package postgres

import (
	"fmt"
	"sync"

	"kartotek/internal/customer"
	"kartotek/internal/store/slab"
)

// seen is how this server last read or wrote records. Others may have changed them
// since. So it answers nobody: a change may be made of what is in it, and is written
// only if the row in the database is still the one that was seen.
type seen struct {
	mu      sync.RWMutex
	records *slab.Slab // nil when closed
}

// seenBytes bounds the records that are remembered: about 130,000.
const seenBytes = 32 << 20

func newSeen() (*seen, error) {
	records, err := slab.New(seenBytes)
	if err != nil {
		return nil, fmt.Errorf("take memory for records: %w", err)
	}
	return &seen{records: records}, nil
}

func (s *seen) find(ref customer.Ref) (current, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.records == nil {
		return current{}, false
	}
	r, ok := s.records.Get(ref)
	return current{r.Customer, uint32(r.Row)}, ok
}

// put takes in a record. One that is older than what was there costs its next change
// another try, no more.
func (s *seen) put(c current) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records != nil {
		s.records.Put(slab.Record{Customer: c.Customer, Row: int64(c.row)})
	}
}

// close gives the memory back. Nothing is found after it.
func (s *seen) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records == nil {
		return nil
	}
	records := s.records
	s.records = nil
	return records.Close()
}
