// Package transfer copies all rows of one store into another and verifies the copy. It knows no
// engine.
//
// Read transfer.go for the steps of a copy, ports.go for what it needs of a source and a target,
// checksum.go for how the two are compared.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// ErrSourceChanged is returned when the source has been written to since the snapshot. Another run
// copies the new changes.
var ErrSourceChanged = errors.New("the source was written to during the copy: stop its server first")

// ErrDiffers is returned when the verification finds a difference.
var ErrDiffers = errors.New("the copy differs from its source: copy again into an empty database")

// Count is the number of rows copied of a table.
type Count struct {
	Table string
	Rows  int64
}

// Run copies the source into the target, or resumes an earlier run, and verifies the copy. The
// target cannot be opened as a store before. progress is called with the done part of each step.
func Run(ctx context.Context, from Source, to Target, progress func(step string, part float64)) ([]Count, error) {
	return runInBatches(ctx, from, to, progress, 5000)
}

// runInBatches is Run with at most so many rows in a transaction.
func runInBatches(ctx context.Context, from Source, to Target, progress func(step string, part float64), rows int) ([]Count, error) {
	source := from.ID()
	checkpoint, err := to.Start(ctx, source)
	if err != nil {
		return nil, err
	}
	if checkpoint.Seq > source.Seq {
		return nil, errors.New("the source is older than the part already copied")
	}
	r := &run{from: from, to: to, checkpoint: checkpoint, progress: progress, batchSize: int64(rows)}
	counts, err := r.copyAll(ctx)
	if errors.Is(err, ErrDiffers) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("the copy is not complete: run it again to resume: %w", err)
	}
	return counts, nil
}

// run is one run of a copy.
type run struct {
	from       Source
	to         Target
	checkpoint Checkpoint
	progress   func(step string, part float64)
	batchSize  int64 // rows at most

	step      string
	done, all int64 // rows of the step; all is an estimate
}

func (r *run) copyAll(ctx context.Context) ([]Count, error) {
	if err := r.startStep(ctx, "copying", r.checkpoint, 1); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{r.catchUp, r.customers, r.changes, r.smallTables, r.index, r.checkUnchanged} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	counts, err := r.verify(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.checkUnchanged(ctx); err != nil {
		return nil, err
	}
	return counts, r.to.Complete(ctx)
}

// startStep starts a step that reads the rows after the checkpoint so many times.
func (r *run) startStep(ctx context.Context, step string, from Checkpoint, times int64) error {
	remaining, err := r.from.Remaining(ctx, from)
	if err != nil {
		return err
	}
	r.step, r.done, r.all = step, 0, max(1, times*remaining)
	r.progress(step, 0)
	return nil
}

func (r *run) advance(rows int) {
	before := r.done / r.batchSize
	r.done += int64(rows)
	if r.done/r.batchSize != before {
		r.progress(r.step, float64(r.done)/float64(r.all))
	}
}

// catchUp replaces the customers that have changed since an earlier run copied them.
func (r *run) catchUp(ctx context.Context) error {
	if r.checkpoint.Seq == r.from.ID().Seq {
		return nil
	}
	changed := r.from.CustomersChanged(ctx, r.checkpoint.Seq, r.checkpoint.Customers)
	for batch, err := range batches(changed, r.batchSize) {
		if err != nil {
			return err
		}
		if err := r.put(ctx, Batch{Changed: batch, Checkpoint: r.checkpoint}); err != nil {
			return err
		}
	}
	next := r.checkpoint
	next.Seq = r.from.ID().Seq
	return r.put(ctx, Batch{Checkpoint: next})
}

func (r *run) customers(ctx context.Context) error {
	for batch, err := range batches(r.from.CustomersAfter(ctx, r.checkpoint.Customers), r.batchSize) {
		if err != nil {
			return err
		}
		next := r.checkpoint
		next.Customers = batch[len(batch)-1].RowID
		if err := r.put(ctx, Batch{Customers: batch, Checkpoint: next}); err != nil {
			return err
		}
		r.advance(len(batch))
	}
	return nil
}

func (r *run) changes(ctx context.Context) error {
	for batch, err := range batches(r.from.ChangesAfter(ctx, r.checkpoint.Changes), r.batchSize) {
		if err != nil {
			return err
		}
		next := r.checkpoint
		next.Changes = batch[len(batch)-1].Seq
		if err := r.put(ctx, Batch{Changes: batch, Checkpoint: next}); err != nil {
			return err
		}
		r.advance(len(batch))
	}
	return nil
}

func (r *run) put(ctx context.Context, b Batch) error {
	if err := r.to.Put(ctx, b); err != nil {
		return err
	}
	r.checkpoint = b.Checkpoint
	return nil
}

func (r *run) smallTables(ctx context.Context) error {
	return r.to.ReplaceSmallTables(ctx, r.from)
}

func (r *run) index(ctx context.Context) error {
	r.progress("indexing", 0)
	return r.to.Index(ctx)
}

// checkUnchanged returns ErrSourceChanged when the store was written to after the snapshot.
func (r *run) checkUnchanged(ctx context.Context) error {
	changed, err := r.from.Changed(ctx)
	if err != nil {
		return err
	}
	if changed {
		return ErrSourceChanged
	}
	return nil
}

// verify compares the checksums of all tables.
func (r *run) verify(ctx context.Context) ([]Count, error) {
	if err := r.startStep(ctx, "verifying", Checkpoint{}, 2); err != nil {
		return nil, err
	}
	var counts []Count
	var wrong []string
	for _, table := range allTables {
		name := strings.ReplaceAll(table.Name, "_", " ")
		want, err := table.sum(ctx, r.from, r.advance)
		if err != nil {
			return nil, err
		}
		got, err := table.sum(ctx, r.to, r.advance)
		if err != nil {
			return nil, err
		}
		if got != want {
			wrong = append(wrong, fmt.Sprintf("%s (%d rows, in the source %d)", name, got.rows, want.rows))
		}
		counts = append(counts, Count{name, want.rows})
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrDiffers, strings.Join(wrong, ", "))
	}
	return counts, nil
}

// batches groups rows into slices of at most size.
func batches[T any](rows iter.Seq2[T, error], size int64) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		var batch []T
		for row, err := range rows {
			if err != nil {
				yield(nil, err)
				return
			}
			batch = append(batch, row)
			if int64(len(batch)) < size {
				continue
			}
			if !yield(batch, nil) {
				return
			}
			batch = make([]T, 0, size)
		}
		if len(batch) > 0 {
			yield(batch, nil)
		}
	}
}
