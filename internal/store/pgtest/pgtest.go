//go:build unix

// Package pgtest runs a PostgreSQL server for the tests of a package, which may do
// with it as they like, or for a benchmark. It knows nothing of what is kept there.
//
// Read pgtest.go for what a test asks for, server.go for how a server is run.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

var (
	start  sync.Once
	shared *Server // of all tests of the package
	failed error   // why there is none
)

// suitable are the settings that suit tests: many at once, each with few rows.
var suitable = []string{"max_connections=600", "shared_buffers=64MB", "jit=off"}

// Shared is the server of all tests of a package, and ends with their process. It
// keeps nothing for a power failure, and so is quick. Where PostgreSQL is not
// installed the test is skipped, unless KARTOTEK_TEST_ALL is set.
func Shared(t testing.TB) *Server {
	t.Helper()
	start.Do(func() {
		shared, failed = Start("", slices.Concat(suitable, []string{"fsync=off", "full_page_writes=off"})...)
	})
	need(t, failed)
	return shared
}

// New is a server of the test's own, which ends with it.
func New(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := Start("", slices.Concat(suitable, settings)...)
	need(t, err)
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("stop PostgreSQL: %v", err)
		}
	})
	return s
}

func need(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("KARTOTEK_TEST_ALL") != "":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
}

// Database returns the address of the database that stands for a directory of the
// test's: a new one the first time. New ones are as fill leaves the first, which it
// opens and we close.
func (s *Server) Database(t testing.TB, dir string, fill func(dsn string) (io.Closer, error)) (dsn string) {
	t.Helper()
	s.making.Lock() // a template is copied by one at a time
	defer s.making.Unlock()
	hash := fnv.New64a()
	hash.Write([]byte(dir))
	name := fmt.Sprintf("test_%x", hash.Sum64())
	if s.made[name] {
		return s.DSN(name)
	}
	if err := errors.Join(s.fillTemplate(fill), s.Execute(t.Context(), "postgres", "CREATE DATABASE "+name)); err != nil {
		t.Fatal(err)
	}
	s.made[name] = true
	return s.DSN(name)
}

func (s *Server) fillTemplate(fill func(dsn string) (io.Closer, error)) error {
	const template = "template1" // of which every new database is a copy
	if s.made[template] {
		return nil
	}
	filled, err := fill(s.DSN(template))
	if err != nil {
		return err
	}
	s.made[template] = true
	return filled.Close()
}

// Execute runs a statement in a database.
func (s *Server) Execute(ctx context.Context, database, sql string) error {
	return Run(ctx, s.DSN(database), sql)
}

// Run runs a statement in the database with this address, on whatever server.
func Run(ctx context.Context, dsn, sql string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

// WriteFile writes a file among the server's data, which the server alone may read.
func (s *Server) WriteFile(t testing.TB, name string, text []byte) {
	t.Helper()
	path := filepath.Join(s.data(), name)
	err := os.WriteFile(path, text, 0o600)
	if err == nil && s.owner != nil {
		err = os.Chown(path, int(s.owner.Uid), int(s.owner.Gid))
	}
	if err != nil {
		t.Fatal(err)
	}
}
