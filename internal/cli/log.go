package cli

import (
	"context"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// logger returns a logger that writes to the command's standard error. flush writes the
// buffered lines.
func logger(cmd *cobra.Command) (log *slog.Logger, flush func(), err error) {
	var level slog.Level
	text, err := cmd.Flags().GetString("log-level")
	if err != nil {
		return nil, nil, err
	}
	if err := level.UnmarshalText([]byte(text)); err != nil {
		return nil, nil, usagef("--log-level: must be debug, info, warn or error")
	}
	lines := &batchWriter{out: cmd.ErrOrStderr()}
	handler, err := newHandler(cmd, lines, &slog.HandlerOptions{Level: level})
	if err != nil {
		return nil, nil, err
	}
	return slog.New(flushOnError{handler, lines.flush}), lines.flush, nil
}

// newHandler returns a handler of the format that --log-format sets: by default text on a terminal,
// else JSON.
func newHandler(cmd *cobra.Command, out io.Writer, opts *slog.HandlerOptions) (slog.Handler, error) {
	format, err := cmd.Flags().GetString("log-format")
	if err != nil {
		return nil, err
	}
	if format == "" {
		format = "json"
		if f, ok := cmd.ErrOrStderr().(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			format = "text"
		}
	}
	switch format {
	case "json":
		return slog.NewJSONHandler(out, opts), nil
	case "text":
		return slog.NewTextHandler(out, opts), nil
	}
	return nil, usagef("--log-format: must be text or json")
}

// flushOnError flushes the log after warnings and errors.
type flushOnError struct {
	slog.Handler
	flush func()
}

func (h flushOnError) Handle(ctx context.Context, r slog.Record) error {
	err := h.Handler.Handle(ctx, r)
	if r.Level > slog.LevelInfo {
		h.flush()
	}
	return err
}

func (h flushOnError) WithAttrs(attrs []slog.Attr) slog.Handler {
	return flushOnError{h.Handler.WithAttrs(attrs), h.flush}
}

func (h flushOnError) WithGroup(name string) slog.Handler {
	return flushOnError{h.Handler.WithGroup(name), h.flush}
}

// batchWriter writes log lines in batches: one write per request would cost as much as
// reading a customer.
type batchWriter struct {
	out io.Writer

	mu      sync.Mutex
	pending []byte
}

const (
	flushDelay = 100 * time.Millisecond // the longest time that a line is buffered
	maxPending = 64 << 10               // bytes that are written without delay
)

func (w *batchWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.pending) == 0 {
		time.AfterFunc(flushDelay, w.flush)
	}
	w.pending = append(w.pending, line...)
	if len(w.pending) >= maxPending {
		w.write()
	}
	return len(line), nil
}

func (w *batchWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.write()
}

func (w *batchWriter) write() {
	_, _ = w.out.Write(w.pending) // nothing useful to do with a write error on stderr
	w.pending = w.pending[:0]
}
