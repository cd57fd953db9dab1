package cli

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// logger writes to the command's standard error. flush writes what it has not
// written yet.
func logger(cmd *cobra.Command) (log *slog.Logger, flush func(), err error) {
	var level slog.Level
	text, err := cmd.Flags().GetString("log-level")
	if err != nil {
		return nil, nil, err
	}
	if err := level.UnmarshalText([]byte(text)); err != nil {
		return nil, nil, usagef("--log-level: want debug, info, warn or error")
	}
	lines := &batchWriter{out: cmd.ErrOrStderr()}
	handler := slog.NewJSONHandler(lines, &slog.HandlerOptions{Level: level})
	return slog.New(flushOnError{handler, lines.flush}), lines.flush, nil
}

// flushOnError flushes the log after warnings and errors.
type flushOnError struct {
	slog.Handler
	flush func()
}

// Handle implements slog.Handler.
func (u flushOnError) Handle(ctx context.Context, r slog.Record) error {
	err := u.Handler.Handle(ctx, r)
	if r.Level > slog.LevelInfo {
		u.flush()
	}
	return err
}

// WithAttrs implements slog.Handler.
func (u flushOnError) WithAttrs(attrs []slog.Attr) slog.Handler {
	return flushOnError{u.Handler.WithAttrs(attrs), u.flush}
}

// WithGroup implements slog.Handler.
func (u flushOnError) WithGroup(name string) slog.Handler {
	return flushOnError{u.Handler.WithGroup(name), u.flush}
}

// batchWriter writes log lines in batches: one write per request would cost as much as
// reading a customer.
type batchWriter struct {
	out io.Writer

	mu             sync.Mutex
	pending        []byte
	flushScheduled bool // whether a flush is under way
}

const (
	flushDelay = 100 * time.Millisecond // until a line is written
	maxPending = 64 << 10               // bytes that are not kept any longer
)

// Write implements io.Writer.
func (g *batchWriter) Write(line []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pending = append(g.pending, line...)
	if len(g.pending) >= maxPending {
		g.write()
	}
	if !g.flushScheduled {
		g.flushScheduled = true
		time.AfterFunc(flushDelay, g.flush)
	}
	return len(line), nil
}

func (g *batchWriter) flush() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.flushScheduled = false
	g.write()
}

func (g *batchWriter) write() {
	_, _ = g.out.Write(g.pending) // nothing useful to do with a write error on stderr
	g.pending = g.pending[:0]
}
