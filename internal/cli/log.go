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
	lines := &gatherer{out: cmd.ErrOrStderr()}
	handler := slog.NewJSONHandler(lines, &slog.HandlerOptions{Level: level})
	return slog.New(urgent{handler, lines.flush}), lines.flush, nil
}

// urgent writes what is worse than usual at once, with all that came before it.
type urgent struct {
	slog.Handler
	flush func()
}

// Handle implements slog.Handler.
func (u urgent) Handle(ctx context.Context, r slog.Record) error {
	err := u.Handler.Handle(ctx, r)
	if r.Level > slog.LevelInfo {
		u.flush()
	}
	return err
}

// WithAttrs implements slog.Handler.
func (u urgent) WithAttrs(attrs []slog.Attr) slog.Handler {
	return urgent{u.Handler.WithAttrs(attrs), u.flush}
}

// WithGroup implements slog.Handler.
func (u urgent) WithGroup(name string) slog.Handler {
	return urgent{u.Handler.WithGroup(name), u.flush}
}

// gatherer writes the lines of a moment together: each request has one, and to
// write it alone takes as long as to find a customer.
type gatherer struct {
	out io.Writer

	mu    sync.Mutex
	lines []byte
	due   bool // whether a flush is under way
}

const (
	logLag   = 100 * time.Millisecond // until a line is written
	logBurst = 64 << 10               // bytes that are not kept any longer
)

// Write implements io.Writer.
func (g *gatherer) Write(line []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lines = append(g.lines, line...)
	if len(g.lines) >= logBurst {
		g.write()
	}
	if !g.due {
		g.due = true
		time.AfterFunc(logLag, g.flush)
	}
	return len(line), nil
}

func (g *gatherer) flush() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.due = false
	g.write()
}

func (g *gatherer) write() {
	_, _ = g.out.Write(g.lines) // where would one tell?
	g.lines = g.lines[:0]
}
