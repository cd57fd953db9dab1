package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kartotek/bench/peer"
)

func TestAServerIsStartedMeasuredAndEnded(t *testing.T) {
	t.Parallel()
	s, err := fake(t).start(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	if s.Path != "/customers/%03d" || s.startUp <= 0 {
		t.Errorf("got the path %s, and %v until the first answer", s.Path, s.startUp)
	}
	l := load{kind: kind{method: get}, connections: 2, length: 300 * time.Millisecond}
	f, err := l.measure(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if f.Rate < 100 || f.CPU <= 0 || f.CPU > 10*time.Millisecond || f.Resident < 1<<20 || f.Resident > 1<<30 || f.P50 <= 0 || f.P50 > f.P99 || f.P99 > f.Max {
		t.Errorf("got figures that cannot be: %+v", f)
	}
	s.stop()
	if err := syscall.Kill(s.pid, 0); err != syscall.ESRCH {
		t.Errorf("after stop: got %v, want no such process", err)
	}
	if _, err := l.measure(t.Context(), s); err == nil {
		t.Error("a server that has ended was measured")
	}
}

func TestAServerThatDoesNotStartTellsWhy(t *testing.T) {
	t.Parallel()
	command := []string{os.Args[0], fakeServer, "fails"}
	_, err := startServer(t.Context(), command, peer.Ready{}, 1, filepath.Join(t.TempDir(), "log"))
	if err == nil || !strings.Contains(err.Error(), "bad day") {
		t.Errorf("got %v, want the server's last words", err)
	}
}

func TestALongLogIsEmptied(t *testing.T) {
	t.Parallel()
	s := &server{log: filepath.Join(t.TempDir(), "log")}
	for size, want := range map[int64]int64{maxLog: maxLog, maxLog + 1: 0} {
		if err := os.WriteFile(s.log, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(s.log, size); err != nil {
			t.Fatal(err)
		}
		if err := s.trimLog(); err != nil {
			t.Fatal(err)
		}
		if got := sizeOf([]string{s.log}); got != want {
			t.Errorf("of %d bytes %d are left, want %d", size, got, want)
		}
	}
}

func TestFsyncsAreCountedAndSlowed(t *testing.T) {
	t.Parallel()
	if err := checkStrace(t.Context()); err != nil {
		t.Skipf("no strace that works: %v", err)
	}
	l := load{kind: kind{method: patch}, connections: 2, length: 300 * time.Millisecond}
	n, err := fsyncsPerRequest(t.Context(), fake(t), l, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if n < 0.99 || n > 1.2 { // those that are under way in the end have no answer that counts
		t.Errorf("got %.3f fsyncs a PATCH, want 1", n)
	}

	s, err := fake(t).start(t.Context(), slowDisk())
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	for kind, slow := range map[string]bool{patch: true, get: false} {
		l.kind.method = kind
		f, err := l.measure(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if (f.P50 >= diskDelay) != slow {
			t.Errorf("%s: half are answered within %v; want more than %v: %v", kind, f.P50, diskDelay, slow)
		}
	}
}
