package postgres

import (
	"context"
	"slices"
	"sync"

	"kartotek/internal/fault"
)

// batcher runs the items of a key in batches: those that arrive while a batch is in progress form
// the next one. An item that arrives when there is none starts at once.
type batcher[T any] struct {
	run func(key string, batch []*item[T])

	mu     sync.Mutex
	queues map[string][]*item[T] // of each key with a batch in progress
}

// item is one call of do.
type item[T any] struct {
	ctx   context.Context
	value T
	err   error         // set by run
	done  chan struct{} // closed after run
}

const (
	maxQueue = 1024 // items of a key; beyond it a call fails at once, and the client should retry
	maxBatch = 128  // larger batches add latency and little throughput
)

func newBatcher[T any](run func(key string, batch []*item[T])) *batcher[T] {
	return &batcher[T]{run: run, queues: map[string][]*item[T]{}}
}

// do returns the error of the item after its batch has run. When ctx is done, it returns at once: an
// item that is still queued is dropped, one in progress is completed.
func (b *batcher[T]) do(ctx context.Context, key string, value T) error {
	it := &item[T]{ctx: ctx, value: value, done: make(chan struct{})}
	if !b.enqueue(key, it) {
		return fault.New(fault.Unavailable, "too many queued writes")
	}
	select {
	case <-it.done:
		return it.err
	case <-ctx.Done():
		return timeoutError(ctx)
	}
}

func (b *batcher[T]) enqueue(key string, it *item[T]) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	queue, running := b.queues[key]
	if len(queue) >= maxQueue {
		return false
	}
	b.queues[key] = append(queue, it)
	if !running {
		go b.loop(key) // ends when the queue is empty
	}
	return true
}

// loop runs batches of the key until none is queued.
func (b *batcher[T]) loop(key string) {
	for batch := b.next(key); len(batch) > 0; batch = b.next(key) {
		b.run(key, batch)
		for _, it := range batch {
			close(it.done)
		}
	}
}

func (b *batcher[T]) next(key string) []*item[T] {
	b.mu.Lock()
	defer b.mu.Unlock()
	queue := slices.DeleteFunc(b.queues[key], func(it *item[T]) bool { return it.ctx.Err() != nil })
	if len(queue) == 0 {
		delete(b.queues, key)
		return nil
	}
	n := min(len(queue), maxBatch)
	b.queues[key] = slices.Clone(queue[n:])
	return queue[:n]
}

// queued is the number of items that wait for a batch.
func (b *batcher[T]) queued() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, queue := range b.queues {
		n += len(queue)
	}
	return n
}
