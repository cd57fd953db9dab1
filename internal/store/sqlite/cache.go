package sqlite

import (
	"encoding/binary"
	"sync"

	"github.com/VictoriaMetrics/fastcache"

	"kartotek/internal/customer"
)

// cache holds records as the last commit left them, so that most reads need no
// SQL. It lives beside the Go heap, bounded: who was not read or written for long
// leaves it.
//
// No answer from it is older than a commit of this process that was answered
// before. The writer takes a record out before the commit that changes it and puts
// the new one in after, and meanwhile all read the file. What a reader found there
// gets in only when no commit has begun since it looked: a slow one cannot put back
// what is gone. Commits of other processes empty it as soon as the writer learns of
// them, within foreignLag.
type cache struct {
	records *fastcache.Cache // packed, by number; and numbers, by id

	mu      sync.Mutex
	commits uint64 // begun and ended; odd while one is under way
}

// cacheBytes bounds the records that are remembered: about 100,000.
const cacheBytes = 32 << 20

func newCache() *cache { return &cache{records: fastcache.New(cacheBytes)} }

// find returns the record, if it is there.
func (c *cache) find(ref customer.Ref) (record, bool) {
	var keyRoom [128]byte // most fit
	var room [512]byte
	number := ref.Number
	if ref.ID != "" {
		found, ok := c.records.HasGet(room[:0], appendIDKey(keyRoom[:0], ref.Tenant, ref.ID))
		if !ok {
			return record{}, false
		}
		number = int32(binary.BigEndian.Uint32(found))
	}
	packed, ok := c.records.HasGet(room[:0], appendNumberKey(keyRoom[:0], ref.Tenant, number))
	if !ok {
		return record{}, false
	}
	return unpack(packed), true
}

// look is called before the file is read for what fill will put in.
func (c *cache) look() (commits uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.commits
}

// fill puts in the record of ref that was read from the file after look, unless a
// commit was under way then or has begun since. Its id is remembered when it was
// asked for by that.
func (c *cache) fill(ref customer.Ref, found record, looked uint64) {
	number, packed := appendNumberKey(nil, found.Tenant, found.Number), pack(found)
	c.mu.Lock()
	defer c.mu.Unlock()
	if looked != c.commits || looked%2 == 1 {
		return
	}
	c.records.Set(number, packed)
	if ref.ID != "" {
		c.records.Set(appendIDKey(nil, ref.Tenant, ref.ID), number[len(number)-4:])
	}
}

// begin takes out what a commit is about to change.
func (c *cache) begin(changed []record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commits++
	for _, r := range changed {
		c.records.Del(appendNumberKey(nil, r.Tenant, r.Number))
	}
}

// end puts in what the commit made of it; nothing when it failed.
func (c *cache) end(changed []record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commits++
	for _, r := range changed {
		c.records.Set(appendNumberKey(nil, r.Tenant, r.Number), pack(r))
	}
}

// clear takes out all: another process has changed nobody knows what.
func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commits += 2
	c.records.Reset()
}

// Keys begin with the tenant. The byte after it tells them apart; no tenant's name
// has it.

func appendNumberKey(key []byte, tenant string, number int32) []byte {
	return binary.BigEndian.AppendUint32(append(append(key, tenant...), 0), uint32(number))
}

func appendIDKey(key []byte, tenant, id string) []byte {
	return append(append(append(key, tenant...), 1), id...)
}
