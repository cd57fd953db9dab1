package cli_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// inject makes these system calls of a process fail or block until stop is called. It skips
// the test where strace is not available or not permitted.
func inject(t *testing.T, pid int, calls, fault string) (stop func()) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	cmd := exec.CommandContext(t.Context(), strace, "-f", "-o", "/dev/null", "-p", fmt.Sprint(pid),
		"-e", "trace="+calls, "-e", "inject="+calls+":"+fault)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if !strings.Contains(line, "attached") {
		_ = cmd.Wait() // it failed
		t.Skipf("strace cannot attach: %s %v", line, err)
	}
	return func() {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil { // strace detaches
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was terminated
	}
}

// serveSeeded starts a server on a store with customers.
func serveSeeded(t *testing.T) (cmd *exec.Cmd, url, work string) {
	t.Helper()
	work = t.TempDir()
	writeSeed(t, work)
	cmd = exec.CommandContext(t.Context(), "sh", "-c", seedScript+`exec kartotek serve --listen 127.0.0.1:0 --rate 0`)
	cmd.Env = append(os.Environ(), "WORK="+work, "KARTOTEK_STORE=sqlite:"+work+"/k.db", "KARTOTEK_TENANT=t")
	url, err := startListening(cmd)
	if err != nil {
		t.Fatal(err)
	}
	return cmd, url, work
}

// killAndCheck kills the server and checks its store for the acknowledged changes.
func killAndCheck(t *testing.T, cmd *exec.Cmd, work string, clients *load) {
	t.Helper()
	t.Logf("%v, slowest response %v", clients.counts, clients.slowest)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	checkStore(t, sqliteLocation(filepath.Join(work, "k.db")), clients.acknowledged)
}

// TestDiskErrorsLoseNoAcknowledgedChange makes the disk read-only, and then makes fsync fail.
func TestDiskErrorsLoseNoAcknowledgedChange(t *testing.T) {
	t.Parallel()
	cmd, url, work := serveSeeded(t)
	clients := startLoad(t, url, work, 2)
	clients.await("applied", 5)
	for _, failure := range []struct{ calls, effect string }{
		{"pwrite64", "error=EROFS"},
		{"fdatasync,fsync", "error=EIO"},
	} {
		restore := inject(t, cmd.Process.Pid, failure.calls, failure.effect)
		clients.await("unavailable", 5)
		clients.wantReads()
		clients.wantReady("200  ready\n")
		restore()
		clients.await("applied", 5)
	}
	clients.stop()
	killAndCheck(t, cmd, work, clients)
}

// TestHungDiskTimesOutRequests makes fsync block for minutes.
func TestHungDiskTimesOutRequests(t *testing.T) {
	t.Parallel()
	cmd, url, work := serveSeeded(t)
	clients := startLoad(t, url, work, 8)
	clients.await("applied", 5)
	restore := inject(t, cmd.Process.Pid, "fdatasync,fsync", "delay_enter=600s")
	clients.wantReads()
	clients.await("unavailable", 8+100) // the queued requests, then those rejected at once
	clients.wantReads()
	clients.wantReady("503  not ready\n")
	restore()
	clients.await("applied", 5)
	clients.wantReady("200  ready\n")
	clients.stop()
	if most := 8 * time.Second; clients.slowest > most {
		t.Errorf("slowest response: got %v, want at most %v", clients.slowest, most)
	}
	killAndCheck(t, cmd, work, clients)
}
