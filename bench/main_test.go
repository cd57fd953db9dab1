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

	"kartotek/bench/handshake"
)

// TestMain lets the tests run a fake server in a separate process: the test program itself.
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

// serveFake serves requests like a target. A PATCH is one fsync of an empty file. With "fails" in
// args it exits before it listens.
func serveFake(args []string) error {
	if len(args) > 0 && args[0] == "fails" {
		return fmt.Errorf("fake failure")
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
	fmt.Println(`{"path":"/a/line/without/url"}`)
	r := handshake.Ready{
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

// fake returns a target with the fake server.
func fake(t *testing.T) target {
	t.Helper()
	return target{name: "fake", customers: 9, start: func(ctx context.Context, tracer []string) (*server, error) {
		return startServer(ctx, append(tracer, os.Args[0], fakeServer), handshake.Ready{}, 9, filepath.Join(t.TempDir(), "log"))
	}}
}
