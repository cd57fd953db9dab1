// Package postgres keeps customers, accounts and keys in PostgreSQL, which several
// servers may share. It alone knows PostgreSQL: its SQL, its isolation and its
// errors.
//
// It believes nothing that another server may have changed. A change is one statement,
// which finds the row that the change was made of, or writes nothing; then the record
// is read, and the change made of that. Changes that are asked for at the same time
// share a statement, unless the tables are sharded. No session is given a state, so
// that a pooler may lend its connections by the transaction.
//
// Read store.go for the connections, call.go for deadlines and repetitions,
// customer.go for the records, together.go for many of them at once.
package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// Store is one database. It is safe for concurrent use, also by several servers.
type Store struct {
	pool     *pgxpool.Pool
	patience time.Duration // how long a call may take
	lag      time.Duration // how long a feed waits for others
	feedBase int64         // see schema/0001_customers.sql
	sharded  bool          // by Citus

	numbers  *lru.Cache[customer.Ref, string] // the ids of numbers, where tables are sharded
	turns    turns
	finds    groups[sought]
	moves    groups[moving]
	seen     *seen
	tidying  atomic.Bool
	sweeper  sweeper
	calling  atomic.Int64 // calls that have, or wait for, a connection
	onCommit func(writes int, took time.Duration)
}

var (
	_ customer.Store            = (*Store)(nil)
	_ customer.IdempotencyStore = (*Store)(nil)
	_ access.Credentials        = (*Store)(nil)
	_ access.Registry           = (*Store)(nil)
)

// Options are what a store may be opened with.
type Options struct {
	// OnCommit is told how many writes shared a commit and how long it took. It
	// may be nil, and is called by many goroutines.
	OnCommit func(writes int, took time.Duration)
}

const (
	// patience is how long a call may take, whatever its caller would wait.
	patience = 5 * time.Second

	// serving is how the database sees the connections of a store.
	serving = "kartotek"

	// connections is how many there are at most, unless pool_max_conns says it.
	connections = 16
)

// Open connects to the database that a URL or a keyword string names, and brings it
// to the newest schema. A database that a newer program has migrated is taken as
// long as this one can work with it.
func Open(ctx context.Context, dsn string, opts Options) (*Store, error) {
	pool, err := connect(ctx, dsn, serving)
	if err != nil {
		return nil, err
	}
	s := &Store{pool: pool, patience: patience, lag: feedPatience, turns: newTurns(), onCommit: opts.OnCommit}
	s.finds.do, s.moves.do = s.findTogether, s.moveTogether
	if s.numbers, err = lru.New[customer.Ref, string](maxNumbers); err != nil {
		pool.Close()
		return nil, err
	}
	if s.seen, err = newSeen(); err != nil {
		pool.Close()
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("open %s: %w", pool.Config().ConnConfig.Database, inOneLine(err))
	}
	return s, nil
}

// connect opens connections to a database, which sees them by this name unless the
// address has another.
func connect(ctx context.Context, dsn, name string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("read the address of the database: %w", err) // which hides the password
	}
	if !strings.Contains(dsn, "pool_max_conns") {
		config.MaxConns = connections
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = patience
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

// inOneLine is the error, which may have a line for each address that was tried.
func inOneLine(err error) error {
	if lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\t' }); len(lines) > 1 {
		return errors.New(strings.Join(lines, " "))
	}
	return err
}

// cancelStatement has PostgreSQL give up the statement of a caller who leaves, and
// keeps the connection. By itself pgx would close it, and leave the statement to run
// on for a while.
func cancelStatement(conn *pgconn.PgConn) ctxwatch.Handler {
	return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: time.Second}
}

// prepare makes the database what the store's promises need.
func (s *Store) prepare(ctx context.Context) error {
	if err := checkDurable(ctx, s.pool); err != nil {
		return err
	}
	if err := migrate(ctx, s.pool); err != nil {
		return err
	}
	if err := s.checkWhole(ctx); err != nil {
		return err
	}
	if err := s.findShards(ctx); err != nil {
		return err
	}
	return s.startFeed(ctx)
}

// checkDurable refuses a database that answers commits before they are on a disk.
func checkDurable(ctx context.Context, pool *pgxpool.Pool) error {
	var setting string
	if err := pool.QueryRow(ctx, "SHOW synchronous_commit").Scan(&setting); err != nil {
		return err
	}
	if setting == "off" {
		return errors.New("synchronous_commit is off for this user or database: changes that were answered could be lost")
	}
	return nil
}

// checkWhole refuses a database into which another store is being copied.
func (s *Store) checkWhole(ctx context.Context) error {
	var copying bool
	if err := s.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM copying)").Scan(&copying); err != nil {
		return err
	}
	if copying {
		return errors.New("only a part of another store has been copied into it: run kartotek copy again, which goes on")
	}
	return nil
}

// Close waits for calls to end and closes the connections. Calls that come later
// get an error.
func (s *Store) Close() error {
	s.pool.Close()
	return s.seen.close()
}

// Ping returns an error unless the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return s.call(ctx, func(ctx context.Context) error { return s.pool.Ping(ctx) })
}

// Queued is the number of calls that wait for a connection.
func (s *Store) Queued() int {
	return max(0, int(s.calling.Load())-int(s.pool.Stat().MaxConns()))
}

// Secret is one of those that all servers on this store share: "cursor". Whoever asks
// first draws it.
func (s *Store) Secret(ctx context.Context, name string) (secret []byte, err error) {
	if name != "cursor" {
		return nil, fault.New(fault.NotFound, "no such secret")
	}
	drawn := make([]byte, 32)
	if _, err := rand.Read(drawn); err != nil {
		return nil, err
	}
	err = s.write(ctx, func(ctx context.Context) error {
		if _, err := s.pool.Exec(ctx, insertSecret, name, drawn); err != nil {
			return fmt.Errorf("draw secret: %w", err)
		}
		return s.pool.QueryRow(ctx, selectSecret, name).Scan(&secret)
	})
	return secret, err
}

const (
	insertSecret = `
		INSERT INTO secrets (name, secret)
		VALUES ($1, $2)
		ON CONFLICT (name) DO NOTHING`

	selectSecret = `
		SELECT secret
		FROM secrets
		WHERE name = $1`
)
