package cli

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

// writes counts how often it is written to.
type writes struct {
	mu    sync.Mutex
	count int
	text  bytes.Buffer
}

func (w *writes) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count++
	return w.text.Write(p)
}

func (w *writes) have() (count int, lines int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count, strings.Count(w.text.String(), "\n")
}

func newTestLogger(out *writes) *slog.Logger {
	lines := &batchWriter{out: out}
	return slog.New(flushOnError{slog.NewJSONHandler(lines, nil), lines.flush})
}

func TestLinesOfAMomentAreWrittenTogether(t *testing.T) {
	t.Parallel()
	var out writes
	log := newTestLogger(&out).With("a", 1).WithGroup("g")
	for range 50 {
		log.Info("request", "b", 2)
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if _, lines := out.have(); lines == 50 {
			break
		}
	}
	if count, lines := out.have(); lines != 50 || count > 10 {
		t.Errorf("got %d lines in %d writes, want 50 in a few", lines, count)
	}
}

func TestWhatIsUrgentIsWrittenAtOnce(t *testing.T) {
	t.Parallel()
	var out writes
	log := newTestLogger(&out).With("a", 1)
	log.Info("before")
	log.Error("now")
	if count, lines := out.have(); count != 1 || lines != 2 {
		t.Errorf("got %d lines in %d writes, want both in one", lines, count)
	}
}

func TestABurstOfLinesIsNotKept(t *testing.T) {
	t.Parallel()
	var out writes
	lines := &batchWriter{out: &out}
	line := []byte(strings.Repeat("x", 999) + "\n")
	for range 100 {
		if _, err := lines.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if _, written := out.have(); written < 60 {
		t.Errorf("got %d of 100 kB written, want most", written)
	}
	lines.flush()
	if _, written := out.have(); written != 100 {
		t.Errorf("got %d lines after the flush, want 100", written)
	}
}
