package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"zombiezen.com/go/sqlite"

	"kartotek/internal/fault"
)

// wrapDiskError adds the fault to an error that tells of the state of the disk. It returns any
// other error as it is.
func wrapDiskError(err error) error {
	if f := classifyDiskError(err); f != nil {
		return fmt.Errorf("%w: %w", f, err)
	}
	return err
}

// classifyDiskError returns what an error says about the disk, or nil when it says nothing.
//
// Without room for the log, a commit fails before its commit record is written: nothing was
// written. After any other failure the outcome is unknown. The commit record may be on the disk
// when an fsync fails, or when the log's shared index cannot grow, and a crash before the next
// commit then brings the write back.
func classifyDiskError(err error) *fault.Fault {
	code := sqlite.ErrCode(err)
	if code == sqlite.ResultIOErrSHMSize {
		return fault.New(fault.Unavailable, "the disk is full")
	}
	switch code.ToPrimary() {
	case sqlite.ResultFull:
		return fault.New(fault.StorageFull, "the disk is full")
	case sqlite.ResultReadOnly, sqlite.ResultIOErr, sqlite.ResultCantOpen:
		return fault.New(fault.Unavailable, "the disk cannot be written")
	}
	return nil
}

// timeoutError is the error of a call whose context is done, or which has waited too long.
func timeoutError(ctx context.Context) error {
	f := fault.New(fault.Unavailable, "the store did not respond in time")
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w: %w", f, cause)
	}
	return f
}

func isBusy(err error) bool { return sqlite.ErrCode(err).ToPrimary() == sqlite.ResultBusy }

// retryBusy runs fn until another process releases its lock, or until the timeout. SQLite's own
// back-off grows to 100 ms, which is far longer than another process holds the lock.
func retryBusy(timeout time.Duration, fn func() error) error {
	for deadline := time.Now().Add(timeout); ; {
		err := fn()
		if !isBusy(err) || time.Now().After(deadline) {
			return err
		}
		backOff()
	}
}

func backOff() { time.Sleep(rand.N(2 * time.Millisecond)) }
