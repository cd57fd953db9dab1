package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// The tracers below keep the server a direct child (-D), stop it only at the traced calls
// (--seccomp-bpf), and follow its threads (-f).

// diskDelay is the extra time of an fsync on an ordinary disk.
const diskDelay = 2 * time.Millisecond

// slowDisk returns a command prefix that delays each fsync by diskDelay.
func slowDisk() []string {
	return []string{
		"strace", "-D", "--seccomp-bpf", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", "signal=none",
		"-e", fmt.Sprintf("inject=fsync,fdatasync:delay_exit=%d", diskDelay.Microseconds()),
	}
}

// countingFsyncs returns a command prefix that writes a line to file for each fsync.
func countingFsyncs(file string) []string {
	return []string{
		"strace", "-D", "--seccomp-bpf", "-f", "-qq", "-o", file, "-e", "trace=fsync,fdatasync", "-e", "signal=none",
	}
}

// fsyncs returns the number of fsyncs in the file.
func fsyncs(file string) (int, error) {
	text, err := os.ReadFile(file)
	return bytes.Count(text, []byte("sync(")), err // the line of a resumed call has no bracket
}

// checkStrace returns an error if the tracers do not work on this machine.
func checkStrace(ctx context.Context) error {
	tracer := slowDisk()
	out, err := exec.CommandContext(ctx, tracer[0], append(tracer[1:], "true")...).CombinedOutput()
	return commandError(out, err)
}

// fsyncsPerRequest runs a short load on a separate server under strace, because tracing costs
// time.
func fsyncsPerRequest(ctx context.Context, s target, l load, dir string) (float64, error) {
	file := filepath.Join(dir, "fsyncs.txt")
	srv, err := s.start(ctx, countingFsyncs(file))
	if err != nil {
		return 0, err
	}
	defer srv.stop()
	before, err := fsyncs(file)
	if err != nil {
		return 0, err
	}
	l.warmUp = 0 // every request counts
	all, _, err := l.run(ctx, srv)
	if err != nil {
		return 0, err
	}
	after, err := fsyncs(file)
	return float64(after-before) / float64(all.TotalCount()), err
}
