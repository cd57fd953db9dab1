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

// sum is of the rows of a table, in whatever order they come: how many, and their
// digests added up.
type sum struct {
	rows    int64
	digests [4]uint64
}

func (s *sum) add(row []byte) {
	s.rows++
	digest := sha256.Sum256(row)
	for i := range s.digests {
		s.digests[i] += binary.LittleEndian.Uint64(digest[8*i:])
	}
}

// table is one that both sides have, in whatever form.
type table struct {
	name string
	sum  func(ctx context.Context, of Rows, passed func(rows int)) (sum, error)
}

// tables are all. A row is written so that no two different ones are written alike.
var tables = []table{
	tableOf("customers", Rows.Customers, func(w *writing, c *Customer) {
		for _, col := range layout.Columns {
			w.field(col.Field(&c.Customer))
		}
	}),
	tableOf("numbers", Rows.Numbers, func(w *writing, n *Number) {
		w.texts(n.Tenant, n.ID)
		w.integer(int64(n.Number))
	}),
	tableOf("changes", Rows.Changes, func(w *writing, c *Change) {
		w.texts(c.Tenant, c.CustomerID, c.Event, c.By.Actor, c.By.Contract, c.By.RequestID, c.Fields)
		w.integer(c.Version)
		w.integer(c.Seq)
		w.integer(int64(c.Number))
		w.time(c.By.At)
	}),
	tableOf("receipts", Rows.Receipts, func(w *writing, r *customer.IdempotencyRecord) {
		w.texts(r.Tenant, r.Key, r.Digest, string(r.Response))
		w.time(r.At)
	}),
	tableOf("accounts", Rows.Accounts, func(w *writing, a *access.Account) {
		w.texts(a.Tenant, a.Login, a.PasswordHash)
		w.truth(a.Customers.All())
		numbers := a.Customers.Numbers()
		w.integer(int64(len(numbers)))
		for _, n := range numbers {
			w.integer(int64(n))
		}
		w.time(a.CreatedAt)
		w.time(a.RevokedAt)
	}),
	tableOf("keys", Rows.Keys, func(w *writing, k *access.Key) {
		w.texts(k.Tenant, k.ID, k.Name, string(k.Hash[:]))
		w.integer(int64(len(k.Scopes)))
		for _, s := range k.Scopes {
			w.texts(string(s))
		}
		w.time(k.CreatedAt)
		w.time(k.RevokedAt)
		w.truth(k.Options.RequireIfMatch)
		w.truth(k.Options.AllowStaleWrites)
	}),
	tableOf("secrets", Rows.Secrets, func(w *writing, s *Secret) {
		w.texts(s.Name, string(s.Secret))
	}),
}

func tableOf[T any](name string, rows func(Rows, context.Context) iter.Seq2[T, error], write func(*writing, *T)) table {
	return table{name, func(ctx context.Context, of Rows, passed func(int)) (sum, error) {
		var s sum
		var w writing
		for row, err := range rows(of, ctx) {
			if err != nil {
				return sum{}, err
			}
			w = w[:0]
			write(&w, &row)
			s.add(w)
			passed(1)
		}
		return s, nil
	}}
}

// writing is a row as bytes, of which a digest is made.
type writing []byte

// field writes what a pointer from the layout points to.
func (w *writing) field(p any) {
	switch p := p.(type) {
	case *string:
		w.texts(*p)
	case *bool:
		w.truth(*p)
	case *int32:
		w.integer(int64(*p))
	case *int64:
		w.integer(*p)
	case *customer.POBox:
		w.truth(p.Valid)
		w.integer(int64(p.Number))
	case *time.Time:
		w.time(*p)
	}
}

// texts writes each with its length before it.
func (w *writing) texts(list ...string) {
	for _, s := range list {
		w.integer(int64(len(s)))
		*w = append(*w, s...)
	}
}

func (w *writing) integer(n int64) { *w = binary.AppendVarint(*w, n) }

func (w *writing) truth(b bool) {
	n := int64(0)
	if b {
		n = 1
	}
	w.integer(n)
}

// time writes the zero time as none.
func (w *writing) time(t time.Time) {
	w.truth(!t.IsZero())
	if !t.IsZero() {
		w.integer(t.UnixMicro())
	}
}
