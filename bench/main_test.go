package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"kartotek/bench/peer"
)

// TestMain lets the tests run a server as a process of its own: their own
// program, called with the fake's name.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == fakeServer {
		if err := serveFake(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const fakeServer = "fake-server"

// serveFake serves what a subject serves, and keeps nothing of it: a PATCH is one
// fsync of an empty file. Called with "fails" it ends before it listens.
func serveFake(args []string) error {
	if len(args) > 0 && args[0] == "fails" {
		return fmt.Errorf("the fake has a bad day")
	}
	f, err := os.CreateTemp("", "fake-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(`{"path":"/of/a/line/that/tells/no/url"}`)
	r := peer.Ready{
		URL: "http://" + ln.Addr().String(), Path: "/customers/%03d", Authorization: "secret",
		Patch: "application/json", Body: `{"phone":"%s","line":"%s"}`,
	}
	if err := r.Announce(os.Stdout); err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go func() {
		_ = http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPatch {
				_ = f.Sync()
			}
			fmt.Fprint(w, "{}")
		}))
	}()
	<-stop
	return nil
}

// fake is a subject whose server is the fake.
func fake(t *testing.T) subject {
	t.Helper()
	return subject{name: "fake", customers: 9, start: func(ctx context.Context, tracer []string) (*server, error) {
		return startServer(ctx, append(tracer, os.Args[0], fakeServer), peer.Ready{}, 9, filepath.Join(t.TempDir(), "log"))
	}}
}
