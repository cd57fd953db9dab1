package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// checksum is the checksum of the rows of a table, in any order: their count and the sum of their
// digests.
type checksum struct {
	rows    int64
	digests [4]uint64
}

func (s *checksum) add(row []byte) {
	s.rows++
	digest := sha256.Sum256(row)
	for i := range s.digests {
		s.digests[i] += binary.LittleEndian.Uint64(digest[8*i:])
	}
}

// table is a table that both sides have.
type table struct {
	name string
	sum  func(ctx context.Context, of Dump, advance func(rows int)) (checksum, error)
}

// tables are all tables. Different rows have different encodings.
var tables = []table{
	tableOf("customers", Dump.Customers, func(w *rowEncoder, c *Customer) {
		for _, col := range layout.Columns {
			w.field(col.Field(&c.Customer))
		}
	}),
	tableOf("changes", Dump.Changes, func(w *rowEncoder, c *Change) {
		w.strings(c.Tenant, c.CustomerID, c.Event, c.Meta.Actor, c.Meta.Contract, c.Meta.RequestID, c.Fields)
		w.int(c.Version)
		w.int(c.Seq)
		w.int(int64(c.Number))
		w.time(c.Meta.At)
	}),
	tableOf("idempotency records", Dump.IdempotencyRecords, func(w *rowEncoder, r *customer.IdempotencyRecord) {
		w.strings(r.Tenant, r.Key, r.Digest, string(r.Response))
		w.time(r.At)
	}),
	tableOf("accounts", Dump.Accounts, func(w *rowEncoder, a *access.Account) {
		w.strings(a.Tenant, a.Login, a.PasswordHash)
		w.bool(a.Customers.All())
		numbers := a.Customers.Numbers()
		w.int(int64(len(numbers)))
		for _, n := range numbers {
			w.int(int64(n))
		}
		w.time(a.CreatedAt)
		w.time(a.RevokedAt)
	}),
	tableOf("keys", Dump.Keys, func(w *rowEncoder, k *access.Key) {
		w.strings(k.Tenant, k.ID, k.Name, string(k.Hash[:]))
		w.int(int64(len(k.Scopes)))
		for _, s := range k.Scopes {
			w.strings(string(s))
		}
		w.time(k.CreatedAt)
		w.time(k.RevokedAt)
		w.bool(k.Options.RequireIfMatch)
		w.bool(k.Options.AllowStaleWrites)
	}),
	tableOf("secrets", Dump.Secrets, func(w *rowEncoder, s *Secret) {
		w.strings(s.Name, string(s.Secret))
	}),
}

func tableOf[T any](name string, rows func(Dump, context.Context) iter.Seq2[T, error], write func(*rowEncoder, *T)) table {
	return table{name, func(ctx context.Context, of Dump, advance func(int)) (checksum, error) {
		var s checksum
		var w rowEncoder
		for row, err := range rows(of, ctx) {
			if err != nil {
				return checksum{}, err
			}
			w = w[:0]
			write(&w, &row)
			s.add(w)
			advance(1)
		}
		return s, nil
	}}
}

// rowEncoder encodes a row for its digest.
type rowEncoder []byte

// field appends the value of a column; p is from [layout.Column].
func (w *rowEncoder) field(p any) {
	switch p := p.(type) {
	case *string:
		w.strings(*p)
	case *bool:
		w.bool(*p)
	case *int32:
		w.int(int64(*p))
	case *int64:
		w.int(*p)
	case *customer.POBox:
		w.bool(p.Valid)
		w.int(int64(p.Number))
	case *time.Time:
		w.time(*p)
	}
}

// strings appends each string after its length.
func (w *rowEncoder) strings(list ...string) {
	for _, s := range list {
		w.int(int64(len(s)))
		*w = append(*w, s...)
	}
}

func (w *rowEncoder) int(n int64) { *w = binary.AppendVarint(*w, n) }

func (w *rowEncoder) bool(b bool) {
	n := int64(0)
	if b {
		n = 1
	}
	w.int(n)
}

// time appends a time; the zero time has an encoding of its own.
func (w *rowEncoder) time(t time.Time) {
	w.bool(!t.IsZero())
	if !t.IsZero() {
		w.int(t.UnixMicro())
	}
}
