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

	"kartotek/bench/peer"
)

// server is a process that serves customers 1 to customers.
type server struct {
	peer.Ready
	customers int
	pid       int
	log       string        // the file with what it has written
	ended     chan struct{} // closed when the process has ended
	startUp   time.Duration // until it had answered its first request
}

// address is where the server listens.
func (s *server) address() string { return strings.TrimPrefix(s.URL, "http://") }

// startServer starts a program, waits until it listens, and asks it once. A server
// tells that it listens by a line with a JSON object that has the member url; what
// else is in it replaces what is in r. All that it writes goes to the file log, as
// it would where it is at work: reading it here would take time from the load.
func startServer(ctx context.Context, command []string, r peer.Ready, customers int, log string) (*server, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	s := &server{Ready: r, customers: customers, log: log, ended: make(chan struct{})}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	cmd.SysProcAttr = ownGroup()
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s.pid = cmd.Process.Pid
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(s.ended)
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

// ownGroup keeps a process from the Ctrl-C that is meant for the harness, which
// ends it in its own time, and ends it with the harness whatever happens.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// outputOf runs a program to its end, and returns what it wrote.
func outputOf(cmd *exec.Cmd) (stdout, stderr []byte, err error) {
	cmd.SysProcAttr = ownGroup()
	var said bytes.Buffer
	cmd.Stderr = &said
	if stdout, err = cmd.Output(); err != nil {
		return nil, nil, output(said.Bytes(), err)
	}
	return stdout, said.Bytes(), nil
}

// startLimit is how long a server may take until it listens: PocketBase imports
// the customers first.
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
			told := s.Ready
			if json.Unmarshal(line, &told) == nil && told.URL != "" {
				s.Ready = told
				return nil
			}
		}
		if s.hasEnded() {
			return errors.New("it has ended" + s.lastWords())
		}
	}
	return ctx.Err()
}

func (s *server) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// lastWords is the end of what the server has written.
func (s *server) lastWords() string {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return ""
	}
	return ":\n" + string(text[max(0, len(text)-1000):])
}

// get asks for one path, and returns the body of the answer.
func (s *server) get(ctx context.Context, path string) ([]byte, error) {
	body, err := s.ask(ctx, kind{method: http.MethodGet, targets: []string{path}})
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", path, err)
	}
	return body, nil
}

// ask sends one request of a kind, and returns the body of the answer.
func (s *server) ask(ctx context.Context, k kind) ([]byte, error) {
	clients, err := load{kind: k, connections: 1}.connect(ctx, s)
	if err != nil {
		return nil, err
	}
	c := clients[0]
	defer c.conn.Close()
	_, err = c.ask()
	return c.responses.body, err
}

// stopLimit is how long a server may take to end in good order.
const stopLimit = 20 * time.Second

// stop ends the server, and returns when it has ended.
func (s *server) stop() {
	if s.hasEnded() {
		return // and its id may be another's
	}
	_ = syscall.Kill(s.pid, syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(stopLimit):
		_ = syscall.Kill(-s.pid, syscall.SIGKILL)
		<-s.ended
	}
}

// maxLog is how large a server's log may become between two runs.
const maxLog = 64 << 20

// trimLog empties a log that has become long: it is not read any more.
func (s *server) trimLog() error {
	info, err := os.Stat(s.log)
	if err != nil || info.Size() <= maxLog {
		return err
	}
	return os.Truncate(s.log, 0)
}
