// Barehttp is the most that net/http can do: it answers every request with the
// same bytes, a Content-Type and an ETag. It looks at nothing in the request, and
// keeps nothing, so that there is nothing to make durable. What a server needs
// beyond its time is the server's own.
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

	"kartotek/bench/peer"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	body := flag.String("body", "", "file with the `bytes` of every answer")
	contentType := flag.String("content-type", "application/json", "their media `type`")
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
	ready := peer.Ready{URL: "http://" + listener.Addr().String(), Path: "/v1/customers/%d"}
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

// constant answers every request alike. Its headers are made once.
func constant(body []byte, contentType string) http.HandlerFunc {
	media, tag, length := []string{contentType}, []string{`"1"`}, []string{fmt.Sprint(len(body))}
	return func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h["Content-Type"], h["Etag"], h["Content-Length"] = media, tag, length
		_, _ = w.Write(body) // the caller is gone if this fails
	}
}
