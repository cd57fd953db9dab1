package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/store/pgtest"
)

// cluster is a PostgreSQL server of the run's own, as PostgreSQL is by itself: what
// is committed is on the disk. It has two databases that begin alike.
type cluster struct {
	*pgtest.Server
	settings string    // with the version, for the report
	kartotek *kartotek // in the first database
	bytes    int64     // of a database, after the import
	limit    statement // what pgbench runs in the second
}

// The databases.
const (
	ofKartotek = "kartotek"
	ofPgbench  = "pgbench"
)

// The ids of customers are made such that pgbench, which has no table of them, can
// name one: the prefix, and behind it a number from the first on.
const (
	idPrefix = "00000000-0000-7000-8000-"
	firstID  = 100_000_000_001
)

// checkPostgres reports why there can be no cluster.
func checkPostgres(context.Context) error {
	_, err := pgbenchProgram()
	return err
}

func pgbenchProgram() (string, error) {
	programs, err := pgtest.Programs()
	if err != nil {
		return "", err
	}
	program := filepath.Join(programs, "pgbench")
	_, err = os.Stat(program)
	return program, err
}

// postgres returns the cluster with so many customers, which it starts and fills
// once.
func (l *lab) postgres(ctx context.Context, customers int) (*cluster, error) {
	if l.cluster != nil {
		if l.cluster.kartotek.Customers != customers {
			return nil, errors.New("PostgreSQL has another number of customers")
		}
		return l.cluster, nil
	}
	program, err := l.program(ctx, "..", "kartotek")
	if err != nil {
		return nil, err
	}
	server, err := pgtest.Start(l.dir)
	if err != nil {
		return nil, err
	}
	c := &cluster{Server: server}
	c.kartotek = &kartotek{program: program, store: c.DSN(ofKartotek), Customers: customers}
	if err := c.fill(ctx, l.log(onPostgres, customers)); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	l.cluster = c
	return c, nil
}

// fill has Kartotek import the customers, and copies them for pgbench, which is to
// run what Kartotek sends for a PATCH.
func (c *cluster) fill(ctx context.Context, log string) (err error) {
	if err := c.Execute(ctx, "postgres", "CREATE DATABASE "+ofKartotek); err != nil {
		return err
	}
	if err := c.kartotek.fill(ctx); err != nil {
		return err
	}
	for _, sql := range []string{
		fmt.Sprintf("UPDATE customers SET id = '%s' || %d + number", idPrefix, firstID-1),
		fmt.Sprintf("UPDATE numbers SET id = '%s' || %d + number", idPrefix, firstID-1),
		fmt.Sprintf("UPDATE changes SET customer_id = '%s' || %d + number", idPrefix, firstID-1),
		"VACUUM FULL ANALYZE",
	} {
		if err := c.Execute(ctx, ofKartotek, sql); err != nil {
			return err
		}
	}
	if err := c.Execute(ctx, "postgres", "CREATE DATABASE "+ofPgbench+" TEMPLATE "+ofKartotek); err != nil {
		return err
	}
	if err := c.look(ctx); err != nil {
		return err
	}
	c.limit, err = c.capture(ctx, log)
	return err
}

// look asks PostgreSQL what the report tells of it.
func (c *cluster) look(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.DSN(ofKartotek))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if err := conn.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&c.bytes); err != nil {
		return err
	}
	var told []string
	for _, name := range []string{"server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size"} {
		var value string
		if err := conn.QueryRow(ctx, "SHOW "+name).Scan(&value); err != nil {
			return err
		}
		told = append(told, name+" "+value)
	}
	c.settings = "PostgreSQL: " + strings.Join(told, ", ")
	return nil
}

// kartotekOnPostgres returns Kartotek with the first database.
func (l *lab) kartotekOnPostgres(ctx context.Context, customers int) (subject, error) {
	c, err := l.postgres(ctx, customers)
	if err != nil {
		return subject{}, err
	}
	return subject{
		about: "the same in a PostgreSQL with the settings that it has by itself: fsync and synchronous_commit on. CPU and memory are Kartotek's alone",
		size:  func() int64 { return c.bytes },
		start: func(ctx context.Context, tracer []string) (*server, error) {
			return c.kartotek.start(ctx, tracer, l.log(onPostgres, customers))
		},
	}, nil
}

// pgbench returns pgbench with the second database.
func (l *lab) pgbench(ctx context.Context, customers int) (subject, error) {
	c, err := l.postgres(ctx, customers)
	if err != nil {
		return subject{}, err
	}
	program, err := pgbenchProgram()
	if err != nil {
		return subject{}, err
	}
	script := filepath.Join(l.dir, "pgbench.sql")
	run, err := c.limit.script(customers)
	if err != nil {
		return subject{}, err
	}
	return subject{
		about: "PostgreSQL's own load generator, with the statement that Kartotek sends for a change, prepared, in a copy of the database: " +
			"the limit for Kartotek on PostgreSQL. CPU is pgbench's alone",
		size: func() int64 { return c.bytes },
		drive: func(ctx context.Context, t trial, set settings) (figures, error) {
			args := []string{"-n", "-M", "prepared", "-j", "2", "-c", strconv.Itoa(t.connections), "-f", script}
			args = append(append(args, run.variables...), c.DSN(ofPgbench))
			return drivePgbench(ctx, program, args, set.length)
		},
	}, os.WriteFile(script, []byte(run.text), 0o600)
}
