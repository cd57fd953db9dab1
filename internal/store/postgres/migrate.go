package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Migrations only add to the schema what the program before this one can do
// without, so that both may serve while servers are replaced one by one. What no
// program needs any more is removed one version later, which raises the oldest
// program in the table compatibility.
//
//go:embed schema/*.sql
var schema embed.FS

// migrate brings the database to the newest schema. Of several servers that start
// at once, one does; it holds a row of a table meanwhile, since a pooler or a
// sharded engine may know no other lock.
func migrate(ctx context.Context, pool *pgxpool.Pool) error {
	for attempt := 0; ; attempt++ {
		err := migrateOnce(ctx, pool)
		// Both make the tables in which migrations and their lock are noted.
		if attempt < attempts && hasCode(err, "23505", "42P07") {
			pause(ctx, attempt)
			continue
		}
		return err
	}
}

func migrateOnce(ctx context.Context, pool *pgxpool.Pool) error {
	scripts, err := fs.Sub(schema, "schema")
	if err != nil {
		return err
	}
	const every, times = 250 * time.Millisecond, 1200 // five minutes
	locker, err := lock.NewPostgresTableLocker(lock.WithTableLockTimeout(every, times))
	if err != nil {
		return err
	}
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, scripts, goose.WithLocker(locker), goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	sources := provider.ListSources()
	newest := sources[len(sources)-1].Version
	if has, err := schemaVersion(ctx, pool); err != nil || has >= newest { // most often, and then nobody waits for a lock
		return errors.Join(err, checkCompatible(ctx, pool, newest))
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// schemaVersion is the number of the last migration that the database has seen: 0
// for an empty one.
func schemaVersion(ctx context.Context, pool *pgxpool.Pool) (version int64, err error) {
	err = pool.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version").Scan(&version)
	if hasCode(err, "42P01") { // no such table
		return 0, nil
	}
	return version, err
}

// checkCompatible refuses a database that a newer program has made unusable for
// this one.
func checkCompatible(ctx context.Context, pool *pgxpool.Pool, newest int64) error {
	var oldest int64
	if err := pool.QueryRow(ctx, "SELECT oldest FROM compatibility").Scan(&oldest); err != nil {
		return err
	}
	if newest < oldest {
		return fmt.Errorf("the database serves programs from schema %d on, but this program knows no schema above %d: it needs a newer program", oldest, newest)
	}
	return nil
}

// hasCode reports whether PostgreSQL answered with one of these codes.
func hasCode(err error, codes ...string) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && slices.Contains(codes, answer.Code)
}
