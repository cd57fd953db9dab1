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

// inject has each of these system calls of a process fail or wait, until stop is
// called. It skips the test on a machine where nobody may do that.
func inject(t *testing.T, pid int, calls, fault string) (stop func()) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("there is no strace here")
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
	said, err := bufio.NewReader(stderr).ReadString('\n')
	if !strings.Contains(said, "attached") {
		_ = cmd.Wait() // it has failed
		t.Skipf("strace cannot reach a process here: %s %v", said, err)
	}
	return func() {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil { // and so let go of the process
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was ended
	}
}

// serveSeeded starts a server on a new store.
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

// killAndCheck kills the server and holds its file to what it said.
func killAndCheck(t *testing.T, cmd *exec.Cmd, work string, clients *load) {
	t.Helper()
	t.Logf("%v, the slowest answer after %v", clients.counts, clients.slowest)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	checkStore(t, sqliteLocation(filepath.Join(work, "k.db")), clients.acknowledged)
}

// TestADiskThatFailsIsSurvived has the disk of a server turn read-only, and then its
// fsync fail, as that of a disk that breaks.
func TestADiskThatFailsIsSurvived(t *testing.T) {
	t.Parallel()
	cmd, url, work := serveSeeded(t)
	clients := startLoad(t, url, work, 2)
	clients.await("made", 5)
	for _, broken := range []struct{ calls, how string }{
		{"pwrite64", "error=EROFS"},
		{"fdatasync,fsync", "error=EIO"},
	} {
		mend := inject(t, cmd.Process.Pid, broken.calls, broken.how)
		clients.await("unavailable", 5)
		clients.wantReads()
		clients.wantReady("200  ready\n")
		mend()
		clients.await("made", 5)
	}
	clients.stop()
	killAndCheck(t, cmd, work, clients)
}

// TestADiskThatHangsKeepsNobodyWaiting has the server's fsync wait for minutes.
func TestADiskThatHangsKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	cmd, url, work := serveSeeded(t)
	clients := startLoad(t, url, work, 8)
	clients.await("made", 5)
	mend := inject(t, cmd.Process.Pid, "fdatasync,fsync", "delay_enter=600s")
	clients.wantReads()
	clients.await("unavailable", 8+100) // who waited, and who is not let in any more
	clients.wantReads()
	clients.wantReady("503  not ready\n")
	mend()
	clients.await("made", 5)
	clients.wantReady("200  ready\n")
	clients.stop()
	if most := 8 * time.Second; clients.slowest > most {
		t.Errorf("the slowest answer came after %v, want %v at most", clients.slowest, most)
	}
	killAndCheck(t, cmd, work, clients)
}
