package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Migrations only add to the schema what the program before this one can do
// without, so that both may serve while servers are replaced one by one. What no
// program needs any more is removed one version later.
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
		if attempt < 10 && hasCode(err, "23505", "42P07") {
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
	locker, err := lock.NewPostgresTableLocker(lock.WithTableLockTimeout(250*time.Millisecond, 4*60*5))
	if err != nil {
		return err
	}
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, scripts, goose.WithLocker(locker))
	if err != nil {
		return err
	}
	if migrated(ctx, pool, provider) {
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// migrated reports whether the database has all migrations, perhaps more. Most
// often it has, and then nobody waits for a lock.
func migrated(ctx context.Context, pool *pgxpool.Pool, provider *goose.Provider) bool {
	sources := provider.ListSources()
	var version int64
	err := pool.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version").Scan(&version)
	return err == nil && version >= sources[len(sources)-1].Version
}

// hasCode reports whether PostgreSQL answered with one of these codes.
func hasCode(err error, codes ...string) bool {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return false
	}
	for _, code := range codes {
		if answer.Code == code {
			return true
		}
	}
	return false
}
