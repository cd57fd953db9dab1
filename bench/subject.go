package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// subject is something that is measured: a program, its data and how it keeps it.
type subject struct {
	name      string
	customers int
	about     string       // what it is, and when a change is durable, for the report
	size      func() int64 // bytes of its files

	// start starts its server, behind a tracer if there is one. A subject without
	// a server has drive instead, which changes customers by itself.
	start func(ctx context.Context, tracer []string) (*server, error)
	drive func(ctx context.Context, t trial, set settings) (figures, error)
}

// The names of subjects.
const (
	theKartotek = "Kartotek"
	pbFull      = "PocketBase FULL"
	pbShipped   = "PocketBase as shipped"
	rawSQLite   = "raw SQLite"
	bareHTTP    = "bare net/http"
	onPostgres  = "Kartotek on PostgreSQL"
	pgBench     = "pgbench"
)

// lab makes subjects. What it has built, and filled, it has for the next one.
type lab struct {
	workspace
	programs map[string]string // by the folder of their sources
	stores   map[int]*kartotek // by the number of customers
	cluster  *cluster          // once there is one
}

func newLab(w workspace) *lab {
	return &lab{workspace: w, programs: map[string]string{}, stores: map[int]*kartotek{}}
}

// close ends what the lab runs, and removes what is not kept.
func (l *lab) close() error {
	var err error
	if l.cluster != nil {
		err = l.cluster.Stop()
	}
	return errors.Join(err, l.workspace.close())
}

// subject returns the subject of that name, with everything that it needs.
func (l *lab) subject(ctx context.Context, name string, customers int) (s subject, err error) {
	switch name {
	case theKartotek:
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
		err = errors.New("there is no such subject")
	}
	if err != nil {
		return subject{}, fmt.Errorf("prepare %s: %w", name, err)
	}
	s.name, s.customers = name, customers
	return s, nil
}

// program returns the program whose sources are in a folder, and builds it once.
func (l *lab) program(ctx context.Context, folder, name string) (string, error) {
	if built, ok := l.programs[folder]; ok {
		return built, nil
	}
	say("build %s", name)
	built := filepath.Join(l.dir, name)
	if err := build(ctx, folder, built); err != nil {
		return "", fmt.Errorf("build %s: %w", name, err)
	}
	l.programs[folder] = built
	return built, nil
}

// build builds the main package in a folder of its module.
func build(ctx context.Context, folder, program string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	return output(cmd.CombinedOutput())
}

// output is a command's error, with what the command said about it.
func output(said []byte, err error) error {
	if err != nil {
		return fmt.Errorf("%w: %s", err, said)
	}
	return nil
}

// log is the file for what a subject's server writes.
func (l *lab) log(name string, customers int) string {
	return filepath.Join(l.dir, fmt.Sprintf("%s-%d.log", slug(name), customers))
}

func (l *lab) kartotek(ctx context.Context, customers int) (subject, error) {
	k, err := l.store(ctx, customers)
	if err != nil {
		return subject{}, err
	}
	return subject{
		about: "all contracts, authentication, limits, log, metrics, history and search on; SQLite in WAL mode, synchronous FULL: " +
			"a change, with its history, is on the disk before it is answered, and a search finds it from then on",
		size: func() int64 { return sizeOf(k.files) },
		start: func(ctx context.Context, tracer []string) (*server, error) {
			return k.start(ctx, tracer, l.log(theKartotek, customers))
		},
	}, nil
}

// store returns the store of so many customers.
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
