package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/store/pgtest"
)

// cluster is a temporary PostgreSQL server with default settings: a commit is durable. It has
// two databases with the same initial content.
type cluster struct {
	*pgtest.Server
	settings string    // with version, for the report
	kartotek *kartotek // in the first database
	bytes    int64     // size of a database after the import
}

// The databases.
const (
	kartotekDatabase = "kartotek"
	pgbenchDatabase  = "pgbench"
)

// checkPostgres returns an error when PostgreSQL or pgbench is not installed.
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

// postgres returns the cluster with this number of customers. It starts and fills it once.
func (l *lab) postgres(ctx context.Context, customers int) (*cluster, error) {
	if l.cluster != nil {
		if l.cluster.kartotek.Customers != customers {
			return nil, errors.New("the PostgreSQL cluster has another number of customers")
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
	c.kartotek = &kartotek{program: program, store: c.DSN(kartotekDatabase), Customers: customers}
	if err := c.fill(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	l.cluster = c
	return c, nil
}

// fill imports the customers with Kartotek, and copies the database for pgbench.
func (c *cluster) fill(ctx context.Context) error {
	if err := c.Execute(ctx, "postgres", "CREATE DATABASE "+kartotekDatabase); err != nil {
		return err
	}
	if err := c.kartotek.fill(ctx); err != nil {
		return err
	}
	if err := c.Execute(ctx, kartotekDatabase, "VACUUM FULL ANALYZE"); err != nil {
		return err
	}
	if err := c.Execute(ctx, "postgres", "CREATE DATABASE "+pgbenchDatabase+" TEMPLATE "+kartotekDatabase); err != nil {
		return err
	}
	if err := c.Execute(ctx, pgbenchDatabase, "CREATE SEQUENCE pgbench_seq START 1000000000"); err != nil {
		return err
	}
	return c.readSettings(ctx)
}

// readSettings reads the settings for the report.
func (c *cluster) readSettings(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.DSN(kartotekDatabase))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if err := conn.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&c.bytes); err != nil {
		return err
	}
	var settings []string
	for _, name := range []string{"server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size"} {
		var value string
		if err := conn.QueryRow(ctx, "SHOW "+name).Scan(&value); err != nil {
			return err
		}
		settings = append(settings, name+" "+value)
	}
	c.settings = "PostgreSQL: " + strings.Join(settings, ", ")
	return nil
}

// kartotekOnPostgres returns Kartotek on the first database.
func (l *lab) kartotekOnPostgres(ctx context.Context, customers int) (target, error) {
	c, err := l.postgres(ctx, customers)
	if err != nil {
		return target{}, err
	}
	return target{
		about: "the same on PostgreSQL with default settings: fsync and synchronous_commit on. CPU and memory exclude PostgreSQL",
		size:  func() int64 { return c.bytes },
		start: func(ctx context.Context, tracer []string) (*server, error) {
			return c.kartotek.start(ctx, tracer, l.log(onPostgres, customers))
		},
	}, nil
}

// pgbench returns pgbench on the second database.
func (l *lab) pgbench(ctx context.Context, customers int) (target, error) {
	c, err := l.postgres(ctx, customers)
	if err != nil {
		return target{}, err
	}
	program, err := pgbenchProgram()
	if err != nil {
		return target{}, err
	}
	script := filepath.Join(l.dir, "pgbench.sql")
	return target{
		about: "PostgreSQL's own load generator, with one prepared statement that writes the rows of a change, in a copy of the database: " +
			"the upper bound for Kartotek on PostgreSQL. CPU excludes PostgreSQL",
		size: func() int64 { return c.bytes },
		generate: func(ctx context.Context, t run, set settings) (figures, error) {
			args := []string{
				"-n", "-M", "prepared", "-j", "2", "-c", strconv.Itoa(t.connections),
				"-D", "customers=" + strconv.Itoa(customers), "-f", script, c.DSN(pgbenchDatabase),
			}
			return measurePgbench(ctx, program, args, set.length)
		},
	}, os.WriteFile(script, []byte(changeScript), 0o600)
}
