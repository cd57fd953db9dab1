package transfer

import (
	"context"
	"iter"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// Dump returns the rows of a table. A sequence that cannot be read to its end ends with an error. A row
// is valid until the next one.
type Dump interface {
	Rows(ctx context.Context, table, columns string) iter.Seq2[layout.Row, error]
}

// Source is a snapshot of a store. Other processes may keep writing to the store.
type Source interface {
	Dump
	// ID identifies the source.
	ID() SourceID
	// CustomersAfter returns the customers after a row id, by row id.
	CustomersAfter(ctx context.Context, row int64) iter.Seq2[Customer, error]
	// CustomersChanged returns the customers up to a row id that have a change after seq.
	CustomersChanged(ctx context.Context, seq, row int64) iter.Seq2[Customer, error]
	// ChangesAfter returns the changes after seq, by seq.
	ChangesAfter(ctx context.Context, seq int64) iter.Seq2[layout.Change, error]
	// Remaining estimates the number of customers and changes after a checkpoint.
	Remaining(ctx context.Context, from Checkpoint) (int64, error)
	// Changed reports whether the store has been written to since the snapshot.
	Changed(ctx context.Context) (bool, error)
}

// Target is the database to copy into. A step that fails changes nothing.
type Target interface {
	Dump
	// Start returns the checkpoint of the copy of this source. A new copy needs an empty database
	// that no server has open. The database cannot be opened as a store until the copy is complete.
	Start(ctx context.Context, from SourceID) (Checkpoint, error)
	// Put writes a batch and its checkpoint, or nothing.
	Put(ctx context.Context, b Batch) error
	// ReplaceSmallTables replaces all rows that are neither customers nor changes, or does nothing.
	ReplaceSmallTables(ctx context.Context, from Dump) error
	// Index builds the search index of all customers.
	Index(ctx context.Context) error
	// Complete makes the database a store.
	Complete(ctx context.Context) error
}

// SourceID identifies a source, independent of its location, and its state.
type SourceID struct {
	Name string
	Seq  int64 // of its newest change
}

// Checkpoint is the progress of a copy.
type Checkpoint struct {
	Seq       int64 // of the newest change in the customers
	Customers int64 // the row id of the last customer
	Changes   int64 // the seq of the last change
}

// Batch is written in one transaction.
type Batch struct {
	Changed    []Customer // customers to replace
	Customers  []Customer
	Changes    []layout.Change
	Checkpoint Checkpoint // after the batch
}

// Customer is a customer with its row id in the source, which never changes and is higher for later
// customers. A target has no row ids.
type Customer struct {
	customer.Customer
	RowID int64
}
