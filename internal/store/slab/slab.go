// Package slab remembers records beside the Go heap, where many of them cost the
// garbage collector nothing. What is there may be out of date: only its store can
// tell.
package slab

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/edsrzf/mmap-go"

	"kartotek/internal/customer"
)

// Record is a customer as a store has it.
type Record struct {
	customer.Customer
	Row    int64 // what tells the stored row from others
	Change int64 // the seq of the newest change, where the row has it
}

// Slab holds packed records in one piece of memory that the garbage collector does
// not know, so that much may be remembered without being collected around. It is
// cut in blocks, and a record is a chain of them, written over in place. When all
// are taken, the hand that goes round makes room: who was put in long ago leaves.
//
// It is for one goroutine at a time, but for Get, for many while nobody writes.
type Slab struct {
	memory mmap.MMap
	heads  map[uint32]uint32 // the first block of a record, by the hash of each of its refs
	seed   maphash.Seed
	fresh  uint32 // no block from here on was ever taken
	free   uint32 // the first of a chain of blocks that were given back
	hand   uint32
}

// A block is the number of the next one in its chain, and what the record has
// there. Block 0 is nobody's: it ends a chain.
const (
	blockBytes  = 64
	headerBytes = 4
	isHead      = 1 << 31 // in the header of a record's first block
)

// New takes so many bytes of memory, which fill as records come.
func New(size int) (*Slab, error) {
	memory, err := mmap.MapRegion(nil, size, mmap.RDWR, mmap.ANON, 0)
	if err != nil {
		return nil, err
	}
	return &Slab{memory: memory, heads: map[uint32]uint32{}, seed: maphash.MakeSeed(), fresh: 1}, nil
}

// Get returns the record, if it is there.
func (s *Slab) Get(ref customer.Ref) (Record, bool) {
	head, ok := s.heads[s.hash(ref)]
	if !ok {
		return Record{}, false
	}
	r := s.read(head)
	if r.Tenant != ref.Tenant || r.ID != ref.ID && r.Number != ref.Number {
		return Record{}, false // another of the same hash
	}
	return r, true
}

// Put takes in the record, in place of the one with its refs.
func (s *Slab) Put(r Record) {
	s.Drop(r)
	var room [512]byte // most fit
	head := uint32(0)
	for packed := appendRecord(room[:0], r); len(packed) > 0; {
		// The last piece goes first, since each block names the one behind it.
		cut := (len(packed) - 1) / (blockBytes - headerBytes) * (blockBytes - headerBytes)
		block := s.take()
		s.setHeader(block, head)
		copy(s.block(block)[headerBytes:], packed[cut:])
		packed, head = packed[:cut], block
	}
	s.setHeader(head, s.header(head)|isHead)
	for _, hash := range s.hashes(r) {
		s.heads[hash] = head
	}
}

// Drop takes out what is there under the refs of the record.
func (s *Slab) Drop(r Record) {
	hashes := s.hashes(r)
	head := s.heads[hashes[0]]
	if head != 0 && head == s.heads[hashes[1]] && hashes[0] != hashes[1] { // both are its own, and need not be read
		s.remove(head, hashes)
		return
	}
	for _, hash := range hashes {
		if head, ok := s.heads[hash]; ok {
			s.evict(head)
		}
	}
}

// evict takes out the record that begins there, whoever it is.
func (s *Slab) evict(head uint32) { s.remove(head, s.hashes(s.read(head))) }

// remove gives back the blocks of a record with these hashes.
func (s *Slab) remove(head uint32, hashes [2]uint32) {
	for _, hash := range hashes {
		if s.heads[hash] == head {
			delete(s.heads, hash)
		}
	}
	for block := head; block != 0; {
		next := s.header(block) &^ isHead
		s.setHeader(block, s.free)
		s.free, block = block, next
	}
}

// take returns a block that is nobody's.
func (s *Slab) take() uint32 {
	blocks := uint32(len(s.memory) / blockBytes)
	if s.free == 0 && s.fresh < blocks {
		s.fresh++
		return s.fresh - 1
	}
	for s.free == 0 {
		s.hand = s.hand%(blocks-1) + 1
		if s.header(s.hand)&isHead != 0 {
			s.evict(s.hand)
		}
	}
	block := s.free
	s.free = s.header(block)
	return block
}

func (s *Slab) read(head uint32) Record {
	var room [512]byte // most fit
	packed := room[:0]
	for block := head; block != 0; block = s.header(block) &^ isHead {
		packed = append(packed, s.block(block)[headerBytes:]...)
	}
	return unpack(packed) // which sees where it ends
}

func (s *Slab) hashes(r Record) [2]uint32 {
	return [...]uint32{s.hash(customer.ByNumber(r.Tenant, r.Number)), s.hash(customer.ByID(r.Tenant, r.ID))}
}

func (s *Slab) hash(ref customer.Ref) uint32 { return uint32(maphash.Comparable(s.seed, ref)) }

func (s *Slab) block(n uint32) []byte { return s.memory[n*blockBytes:][:blockBytes] }

func (s *Slab) header(n uint32) uint32 { return binary.NativeEndian.Uint32(s.block(n)) }

func (s *Slab) setHeader(n, header uint32) { binary.NativeEndian.PutUint32(s.block(n), header) }

// Clear takes out all.
func (s *Slab) Clear() {
	clear(s.heads)
	s.fresh, s.free, s.hand = 1, 0, 0
}

// Close gives the memory back.
func (s *Slab) Close() error { return s.memory.Unmap() }
