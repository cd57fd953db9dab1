package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"kartotek/bench/handshake"
)

func TestEveryResponseHasBytesOfFile(t *testing.T) {
	t.Parallel()
	const body = `{"number":1}`
	file := filepath.Join(t.TempDir(), "body.json")
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	in, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, "127.0.0.1:0", file, "application/json", out)
		out.CloseWithError(err)
		ended <- err
	}()
	var ready handshake.Ready
	line, err := bufio.NewReader(in).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(line, &ready); err != nil {
		t.Fatal(err)
	}

	res, err := http.Get(ready.URL + fmt.Sprintf(ready.Path, 7))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != body || res.Header.Get("Content-Type") != "application/json" || res.Header.Get("ETag") != `"1"` {
		t.Errorf("got %q with %v, want %q as JSON with an ETag", got, res.Header, body)
	}
	http.DefaultClient.CloseIdleConnections()
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
