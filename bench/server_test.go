package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kartotek/bench/handshake"
)

func TestServerIsStartedMeasuredAndStopped(t *testing.T) {
	t.Parallel()
	s, err := fake(t).start(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	if s.Path != "/customers/%03d" || s.startUp <= 0 {
		t.Errorf("got path %s and start after %v", s.Path, s.startUp)
	}
	l := load{kind: requestKind{method: get}, connections: 2, length: 300 * time.Millisecond}
	f, err := l.measure(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if f.Rate < 100 || f.CPU <= 0 || f.CPU > 10*time.Millisecond || f.Resident < 1<<20 || f.Resident > 1<<30 || f.P50 <= 0 || f.P50 > f.P99 || f.P99 > f.Max {
		t.Errorf("implausible figures: %+v", f)
	}
	s.stop()
	if err := syscall.Kill(s.pid, 0); err != syscall.ESRCH {
		t.Errorf("after stop: got %v, want no such process", err)
	}
	if _, err := l.measure(t.Context(), s); err == nil {
		t.Error("measured a stopped server without an error")
	}
}

func TestFailedStartReturnsOutput(t *testing.T) {
	t.Parallel()
	command := []string{os.Args[0], fakeServer, "fails"}
	_, err := startServer(t.Context(), command, handshake.Ready{}, 1, filepath.Join(t.TempDir(), "log"))
	if err == nil || !strings.Contains(err.Error(), "fake failure") {
		t.Errorf("got %v, want the output of the server", err)
	}
}

func TestLongLogIsTruncated(t *testing.T) {
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
			t.Errorf("log of %d bytes: got %d after trimLog, want %d", size, got, want)
		}
	}
}

func TestFsyncsAreCountedAndDelayed(t *testing.T) {
	t.Parallel()
	if err := checkStrace(t.Context()); err != nil {
		t.Skipf("strace does not work: %v", err)
	}
	l := load{kind: requestKind{method: patch}, connections: 2, length: 300 * time.Millisecond}
	n, err := fsyncsPerRequest(t.Context(), fake(t), l, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if n < 0.99 || n > 1.2 { // requests in flight at the end are not counted
		t.Errorf("got %.3f fsyncs per PATCH, want 1", n)
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
			t.Errorf("%s: got median %v; want at least %v: %v", kind, f.P50, diskDelay, slow)
		}
	}
}
