package sqlite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitemigration"
	"zombiezen.com/go/sqlite/sqlitex"
)

// appID marks a SQLite file as a Kartotek database: "Kart" in ASCII.
const appID = 0x4b617274

//go:embed schema/*.sql
var schema embed.FS

// migrate brings the file to the newest schema. It rejects, without a change, a file that is not a
// Kartotek database or that a newer version has migrated.
func migrate(ctx context.Context, conn *sqlite.Conn) error {
	scripts, err := migrations()
	if err != nil {
		return err
	}
	version, err := schemaVersion(conn)
	if err != nil {
		return err
	}
	if version > len(scripts) {
		return fmt.Errorf("the file has schema %d, but this program knows no schema above %d: it needs a newer program", version, len(scripts))
	}
	if err := enableWAL(conn); err != nil {
		return err
	}
	if version == len(scripts) {
		return nil // without waiting for a process that locks the file
	}
	return sqlitemigration.Migrate(ctx, conn, sqlitemigration.Schema{AppID: appID, Migrations: scripts})
}

// migrations returns the scripts in order. A released one never changes.
func migrations() ([]string, error) {
	names, err := fs.Glob(schema, "schema/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	scripts := make([]string, len(names))
	for i, name := range names {
		script, err := schema.ReadFile(name)
		if err != nil {
			return nil, err
		}
		scripts[i] = string(script)
	}
	return scripts, nil
}

var errOtherDatabase = errors.New("the file is not a Kartotek database")

// schemaVersion is the number of migrations that have run on the file: 0 for an empty one.
func schemaVersion(conn *sqlite.Conn) (int, error) {
	var app, version, tables int
	err := sqlitex.ExecuteTransient(conn, `
		SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id, pragma_user_version`,
		&sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
			app, version, tables = stmt.ColumnInt(0), stmt.ColumnInt(1), stmt.ColumnInt(2)
			return nil
		}})
	if sqlite.ErrCode(err).ToPrimary() == sqlite.ResultNotADB {
		return 0, errOtherDatabase
	}
	if err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	if empty := app == 0 && tables == 0; app != appID && !empty {
		return 0, errOtherDatabase
	}
	return version, nil
}

// enableWAL has commits written to a write-ahead log: they need one fsync, and readers do not wait
// for them. The file keeps the setting.
func enableWAL(conn *sqlite.Conn) error {
	var mode string
	err := sqlitex.ExecuteTransient(conn, "PRAGMA journal_mode = wal",
		&sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
			mode = stmt.ColumnText(0)
			return nil
		}})
	if err != nil {
		return fmt.Errorf("enable the write-ahead log: %w", err)
	}
	if mode != "wal" {
		return fmt.Errorf("enable the write-ahead log: the journal mode stays %s", mode)
	}
	return nil
}
