package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"kartotek/bench/handshake"
)

// kartotek is a store of Kartotek with customers 1 to Customers.
type kartotek struct {
	program string
	store   string   // value of --store
	files   []string // possible files of the store; none on PostgreSQL

	Customers int
	Key       string
	Seconds   float64 // duration of the import
	Bytes     int64   // size of the files after the import
}

const tenant = "bench"

// openKartotek returns the store of n customers in dir. It creates a missing one.
func openKartotek(ctx context.Context, program, dir string, n int) (*kartotek, error) {
	path := filepath.Join(dir, "kartotek-"+strconv.Itoa(n)+".db")
	k := &kartotek{program: program, store: "sqlite:" + path, files: []string{path, path + "-wal", path + "-shm"}, Customers: n}
	made := path + ".json" // written last: without it, the store is incomplete
	text, err := os.ReadFile(made)
	if err == nil {
		return k, json.Unmarshal(text, k)
	}
	if err := k.fill(ctx); err != nil {
		return nil, fmt.Errorf("create a store of %d customers: %w", n, err)
	}
	if text, err = json.Marshal(k); err != nil {
		return nil, err
	}
	return k, os.WriteFile(made, text, 0o600)
}

// fill imports the customers into a new store and creates a key.
func (k *kartotek) fill(ctx context.Context) error {
	for _, file := range k.files {
		if err := os.RemoveAll(file); err != nil { // it may not exist
			return err
		}
	}
	logf("import %d customers into Kartotek", k.Customers)
	began := time.Now()
	in, lines := io.Pipe()
	go func() {
		lines.CloseWithError(writeCustomers(lines, k.Customers, func(written int) {
			if written%500_000 == 0 {
				logf("  %d of %d customers sent to the import (%.0f s)", written, k.Customers, time.Since(began).Seconds())
			}
		}))
	}()
	if _, err := k.command(ctx, in, "customer", "import", "-"); err != nil {
		return errors.Join(err, in.Close())
	}
	k.Seconds = time.Since(began).Seconds()
	k.Bytes = sizeOf(k.files)
	key, err := k.command(ctx, nil, "key", "create", "--name", "bench", "--scope", "customers:read,customers:write")
	k.Key = strings.TrimSpace(key)
	return err
}

// command runs a kartotek command on the store.
func (k *kartotek) command(ctx context.Context, stdin io.Reader, args ...string) (stdout string, err error) {
	cmd := exec.CommandContext(ctx, k.program, append(args, "--store", k.store, "--tenant", tenant)...)
	cmd.SysProcAttr = childAttributes()
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = stdin, &stderr
	out, err := cmd.Output()
	return string(out), commandError(stderr.Bytes(), err)
}

// sizeOf returns the total size of the existing files.
func sizeOf(files []string) (sum int64) {
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			sum += info.Size()
		}
	}
	return sum
}

// start starts the server on the store, under tracer if there is one.
func (k *kartotek) start(ctx context.Context, tracer []string, log string) (*server, error) {
	command := slices.Concat(tracer, []string{k.program, "serve", "--store", k.store, "--listen", "127.0.0.1:0", "--rate", "0"})
	return startServer(ctx, command, handshake.Ready{
		Path:          "/v1/customers/%d",
		Authorization: "Bearer " + k.Key,
		Patch:         "application/merge-patch+json",
		Body:          `{"phone":"%s","address":{"line":"%s"}}`,
	}, k.Customers, log)
}
