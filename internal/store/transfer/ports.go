package transfer

import (
	"context"
	"iter"
	"log/slog"

	"kartotek/internal/access"
	"kartotek/internal/customer"
)

// Rows are all that a store keeps. A sequence that cannot be read to its end ends
// with an error.
type Rows interface {
	Customers(ctx context.Context) iter.Seq2[Customer, error]
	Changes(ctx context.Context) iter.Seq2[Change, error]
	Receipts(ctx context.Context) iter.Seq2[customer.IdempotencyRecord, error]
	Accounts(ctx context.Context) iter.Seq2[access.Account, error]
	Keys(ctx context.Context) iter.Seq2[access.Key, error]
	Secrets(ctx context.Context) iter.Seq2[Secret, error]
}

// Source is a store as it was at one moment. Others may go on writing to it.
type Source interface {
	Rows
	// Origin says which source it is.
	Origin() Origin
	// CustomersAfter are those behind a place, in the order of their places.
	CustomersAfter(ctx context.Context, place int64) iter.Seq2[Customer, error]
	// CustomersChanged are those up to a place who have a change after the one with
	// that seq.
	CustomersChanged(ctx context.Context, seq, place int64) iter.Seq2[Customer, error]
	// ChangesAfter are those after the one with that seq, in their order.
	ChangesAfter(ctx context.Context, seq int64) iter.Seq2[Change, error]
	// Left is about how many customers and changes there are behind a mark.
	Left(ctx context.Context, mark Mark) (int64, error)
	// Moved reports whether anybody has written to the source since that moment.
	Moved(ctx context.Context) (bool, error)
}

// Target is a database that a copy is made in. What it refuses it leaves as it was.
type Target interface {
	Rows
	// Begin returns how far the copy of this source has come. A new one needs a
	// database in which a store keeps nothing, and that no server has open. From then
	// on nobody can open it as a store, until the copy is finished.
	Begin(ctx context.Context, from Origin) (Mark, error)
	// Upsert writes a batch and its mark, or nothing.
	Put(ctx context.Context, b Batch) error
	// ReplaceRest puts what is no customer and no change in place of all such rows
	// that there are, or does nothing.
	ReplaceRest(ctx context.Context, from Rows) error
	// Index makes the indexes that were put off until the rows are there.
	Index(ctx context.Context) error
	// Finish makes a store of the database.
	Finish(ctx context.Context) error
}

// Origin is what tells a source from others, wherever it lies, and itself from what
// it was before.
type Origin struct {
	Name string
	Seq  int64 // of its newest change
}

// Mark is how far a copy has come.
type Mark struct {
	Seq       int64 // of the newest change that the customers have
	Customers int64 // the place of the last customer
	Changes   int64 // the seq of the last change
}

// Batch is what is written in one step.
type Batch struct {
	Changed   []Customer // who are there already, as they were before
	Customers []Customer
	Changes   []Change
	Mark      Mark // how far the copy is then
}

// Customer is one with his place among those of a source, which never changes. Who
// came later has a higher one. A target knows no places.
type Customer struct {
	customer.Customer
	Place int64
}

// Change is one of the history, with its fields as they lie in the table.
type Change struct {
	Tenant     string
	CustomerID string
	Version    int64
	Seq        int64
	Number     int32
	Event      string
	By         customer.ChangeMeta
	Fields     string
}

// LogValue keeps personal data out of every log.
func (c Change) LogValue() slog.Value { return slog.StringValue(c.Event) }

// Secret is one that the servers on a store share.
type Secret struct {
	Name   string
	Secret []byte
}

// LogValue keeps the secret out of every log.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.Name) }
