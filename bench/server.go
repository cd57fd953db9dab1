package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"kartotek/bench/handshake"
)

// server is a server process with customers 1 to customers.
type server struct {
	handshake.Ready
	customers int
	pid       int
	log       string        // file with its output
	exited    chan struct{} // closed when the process has exited
	startUp   time.Duration // time until the first response
}

// address returns the host and port.
func (s *server) address() string { return strings.TrimPrefix(s.URL, "http://") }

// startServer starts a program, waits until it listens, and sends one GET. A server announces
// that it listens with a line of JSON that has the field url; its other fields override those of
// r. The output goes to the file log: reading it here would take CPU time from the load.
func startServer(ctx context.Context, command []string, r handshake.Ready, customers int, log string) (*server, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	s := &server{Ready: r, customers: customers, log: log, exited: make(chan struct{})}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	cmd.SysProcAttr = childAttributes()
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s.pid = cmd.Process.Pid
	go func() {
		_ = cmd.Wait() // the log has the reason
		close(s.exited)
	}()
	err = s.awaitReady(ctx)
	if err == nil {
		_, err = s.get(ctx, fmt.Sprintf(s.Path, 1))
	}
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("start %s: %w", command[0], err)
	}
	s.startUp = time.Since(began)
	return s, nil
}

// childAttributes shields a process from a Ctrl-C for the benchmark, which stops it in order,
// and kills it when the benchmark dies.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// runProgram runs a program and returns its output.
func runProgram(cmd *exec.Cmd) (stdout, stderr []byte, err error) {
	cmd.SysProcAttr = childAttributes()
	var stderrBuffer bytes.Buffer
	cmd.Stderr = &stderrBuffer
	if stdout, err = cmd.Output(); err != nil {
		return nil, nil, commandError(stderrBuffer.Bytes(), err)
	}
	return stdout, stderrBuffer.Bytes(), nil
}

// startLimit is the longest start. PocketBase imports the customers in it.
const startLimit = 10 * time.Minute

func (s *server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for sleep(ctx, time.Millisecond) {
		text, err := os.ReadFile(s.log)
		if err != nil {
			return err
		}
		for line := range bytes.Lines(text) {
			ready := s.Ready
			if json.Unmarshal(line, &ready) == nil && ready.URL != "" {
				s.Ready = ready
				return nil
			}
		}
		if s.hasExited() {
			return errors.New("it exited" + s.logTail())
		}
	}
	return ctx.Err()
}

func (s *server) hasExited() bool {
	select {
	case <-s.exited:
		return true
	default:
		return false
	}
}

// logTail returns the end of the server's output.
func (s *server) logTail() string {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return ""
	}
	return ":\n" + string(text[max(0, len(text)-1000):])
}

// get returns the body of a GET.
func (s *server) get(ctx context.Context, path string) ([]byte, error) {
	body, err := s.request(ctx, requestKind{method: http.MethodGet, paths: []string{path}})
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", path, err)
	}
	return body, nil
}

// request sends one request of a kind and returns the body of the response.
func (s *server) request(ctx context.Context, k requestKind) ([]byte, error) {
	clients, err := load{kind: k, connections: 1}.connect(ctx, s)
	if err != nil {
		return nil, err
	}
	c := clients[0]
	defer c.conn.Close()
	_, err = c.roundTrip()
	return c.responses.body, err
}

// stopLimit is the longest graceful stop.
const stopLimit = 20 * time.Second

// stop stops the server and waits until it has exited.
func (s *server) stop() {
	if s.hasExited() {
		return // its process id may be in use again
	}
	_ = syscall.Kill(s.pid, syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(stopLimit):
		_ = syscall.Kill(-s.pid, syscall.SIGKILL)
		<-s.exited
	}
}

// maxLog is the largest size of a server's log between two runs.
const maxLog = 64 << 20

// trimLog empties a log above maxLog.
func (s *server) trimLog() error {
	info, err := os.Stat(s.log)
	if err != nil || info.Size() <= maxLog {
		return err
	}
	return os.Truncate(s.log, 0)
}
