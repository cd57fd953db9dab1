// Package transfer copies all that one store keeps into another, and verifies that
// it is all there. It knows no engine.
//
// Read transfer.go for the steps of a copy, ports.go for what a source gives and a
// target takes, sum.go for how the two are compared.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// ErrMoved is why a copy that has all of its source's snapshot is not complete. What
// was written since comes over when the copy is run again.
var ErrMoved = errors.New("the source has been written to since the copy began: stop its server before")

// ErrDiffers is why a copy that was made to its end is of no use.
var ErrDiffers = errors.New("the copy differs from its source, and has to be made again in a new database")

// Count is how many rows of a table were copied.
type Count struct {
	Table string
	Rows  int64
}

// Run copies the source into the target, or goes on where an earlier run ended, and
// verifies that both hold the same. Until that is so nobody can open the target as a
// store. progress is told now and then which part of a step is done.
func Run(ctx context.Context, from Source, to Target, progress func(step string, part float64)) ([]Count, error) {
	return runInBatches(ctx, from, to, progress, 5000)
}

// runInBatches is Run with so many rows at most that become durable together.
func runInBatches(ctx context.Context, from Source, to Target, progress func(step string, part float64), rows int) ([]Count, error) {
	origin := from.Origin()
	mark, err := to.Begin(ctx, origin)
	if err != nil {
		return nil, err
	}
	if mark.Seq > origin.Seq {
		return nil, errors.New("the source is older than what has been copied of it")
	}
	r := &run{from: from, to: to, mark: mark, progress: progress, batch: int64(rows)}
	counts, err := r.copyAll(ctx)
	if errors.Is(err, ErrDiffers) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("the copy is not complete, and goes on when it is run again: %w", err)
	}
	return counts, nil
}

// run is one run of a copy.
type run struct {
	from     Source
	to       Target
	mark     Mark
	progress func(step string, part float64)
	batch    int64 // rows at most

	step      string
	done, all int64 // rows of the step; all is an estimate
}

func (r *run) copyAll(ctx context.Context) ([]Count, error) {
	if err := r.begin(ctx, "copying", r.mark, 1); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{r.catchUp, r.customers, r.changes, r.rest, r.index, r.stoodStill} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	counts, err := r.verify(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.stoodStill(ctx); err != nil {
		return nil, err
	}
	return counts, r.to.Finish(ctx)
}

// begin begins a step that passes the rows behind the mark so many times.
func (r *run) begin(ctx context.Context, step string, mark Mark, times int64) error {
	left, err := r.from.Left(ctx, mark)
	if err != nil {
		return err
	}
	r.step, r.done, r.all = step, 0, max(1, times*left)
	r.progress(step, 0)
	return nil
}

func (r *run) passed(rows int) {
	before := r.done / r.batch
	r.done += int64(rows)
	if r.done/r.batch != before {
		r.progress(r.step, float64(r.done)/float64(r.all))
	}
}

// catchUp replaces those customers who have changed since an earlier run copied them.
func (r *run) catchUp(ctx context.Context) error {
	if r.mark.Seq == r.from.Origin().Seq {
		return nil
	}
	changed := r.from.CustomersChanged(ctx, r.mark.Seq, r.mark.Customers)
	for batch, err := range batches(changed, r.batch) {
		if err != nil {
			return err
		}
		if err := r.put(ctx, Batch{Changed: batch, Mark: r.mark}); err != nil {
			return err
		}
	}
	next := r.mark
	next.Seq = r.from.Origin().Seq
	return r.put(ctx, Batch{Mark: next})
}

func (r *run) customers(ctx context.Context) error {
	for batch, err := range batches(r.from.CustomersAfter(ctx, r.mark.Customers), r.batch) {
		if err != nil {
			return err
		}
		next := r.mark
		next.Customers = batch[len(batch)-1].Place
		if err := r.put(ctx, Batch{Customers: batch, Mark: next}); err != nil {
			return err
		}
		r.passed(len(batch))
	}
	return nil
}

func (r *run) changes(ctx context.Context) error {
	for batch, err := range batches(r.from.ChangesAfter(ctx, r.mark.Changes), r.batch) {
		if err != nil {
			return err
		}
		next := r.mark
		next.Changes = batch[len(batch)-1].Seq
		if err := r.put(ctx, Batch{Changes: batch, Mark: next}); err != nil {
			return err
		}
		r.passed(len(batch))
	}
	return nil
}

func (r *run) put(ctx context.Context, b Batch) error {
	if err := r.to.Put(ctx, b); err != nil {
		return err
	}
	r.mark = b.Mark
	return nil
}

func (r *run) rest(ctx context.Context) error {
	return r.to.ReplaceRest(ctx, r.from)
}

func (r *run) index(ctx context.Context) error {
	r.progress("indexing", 0)
	return r.to.Index(ctx)
}

// stoodStill is an error when the source has more by now than its snapshot.
func (r *run) stoodStill(ctx context.Context) error {
	moved, err := r.from.Moved(ctx)
	if err != nil {
		return err
	}
	if moved {
		return ErrMoved
	}
	return nil
}

// verify reads all that both hold, and compares.
func (r *run) verify(ctx context.Context) ([]Count, error) {
	if err := r.begin(ctx, "verifying", Mark{}, 2); err != nil {
		return nil, err
	}
	var counts []Count
	var wrong []string
	for _, table := range tables {
		want, err := table.sum(ctx, r.from, r.passed)
		if err != nil {
			return nil, err
		}
		got, err := table.sum(ctx, r.to, r.passed)
		if err != nil {
			return nil, err
		}
		if got != want {
			wrong = append(wrong, fmt.Sprintf("%s (%d rows, in the source %d)", table.name, got.rows, want.rows))
		}
		counts = append(counts, Count{table.name, want.rows})
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrDiffers, strings.Join(wrong, ", "))
	}
	return counts, nil
}

// batches are the rows in lists of so many at most.
func batches[T any](rows iter.Seq2[T, error], most int64) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		var batch []T
		for row, err := range rows {
			if err != nil {
				yield(nil, err)
				return
			}
			batch = append(batch, row)
			if int64(len(batch)) < most {
				continue
			}
			if !yield(batch, nil) {
				return
			}
			batch = make([]T, 0, most)
		}
		if len(batch) > 0 {
			yield(batch, nil)
		}
	}
}
