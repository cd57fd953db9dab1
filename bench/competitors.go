package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"kartotek/bench/handshake"
)

// pocketBase returns PocketBase with imported customers, in one of two durabilities.
func (l *lab) pocketBase(ctx context.Context, durability string, customers int) (target, error) {
	program, err := l.program(ctx, "pocketbase", "pocketbase")
	if err != nil {
		return target{}, err
	}
	file, err := l.customersFile(customers)
	if err != nil {
		return target{}, err
	}
	dir := filepath.Join(l.dir, fmt.Sprintf("pocketbase-%s-%d", durability, customers))
	about := map[string]string{
		"shipped": "as shipped: WAL mode, synchronous NORMAL, no history; a power failure may lose acknowledged changes",
		"full":    "synchronous FULL, with an audit row and an outbox row in the transaction of the change; as durable as Kartotek",
	}
	s := target{
		about: about[durability],
		size:  func() int64 { return sizeOf(filesBelow(dir)) },
		start: func(ctx context.Context, tracer []string) (*server, error) {
			command := slices.Concat(tracer, []string{program, "-dir", dir, "-customers", file, "-durability", durability})
			return startServer(ctx, command, handshake.Ready{}, customers, l.log("pocketbase "+durability, customers))
		},
	}
	return s, fillPocketBase(ctx, s, dir)
}

// fillPocketBase makes PocketBase import the customers, which it does at its first start.
func fillPocketBase(ctx context.Context, s target, dir string) error {
	filled := dir + ".filled" // written last: without it, the import is incomplete
	if _, err := os.Stat(filled); err == nil {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	logf("import customers into %s", filepath.Base(dir))
	srv, err := s.start(ctx, nil)
	if err != nil {
		return err
	}
	srv.stop()
	return os.WriteFile(filled, nil, 0o600)
}

// customersFile returns the file with customers 1 to n, as Kartotek imports them.
func (l *lab) customersFile(n int) (string, error) {
	name := filepath.Join(l.dir, "customers-"+strconv.Itoa(n)+".ndjson")
	if _, err := os.Stat(name); err == nil {
		return name, nil
	}
	var lines bytes.Buffer
	if err := writeCustomers(&lines, n, func(int) {}); err != nil {
		return "", err
	}
	return name, os.WriteFile(name, lines.Bytes(), 0o600)
}

// bareHTTP returns a server that sends Kartotek's response to one GET in every response.
func (l *lab) bareHTTP(ctx context.Context, customers int) (target, error) {
	program, err := l.program(ctx, "barehttp", "barehttp")
	if err != nil {
		return target{}, err
	}
	k, err := l.kartotek(ctx, customers)
	if err != nil {
		return target{}, err
	}
	srv, err := k.start(ctx, nil)
	if err != nil {
		return target{}, err
	}
	defer srv.stop()
	body, err := srv.get(ctx, fmt.Sprintf(srv.Path, customers/2))
	if err != nil {
		return target{}, err
	}
	file := filepath.Join(l.dir, "response.json")
	return target{
		about: "a handler that writes the bytes of one of Kartotek's responses and does nothing else: the upper bound for GET",
		size:  func() int64 { return 0 },
		start: func(ctx context.Context, tracer []string) (*server, error) {
			command := slices.Concat(tracer, []string{program, "-body", file, "-content-type", "application/json"})
			bare, err := startServer(ctx, command, handshake.Ready{}, customers, l.log(bareHTTP, customers))
			if err == nil {
				bare.Authorization = srv.Authorization // for identical requests
			}
			return bare, err
		},
	}, os.WriteFile(file, body, 0o600)
}

// rawSQLite returns the program that writes Kartotek's rows to a copy of Kartotek's store.
func (l *lab) rawSQLite(ctx context.Context, customers int) (target, error) {
	program, err := l.program(ctx, "rawsqlite", "rawsqlite")
	if err != nil {
		return target{}, err
	}
	k, err := l.store(ctx, customers)
	if err != nil {
		return target{}, err
	}
	file := filepath.Join(l.dir, fmt.Sprintf("rawsqlite-%d.db", customers))
	return target{
		about: "Kartotek's driver, pragmas and rows, 32 changes per transaction, without a server: the upper bound for PATCH",
		size:  func() int64 { return sizeOf([]string{file}) },
		generate: func(ctx context.Context, _ run, set settings) (figures, error) {
			return runRawSQLite(ctx, program, file, customers, set.length)
		},
	}, copyFile(file, k.files[0])
}

// runRawSQLite runs the program for this time.
func runRawSQLite(ctx context.Context, program, file string, customers int, length time.Duration) (figures, error) {
	cmd := exec.CommandContext(ctx, program, "-file", file, "-customers", strconv.Itoa(customers),
		"-seconds", fmt.Sprint(length.Seconds()), "-batch", "32")
	out, _, err := runProgram(cmd)
	if err != nil {
		return figures{}, err
	}
	var result struct {
		Changes int     `json:"changes"`
		Seconds float64 `json:"seconds"`
	}
	if err := json.Unmarshal(out, &result); err != nil {
		return figures{}, fmt.Errorf("read %q: %w", out, err)
	}
	if result.Changes == 0 || result.Seconds <= 0 {
		return figures{}, fmt.Errorf("no changes were made: %s", out)
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return figures{Rate: float64(result.Changes) / result.Seconds, CPU: used / time.Duration(result.Changes)}, nil
}

func filesBelow(dir string) []string {
	found, _ := filepath.Glob(filepath.Join(dir, "*")) // fails for a malformed pattern only
	return found
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
