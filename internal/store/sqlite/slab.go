package sqlite

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/edsrzf/mmap-go"

	"kartotek/internal/customer"
)

// slab holds packed records in one piece of memory that the garbage collector does
// not know, so that much may be remembered without being collected around. It is
// cut in blocks, and a record is a chain of them, written over in place. When all
// are taken, the hand that goes round makes room: who was put in long ago leaves.
//
// It is for one goroutine at a time, but for get, for many while nobody writes.
type slab struct {
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

func newSlab(size int) (*slab, error) {
	memory, err := mmap.MapRegion(nil, size, mmap.RDWR, mmap.ANON, 0)
	if err != nil {
		return nil, err
	}
	return &slab{memory: memory, heads: map[uint32]uint32{}, seed: maphash.MakeSeed(), fresh: 1}, nil
}

// get returns the record, if it is there.
func (s *slab) get(ref customer.Ref) (record, bool) {
	head, ok := s.heads[s.hash(ref)]
	if !ok {
		return record{}, false
	}
	r := s.read(head)
	if r.Tenant != ref.Tenant || r.ID != ref.ID && r.Number != ref.Number {
		return record{}, false // another of the same hash
	}
	return r, true
}

// put takes in the record, in place of the one with its refs.
func (s *slab) put(r record) {
	s.drop(r)
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

// drop takes out what is there under the refs of the record.
func (s *slab) drop(r record) {
	for _, hash := range s.hashes(r) {
		if head, ok := s.heads[hash]; ok {
			s.evict(head)
		}
	}
}

// evict takes out the record that begins there.
func (s *slab) evict(head uint32) {
	for _, hash := range s.hashes(s.read(head)) {
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
func (s *slab) take() uint32 {
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

func (s *slab) read(head uint32) record {
	var room [512]byte // most fit
	packed := room[:0]
	for block := head; block != 0; block = s.header(block) &^ isHead {
		packed = append(packed, s.block(block)[headerBytes:]...)
	}
	return unpack(packed) // which sees where it ends
}

func (s *slab) hashes(r record) [2]uint32 {
	return [...]uint32{s.hash(customer.ByNumber(r.Tenant, r.Number)), s.hash(customer.ByID(r.Tenant, r.ID))}
}

func (s *slab) hash(ref customer.Ref) uint32 { return uint32(maphash.Comparable(s.seed, ref)) }

func (s *slab) block(n uint32) []byte { return s.memory[n*blockBytes:][:blockBytes] }

func (s *slab) header(n uint32) uint32 { return binary.NativeEndian.Uint32(s.block(n)) }

func (s *slab) setHeader(n, header uint32) { binary.NativeEndian.PutUint32(s.block(n), header) }

// clear takes out all.
func (s *slab) clear() {
	clear(s.heads)
	s.fresh, s.free, s.hand = 1, 0, 0
}

// close gives the memory back.
func (s *slab) close() error { return s.memory.Unmap() }
