package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// target is a measured program with its data and durability.
type target struct {
	name      string
	customers int
	about     string       // description and durability, for the report
	size      func() int64 // size of its files

	// start starts the server, under a tracer if there is one. A target without a server has
	// generate instead, which generates its own load.
	start    func(ctx context.Context, tracer []string) (*server, error)
	generate func(ctx context.Context, t run, set settings) (figures, error)
}

// The names of the targets.
const (
	kartotekName = "Kartotek"
	pbFull       = "PocketBase FULL"
	pbShipped    = "PocketBase as shipped"
	rawSQLite    = "raw SQLite"
	bareHTTP     = "bare net/http"
	onPostgres   = "Kartotek on PostgreSQL"
	pgBench      = "pgbench"
)

// lab prepares targets. It builds each program and fills each store once.
type lab struct {
	workspace
	programs map[string]string // by folder of the sources
	stores   map[int]*kartotek // by number of customers
	cluster  *cluster          // nil until it is needed
}

func newLab(w workspace) *lab {
	return &lab{workspace: w, programs: map[string]string{}, stores: map[int]*kartotek{}}
}

// close stops PostgreSQL and removes a temporary workspace.
func (l *lab) close() error {
	var err error
	if l.cluster != nil {
		err = l.cluster.Stop()
	}
	return errors.Join(err, l.workspace.close())
}

// target returns the target with this name, ready to start.
func (l *lab) target(ctx context.Context, name string, customers int) (s target, err error) {
	switch name {
	case kartotekName:
		s, err = l.kartotek(ctx, customers)
	case pbFull:
		s, err = l.pocketBase(ctx, "full", customers)
	case pbShipped:
		s, err = l.pocketBase(ctx, "shipped", customers)
	case rawSQLite:
		s, err = l.rawSQLite(ctx, customers)
	case bareHTTP:
		s, err = l.bareHTTP(ctx, customers)
	case onPostgres:
		s, err = l.kartotekOnPostgres(ctx, customers)
	case pgBench:
		s, err = l.pgbench(ctx, customers)
	default:
		err = errors.New("unknown target")
	}
	if err != nil {
		return target{}, fmt.Errorf("prepare %s: %w", name, err)
	}
	s.name, s.customers = name, customers
	return s, nil
}

// program returns the program with its sources in folder, and builds it once.
func (l *lab) program(ctx context.Context, folder, name string) (string, error) {
	if built, ok := l.programs[folder]; ok {
		return built, nil
	}
	logf("build %s", name)
	built := filepath.Join(l.dir, name)
	if err := build(ctx, folder, built); err != nil {
		return "", fmt.Errorf("build %s: %w", name, err)
	}
	l.programs[folder] = built
	return built, nil
}

// build builds the main package in folder.
func build(ctx context.Context, folder, program string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	return commandError(cmd.CombinedOutput())
}

// commandError adds a command's output to its error.
func commandError(output []byte, err error) error {
	if err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}
	return nil
}

// log returns the file for the output of a target's server.
func (l *lab) log(name string, customers int) string {
	return filepath.Join(l.dir, fmt.Sprintf("%s-%d.log", slug(name), customers))
}

func (l *lab) kartotek(ctx context.Context, customers int) (target, error) {
	k, err := l.store(ctx, customers)
	if err != nil {
		return target{}, err
	}
	return target{
		about: "all contracts, authentication, limits, log, metrics, history and search on; SQLite in WAL mode, synchronous FULL: " +
			"a change and its history are on disk, and visible to searches, before the response",
		size: func() int64 { return sizeOf(k.files) },
		start: func(ctx context.Context, tracer []string) (*server, error) {
			return k.start(ctx, tracer, l.log(kartotekName, customers))
		},
	}, nil
}

// store returns Kartotek's SQLite store with this number of customers.
func (l *lab) store(ctx context.Context, customers int) (*kartotek, error) {
	if k, ok := l.stores[customers]; ok {
		return k, nil
	}
	program, err := l.program(ctx, "..", "kartotek")
	if err != nil {
		return nil, err
	}
	k, err := openKartotek(ctx, program, l.dir, customers)
	if err != nil {
		return nil, err
	}
	l.stores[customers] = k
	return k, nil
}
