// Barehttp is an upper bound for a server on net/http. It sends the same bytes, Content-Type and
// ETag in every response, ignores the request and stores nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"kartotek/bench/handshake"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	body := flag.String("body", "", "`file` with the body of every response")
	contentType := flag.String("content-type", "application/json", "media `type` of the body")
	listen := flag.String("listen", "127.0.0.1:0", "`address` to listen on")
	flag.Parse()
	if err := run(ctx, *listen, *body, *contentType, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "barehttp:", err)
		os.Exit(1)
	}
}

// run serves the bytes of a file until ctx is done.
func run(ctx context.Context, listen, file, contentType string, out io.Writer) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	ready := handshake.Ready{URL: "http://" + listener.Addr().String(), Path: "/v1/customers/%d"}
	if err := ready.Announce(out); err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{Handler: constant(body, contentType), ReadHeaderTimeout: time.Minute}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		stopped <- server.Shutdown(context.WithoutCancel(ctx))
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// constant sends the same response to every request.
func constant(body []byte, contentType string) http.HandlerFunc {
	media, tag, length := []string{contentType}, []string{`"1"`}, []string{fmt.Sprint(len(body))}
	return func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h["Content-Type"], h["Etag"], h["Content-Length"] = media, tag, length
		_, _ = w.Write(body) // fails only when the client has disconnected
	}
}
