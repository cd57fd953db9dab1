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

// The tracers below leave the server our own child (-D), stop it at nothing but
// the calls they are for (--seccomp-bpf), and follow its threads (-f).

// diskDelay is what an ordinary disk takes for an fsync, and a fast one does not.
const diskDelay = 2 * time.Millisecond

// slowDisk returns what to put before a server's command so that each of its
// fsyncs takes diskDelay longer.
func slowDisk() []string {
	return []string{
		"strace", "-D", "--seccomp-bpf", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", "signal=none",
		"-e", fmt.Sprintf("inject=fsync,fdatasync:delay_exit=%d", diskDelay.Microseconds()),
	}
}

// countingFsyncs returns what to put before a server's command so that each of its
// fsyncs is a line in file.
func countingFsyncs(file string) []string {
	return []string{
		"strace", "-D", "--seccomp-bpf", "-f", "-qq", "-o", file, "-e", "trace=fsync,fdatasync", "-e", "signal=none",
	}
}

// fsyncs is how many fsyncs are in the file so far.
func fsyncs(file string) (int, error) {
	text, err := os.ReadFile(file)
	return bytes.Count(text, []byte("sync(")), err // a call that is resumed has no bracket
}

// checkStrace reports why the tracers do not work here.
func checkStrace(ctx context.Context) error {
	tracer := slowDisk()
	said, err := exec.CommandContext(ctx, tracer[0], append(tracer[1:], "true")...).CombinedOutput()
	return output(said, err)
}

// fsyncsPerRequest starts a server of the subject under strace for a short load of
// its own, since tracing costs time.
func fsyncsPerRequest(ctx context.Context, s subject, l load, dir string) (float64, error) {
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
	l.warmUp = 0 // so that what counts is all that was done
	all, _, err := l.run(ctx, srv)
	if err != nil {
		return 0, err
	}
	after, err := fsyncs(file)
	return float64(after-before) / float64(all.TotalCount()), err
}
