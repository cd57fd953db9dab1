package sqlite

import (
	"fmt"
	"sync"

	"kartotek/internal/customer"
	"kartotek/internal/store/slab"
)

// cache holds records as the last commit left them, so that most reads need no
// SQL. It lives beside the Go heap, bounded: when it is
// full, who was put in long ago leaves it.
//
// No answer from it is older than a commit of this process that was answered
// before. The writer takes a record out before the commit that changes it and puts
// the new one in after, and meanwhile all read the file. What a reader found there
// gets in only when no commit has begun since it looked: a slow one cannot put back
// what is gone. Commits of other processes empty it as soon as the writer learns of
// them, within foreignLag.
type cache struct {
	mu      sync.RWMutex
	records *slab.Slab // nil when closed
	commits uint64     // begun and ended; odd while one is under way
}

// cacheBytes bounds the records that are remembered: about 130,000.
const cacheBytes = 32 << 20

func newCache() (*cache, error) {
	records, err := slab.New(cacheBytes)
	if err != nil {
		return nil, fmt.Errorf("take memory for records: %w", err)
	}
	return &cache{records: records}, nil
}

// find returns the record, if it is there.
func (c *cache) find(ref customer.Ref) (record, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.records == nil {
		return record{}, false
	}
	return c.records.Get(ref)
}

// look is called before the file is read for what fill will put in.
func (c *cache) look() (commits uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.commits
}

// fill puts in a record that was read from the file after look, unless a commit was
// under way then or has begun since.
func (c *cache) fill(found record, looked uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.records != nil && looked == c.commits && looked%2 == 0 {
		c.records.Put(found)
	}
}

// begin takes out what a commit is about to change.
func (c *cache) begin(changed []record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commits++
	for _, r := range changed {
		c.records.Drop(r)
	}
}

// end puts in what the commit made of it; nothing when it failed.
func (c *cache) end(changed []record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commits++
	for _, r := range changed {
		c.records.Put(r)
	}
}

// clear takes out all: another process has changed nobody knows what.
func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commits += 2
	c.records.Clear()
}

// close gives the memory back. Nothing is found or filled after it; the writer has
// stopped before.
func (c *cache) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	records := c.records
	c.records = nil
	return records.Close()
}
