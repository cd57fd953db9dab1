package cli

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

// countingWriter counts the calls of Write.
type countingWriter struct {
	mu    sync.Mutex
	count int
	text  bytes.Buffer
}

func (w *countingWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count++
	return w.text.Write(p)
}

func (w *countingWriter) counts() (count int, lines int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count, strings.Count(w.text.String(), "\n")
}

func newTestLogger(out *countingWriter) *slog.Logger {
	lines := &batchWriter{out: out}
	return slog.New(flushOnError{slog.NewJSONHandler(lines, nil), lines.flush})
}

func TestLogLinesAreWrittenInBatches(t *testing.T) {
	t.Parallel()
	var out countingWriter
	log := newTestLogger(&out).With("a", 1).WithGroup("g")
	for range 50 {
		log.Info("request", "b", 2)
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if _, lines := out.counts(); lines == 50 {
			break
		}
	}
	if count, lines := out.counts(); lines != 50 || count > 10 {
		t.Errorf("got %d lines in %d writes, want 50 in a few", lines, count)
	}
}

func TestErrorFlushesLog(t *testing.T) {
	t.Parallel()
	var out countingWriter
	log := newTestLogger(&out).With("a", 1)
	log.Info("before")
	log.Error("failed")
	if count, lines := out.counts(); count != 1 || lines != 2 {
		t.Errorf("got %d lines in %d writes, want both in one", lines, count)
	}
}

func TestLogBufferIsBounded(t *testing.T) {
	t.Parallel()
	var out countingWriter
	lines := &batchWriter{out: &out}
	line := []byte(strings.Repeat("x", 999) + "\n")
	for range 100 {
		if _, err := lines.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if _, written := out.counts(); written < 60 {
		t.Errorf("got %d of 100 kB written, want most", written)
	}
	lines.flush()
	if _, written := out.counts(); written != 100 {
		t.Errorf("got %d lines after the flush, want 100", written)
	}
}
