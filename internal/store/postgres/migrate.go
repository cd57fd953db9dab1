package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed schema/*.sql
var schema embed.FS

// migrate brings the database to the newest schema. Of several servers that start at once, one does
// so. It locks a row of a table meanwhile, because advisory locks do not work through a pooler.
func migrate(ctx context.Context, pool *pgxpool.Pool) error {
	for attempt := 0; ; attempt++ {
		err := migrateOnce(ctx, pool)
		// Another server has created the tables of migrations and their lock at the same time.
		if attempt < maxAttempts && hasCode(err, "23505", "42P07") {
			backOff(ctx, attempt)
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
	version, err := schemaVersion(ctx, pool)
	switch {
	case err != nil:
		return err
	case version > newest:
		return fmt.Errorf("the database has schema %d, but this program knows no schema above %d: it needs a newer program", version, newest)
	case version == newest:
		return nil // without waiting for the lock
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// schemaVersion is the number of the last migration that has run: 0 for an empty database.
func schemaVersion(ctx context.Context, pool *pgxpool.Pool) (version int64, err error) {
	err = pool.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version").Scan(&version)
	if hasCode(err, "42P01") { // no such table
		return 0, nil
	}
	return version, err
}
