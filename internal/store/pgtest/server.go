//go:build unix

package pgtest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Server is a PostgreSQL server that keeps its files in a folder of its own.
type Server struct {
	dir      string
	port     int
	programs string // the folder that they are in
	log      string // the file with what the server writes
	owner    *syscall.Credential
	settings []string
	held     io.Closer     // the server ends when this is closed, also by the end of our process
	ended    chan struct{} // closed when it has ended so

	making sync.Mutex
	made   map[string]bool // databases
}

// errAbsent says what is missing, and how to have it.
var errAbsent = errors.New("PostgreSQL is not installed: it is there after apt-get install postgresql, or with its programs in PATH")

// Start makes a cluster and starts a server on it, with these settings and otherwise
// as PostgreSQL is by itself. It listens on a socket in its folder, and on a port of
// the loopback interface. Its folder is a new one in parent or, when that is empty,
// among temporary files.
func Start(parent string, settings ...string) (*Server, error) {
	programs, err := Programs()
	if err != nil {
		return nil, err
	}
	owner, err := findOwner()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, "pg")
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil { // the server has another working folder
		return nil, err
	}
	s := &Server{dir: dir, programs: programs, owner: owner, settings: settings, made: map[string]bool{}}
	if err := s.create(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func (s *Server) create() (err error) {
	if s.owner != nil {
		if err := os.Chown(s.dir, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
			return err
		}
	}
	if s.port, err = freePort(); err != nil {
		return err
	}
	err = s.run("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
	if err != nil {
		return err
	}
	return s.Up()
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// supervise starts the server that its arguments name, and stops it when standard
// input ends: when we say so, or when our process is no more. Then the folder, which
// is $0, goes too.
const supervise = `
"$@" &
server=$!
read -r _
kill -QUIT $server 2>/dev/null
wait $server
rm -rf "$0"`

// Up starts the server and waits until it accepts connections.
func (s *Server) Up() error {
	args := []string{
		"-c", supervise, s.dir, filepath.Join(s.programs, "postgres"), "-D", s.data(),
		"-c", "port=" + strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + s.dir,
	}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	cmd, out, err := s.command("sh", args...)
	if err != nil {
		return err
	}
	defer out.Close()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // the exit status of a stopped server does not matter
		close(ended)
	}()
	s.held, s.ended, s.log = stdin, ended, out.Name()
	return s.await()
}

// await waits until the server accepts connections.
func (s *Server) await() error {
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		err := s.Execute(ctx, "postgres", "SELECT 1")
		cancel()
		if err == nil {
			return nil
		}
		if time.Since(began) > 30*time.Second {
			told, _ := s.Log() // the error tells enough without it
			return fmt.Errorf("start PostgreSQL: %w\n%s", err, bytes.TrimSpace(told))
		}
	}
}

// Down stops the server: "fast", or "immediate" as a crash does.
func (s *Server) Down(mode string) error {
	return s.run("pg_ctl", "stop", "-w", "-D", s.data(), "-m", mode)
}

// Stop stops the server at once, if it is up, and removes its folder. It returns when
// that is done.
func (s *Server) Stop() error {
	err := s.held.Close()
	<-s.ended
	return errors.Join(err, os.RemoveAll(s.dir)) // the server's user may be able to empty it only
}

// Log is what the server has written since it was started last.
func (s *Server) Log() ([]byte, error) { return os.ReadFile(s.log) }

// DSN is the address of a database.
func (s *Server) DSN(database string) string {
	return fmt.Sprintf("postgres:///%s?user=postgres&port=%d&host=%s", database, s.port, s.dir)
}

// Port is the one on the loopback interface.
func (s *Server) Port() int { return s.port }

// run runs a program of PostgreSQL's to its end.
func (s *Server) run(program string, args ...string) error {
	cmd, out, err := s.command(filepath.Join(s.programs, program), args...)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := cmd.Run(); err != nil {
		told, _ := os.ReadFile(out.Name()) // the error tells enough without it
		return fmt.Errorf("%s: %w\n%s", program, err, bytes.TrimSpace(told))
	}
	return nil
}

// command is one of the owner, since PostgreSQL refuses to be run by root. It writes
// to a file in the folder.
func (s *Server) command(program string, args ...string) (*exec.Cmd, *os.File, error) {
	out, err := os.CreateTemp(s.dir, filepath.Base(program))
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner, Setpgid: true} // a Ctrl-C is meant for us
	cmd.Stdout, cmd.Stderr = out, out
	return cmd, out, nil
}

// Programs is the folder of PostgreSQL's programs: that of initdb in PATH, behind a
// link if it is one, or where Debian keeps the newest version. The error tells how to
// have them.
func Programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		path, err = filepath.EvalSymlinks(path)
		return filepath.Dir(path), err
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", errAbsent
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // 0 for what is no version
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(version(a), version(b)) })), nil
}

// findOwner is who runs the server: nil for ourselves, unless we are root.
func findOwner() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("root cannot run PostgreSQL; create the user postgres or the user nobody")
}

func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return ln.Addr().(*net.TCPAddr).Port, ln.Close()
}
