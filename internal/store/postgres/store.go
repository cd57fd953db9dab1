// Package postgres stores customers, accounts and keys in PostgreSQL. Several servers may share a
// database.
//
// The writes of a tenant are committed together, one transaction at a time; see write.go. No session
// has a state, so that a pooler may lend its connections by the transaction. Read store.go for the
// connections, write.go and tx.go for what a write does, customers.go for the records and search.go
// for searches.
package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// Store is one database. It is safe for concurrent use, also by several servers.
type Store struct {
	layout.SmallTables

	pool        *pgxpool.Pool
	timeout     time.Duration    // of a call
	writes      *batcher[*write] // by tenant
	calls       atomic.Int64     // that have a connection, or wait for one
	phoneRegion string
	corrupt     atomic.Bool // a call has failed because the database is damaged
	onCommit    func(writes int, took time.Duration)
}

var (
	_ customer.Store            = (*Store)(nil)
	_ customer.IdempotencyStore = (*Store)(nil)
	_ access.Credentials        = (*Store)(nil)
	_ access.Registry           = (*Store)(nil)
)

// Options are the options of Open.
type Options struct {
	// OnCommit receives the number of writes in each commit and its duration, on any goroutine. It
	// may be nil.
	OnCommit func(writes int, took time.Duration)

	// PhoneRegion is the country (ISO 3166-1 alpha-2) of phones without a country code, of
	// customers without a country. It may be empty.
	PhoneRegion string
}

const (
	// callTimeout limits a call, whatever the deadline of its caller.
	callTimeout = 5 * time.Second

	// appName is the application_name of the connections of a store.
	appName = "kartotek"

	// maxConns is the size of the pool, unless pool_max_conns sets it.
	maxConns = 16
)

// Open connects to the database that a URL or a keyword string names, and migrates it to the newest
// schema.
func Open(ctx context.Context, dsn string, opts Options) (*Store, error) {
	pool, err := connect(ctx, dsn, appName)
	if err != nil {
		return nil, err
	}
	s := &Store{pool: pool, timeout: callTimeout, phoneRegion: opts.PhoneRegion, onCommit: opts.OnCommit}
	s.SmallTables = layout.NewSmallTables(func(ctx context.Context, scan func(layout.Row) (any, error), query string, args ...any) ([]any, error) {
		return readRows(ctx, s, scan, query, args...)
	}, s.execRows)
	s.writes = newBatcher(s.runBatch)
	if err := prepare(ctx, pool); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open %s: %w", pool.Config().ConnConfig.Database, singleLine(err))
	}
	return s, nil
}

// connect opens connections to a database, with this application_name unless the dsn has another.
func connect(ctx context.Context, dsn, name string) (*pgxpool.Pool, error) {
	if err := checkURL(dsn); err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("the database address is malformed: %w", withoutAddress(err))
	}
	if !strings.Contains(dsn, "pool_max_conns") {
		config.MaxConns = maxConns
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = callTimeout
	}
	if params := config.ConnConfig.RuntimeParams; params["application_name"] == "" {
		params["application_name"] = name
	}
	config.ConnConfig.BuildContextWatcherHandler = cancelStatement
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", config.ConnConfig.Database, err)
	}
	return pool, nil
}

// checkURL rejects a URL whose password may have a character that ends an earlier part of a URL: its
// rest would be part of a host name or a path, and so of error messages and DNS requests. The error
// has no part of the URL.
func checkURL(dsn string) error {
	scheme, rest, isURL := strings.Cut(dsn, "://")
	if !isURL || scheme != "postgres" && scheme != "postgresql" {
		return nil
	}
	authority, after := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, after = rest[:i], rest[i:]
	}
	_, err := url.Parse(dsn)
	if err != nil || strings.Count(authority, "@") > 1 || strings.ContainsAny(after, "@#") {
		return errors.New("the database URL is malformed: percent-encode the characters @ / # ? % in the user name and password, or set PGPASSWORD")
	}
	return nil
}

// withoutAddress returns the reason of an error of pgx, whose own text has the address.
func withoutAddress(err error) error {
	if reason := errors.Unwrap(err); reason != nil {
		return reason
	}
	return errors.New("see the PostgreSQL manual, Connection Strings")
}

// singleLine returns the error in one line. It may have a line for each address that was tried.
func singleLine(err error) error {
	if lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\t' }); len(lines) > 1 {
		return errors.New(strings.Join(lines, " "))
	}
	return err
}

// cancelStatement cancels the statement when its context is done, and keeps the connection. By
// default pgx closes the connection, and the statement goes on for a while.
func cancelStatement(conn *pgconn.PgConn) ctxwatch.Handler {
	return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: time.Second}
}

// prepare migrates the database and checks that a store can use it.
func prepare(ctx context.Context, pool *pgxpool.Pool) error {
	if err := checkDurable(ctx, pool); err != nil {
		return err
	}
	if err := migrate(ctx, pool); err != nil {
		return err
	}
	return checkNoPartialCopy(ctx, pool)
}

// checkDurable rejects a database that confirms commits before they are on a disk.
func checkDurable(ctx context.Context, pool *pgxpool.Pool) error {
	var setting string
	if err := pool.QueryRow(ctx, "SHOW synchronous_commit").Scan(&setting); err != nil {
		return err
	}
	if setting == "off" {
		return errors.New("synchronous_commit is off for this user or database: confirmed changes could be lost; set it to on")
	}
	return nil
}

// checkNoPartialCopy rejects a database into which another store is being copied.
func checkNoPartialCopy(ctx context.Context, pool *pgxpool.Pool) error {
	var copying bool
	if err := pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM copy_state)").Scan(&copying); err != nil {
		return err
	}
	if copying {
		return errors.New("it contains a partial copy of another store: run kartotek copy again to complete it")
	}
	return nil
}

// Close waits for calls in progress and closes the connections. Later calls return an error.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// Ping returns an error unless the database responds, or after a call has failed because the database
// is damaged.
func (s *Store) Ping(ctx context.Context) error {
	if s.Corrupt() {
		return errors.New("the database is damaged")
	}
	return s.withRetry(ctx, s.pool.Ping)
}

// Corrupt reports whether a call has failed because the database is damaged.
func (s *Store) Corrupt() bool { return s.corrupt.Load() }

// Queued is the number of queued writes, and of calls that wait for a connection.
func (s *Store) Queued() int {
	return s.writes.queued() + max(0, int(s.calls.Load())-int(s.pool.Stat().MaxConns()))
}

// Secret returns a secret that all servers of this store share: "cursor". The first call creates it.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	if name == "cursor" {
		random := make([]byte, 32)
		_, _ = rand.Read(random) // never fails
		if _, err := s.execRows(ctx, insertSecret, name, random); err != nil {
			return nil, fmt.Errorf("create secret: %w", err)
		}
	}
	return s.SmallTables.Secret(ctx, name)
}

const insertSecret = `
	INSERT INTO secrets (name, secret)
	VALUES ($1, $2)
	ON CONFLICT (name) DO NOTHING`
