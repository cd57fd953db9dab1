package slab

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// appendRecord packs a record: its columns in order, as small as is cheap to read.
func appendRecord(out []byte, r Record) []byte {
	out = binary.AppendVarint(binary.AppendVarint(out, r.Row), r.Change)
	for _, col := range layout.Columns {
		switch p := col.Field(&r.Customer).(type) {
		case *string:
			out = appendText(out, *p)
		case *bool:
			out = appendBool(out, *p)
		case *int32:
			out = binary.AppendVarint(out, int64(*p))
		case *int64:
			out = binary.AppendVarint(out, *p)
		case *customer.POBox:
			out = binary.AppendVarint(appendBool(out, p.Valid), int64(p.Number))
		case *time.Time:
			if out = appendBool(out, !p.IsZero()); !p.IsZero() {
				out = binary.AppendVarint(out, p.UnixMicro())
			}
		}
	}
	return out
}

// appendText writes a UUID as its 16 bytes behind a 1, and another text behind twice
// its length.
func appendText(out []byte, s string) []byte {
	if len(s) == uuidLength {
		if id, err := uuid.Parse(s); err == nil && id.String() == s {
			return append(append(out, 1), id[:]...)
		}
	}
	return append(binary.AppendUvarint(out, 2*uint64(len(s))), s...)
}

const uuidLength = len("00000000-0000-0000-0000-000000000000")

func appendBool(out []byte, b bool) []byte {
	if b {
		return append(out, 1)
	}
	return append(out, 0)
}

// unpack reads what appendRecord wrote, and nothing behind it.
func unpack(packed []byte) Record {
	u := unpacker(packed) // all texts of the record share it
	r := Record{Row: u.int(), Change: u.int()}
	for _, col := range layout.Columns {
		switch p := col.Field(&r.Customer).(type) {
		case *string:
			*p = u.text()
		case *bool:
			*p = u.bool()
		case *int32:
			*p = int32(u.int())
		case *int64:
			*p = u.int()
		case *customer.POBox:
			*p = customer.POBox{Valid: u.bool(), Number: int32(u.int())}
		case *time.Time:
			if u.bool() {
				*p = layout.Instant(u.int())
			}
		}
	}
	return r
}

// unpacker is what is left to unpack.
type unpacker string

func (u *unpacker) text() string {
	n := u.uint()
	if n == 1 {
		id := uuid.UUID([]byte((*u)[:16]))
		*u = (*u)[16:]
		return id.String()
	}
	text := (*u)[:n/2]
	*u = (*u)[n/2:]
	return string(text)
}

func (u *unpacker) bool() bool {
	b := (*u)[0] == 1
	*u = (*u)[1:]
	return b
}

// int reads a number as encoding/binary writes it, whose Varint takes no string.
func (u *unpacker) int() int64 {
	n := u.uint()
	return int64(n>>1) ^ -int64(n&1)
}

func (u *unpacker) uint() (n uint64) {
	for i := 0; ; i++ {
		b := (*u)[i]
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			*u = (*u)[i+1:]
			return n
		}
	}
}
