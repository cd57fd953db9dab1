package layout

import (
	"context"
	"fmt"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// SmallTables reads and writes accounts and keys, and reads secrets and idempotency records, with
// the same statements on every engine. It implements access.Credentials and access.Registry.
type SmallTables struct {
	query Query
	exec  Exec
}

// Query returns what scan returns for each row of a query.
type Query func(ctx context.Context, scan func(Row) (any, error), query string, args ...any) ([]any, error)

// Exec runs a statement and returns the number of rows that it wrote.
type Exec func(ctx context.Context, query string, args ...any) (rows int, err error)

// NewSmallTables returns the small tables of an engine.
func NewSmallTables(query Query, exec Exec) SmallTables { return SmallTables{query, exec} }

// list returns the rows of a query.
func list[T any](ctx context.Context, s SmallTables, t Table[T], query string, args ...any) ([]T, error) {
	found, err := s.query(ctx, func(r Row) (any, error) { return t.Scan(r) }, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t.Name, err)
	}
	var rows []T
	for _, row := range found {
		rows = append(rows, row.(T))
	}
	return rows, nil
}

// find returns the only row of a query, or errNone.
func find[T any](ctx context.Context, s SmallTables, errNone error, t Table[T], query string, args ...any) (row T, err error) {
	rows, err := list(ctx, s, t, query, args...)
	if err != nil {
		return row, err
	}
	if len(rows) == 0 {
		return row, errNone
	}
	return rows[0], nil
}

// write runs a statement that writes one row. It returns errNone when the statement wrote none.
func (s SmallTables) write(ctx context.Context, errNone error, query string, args ...any) error {
	rows, err := s.exec(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("write credential: %w", err)
	}
	if rows == 0 {
		return errNone
	}
	return nil
}

func noCredential() error {
	return fault.New(fault.NotFound, "no such credential, or it is disabled")
}

// Account implements access.Credentials.
func (s SmallTables) Account(ctx context.Context, login string) (access.Account, error) {
	return find(ctx, s, noCredential(), Accounts, SelectAccount, login)
}

// Accounts implements access.Registry.
func (s SmallTables) Accounts(ctx context.Context, tenant, after string, limit int) ([]access.Account, error) {
	return list(ctx, s, Accounts, SelectAccounts, tenant, after, limit)
}

// AddAccount implements access.Registry.
func (s SmallTables) AddAccount(ctx context.Context, a access.Account) error {
	return s.write(ctx, fault.AlreadyExists("account", "login"), insertAccount, Accounts.Values(a)...)
}

// RevokeAccount implements access.Registry.
func (s SmallTables) RevokeAccount(ctx context.Context, tenant, id string, at time.Time) error {
	return s.write(ctx, noCredential(), RevokeAccount, Micros(at), tenant, id)
}

// Key implements access.Credentials.
func (s SmallTables) Key(ctx context.Context, id string) (access.Key, error) {
	return find(ctx, s, noCredential(), Keys, SelectKey, id)
}

// Keys implements access.Registry.
func (s SmallTables) Keys(ctx context.Context, tenant, after string, limit int) ([]access.Key, error) {
	return list(ctx, s, Keys, SelectKeys, tenant, after, limit)
}

// AddKey implements access.Registry. It returns a Conflict fault when any key has the id, which does
// not happen to random ids.
func (s SmallTables) AddKey(ctx context.Context, k access.Key) error {
	return s.write(ctx, fault.AlreadyExists("key", "id"), insertKey, Keys.Values(k)...)
}

// RevokeKey implements access.Registry.
func (s SmallTables) RevokeKey(ctx context.Context, tenant, id string, at time.Time) error {
	return s.write(ctx, noCredential(), RevokeKey, Micros(at), tenant, id)
}

// Secret returns a secret that all servers of this store share: "cursor".
func (s SmallTables) Secret(ctx context.Context, name string) ([]byte, error) {
	secret, err := find(ctx, s, fault.New(fault.NotFound, "no such secret"), Secrets, SelectSecret, name)
	return secret.Secret, err
}

// FindResponse implements customer.IdempotencyStore.
func (s SmallTables) FindResponse(ctx context.Context, tenant, actor, key string, oldest time.Time) (customer.IdempotencyRecord, error) {
	return find(ctx, s, fault.New(fault.NotFound, "no such idempotency record"),
		IdempotencyRecords, SelectIdempotencyRecord, tenant, actor, key, oldest.UnixMicro())
}

// The statements of the small tables. Each parameter first occurs in the order of the numbers, as
// SQLite needs it: to SQLite they are names.
var (
	SelectAccount = `
		SELECT ` + Accounts.Columns + `
		FROM accounts
		WHERE login = $1 AND revoked_at IS NULL`

	SelectAccounts = `
		SELECT ` + Accounts.Columns + `
		FROM accounts
		WHERE tenant = $1 AND (created_at, id) > (
			coalesce((SELECT created_at FROM accounts WHERE tenant = $1 AND id = $2), -1), $2)
		ORDER BY created_at, id
		LIMIT $3`

	insertAccount = `
		INSERT INTO accounts (` + Accounts.Columns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT DO NOTHING`

	RevokeAccount = `
		UPDATE accounts
		SET revoked_at = $1
		WHERE tenant = $2 AND id = $3 AND revoked_at IS NULL`

	SelectKey = `
		SELECT ` + Keys.Columns + `
		FROM keys
		WHERE id = $1`

	SelectKeys = `
		SELECT ` + Keys.Columns + `
		FROM keys
		WHERE tenant = $1 AND (created_at, id) > (
			coalesce((SELECT created_at FROM keys WHERE tenant = $1 AND id = $2), -1), $2)
		ORDER BY created_at, id
		LIMIT $3`

	insertKey = `
		INSERT INTO keys (` + Keys.Columns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (id) DO NOTHING`

	RevokeKey = `
		UPDATE keys
		SET revoked_at = $1
		WHERE tenant = $2 AND id = $3 AND revoked_at IS NULL`

	SelectSecret = `
		SELECT ` + Secrets.Columns + `
		FROM secrets
		WHERE name = $1`

	SelectIdempotencyRecord = `
		SELECT ` + IdempotencyRecords.Columns + `
		FROM idempotency_records
		WHERE tenant = $1 AND actor = $2 AND key = $3 AND at >= $4`

	UpsertIdempotencyRecord = `
		INSERT INTO idempotency_records (` + IdempotencyRecords.Columns + `)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (tenant, actor, key) DO UPDATE
		SET digest = excluded.digest, response = excluded.response, at = excluded.at`
)
