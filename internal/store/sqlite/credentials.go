package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/access"
	"kartotek/internal/fault"
)

// Account implements access.Credentials.
func (s *Store) Account(ctx context.Context, login string) (access.Account, error) {
	return one(readRows(ctx, s, scanAccount, selectAccount, login))
}

// Accounts implements access.Registry.
func (s *Store) Accounts(ctx context.Context, tenant, after string, limit int) ([]access.Account, error) {
	return readRows(ctx, s, scanAccount, selectAccounts, tenant, after, limit)
}

// AddAccount implements access.Registry. It does not replace a revoked account of another tenant,
// because the history of that tenant names it.
func (s *Store) AddAccount(ctx context.Context, a access.Account) error {
	customers, err := encodeCustomers(a.Customers)
	if err != nil {
		return fmt.Errorf("encode customers: %w", err)
	}
	return s.execOne(ctx, fault.AlreadyExists("account", "login"), upsertAccount,
		a.Login, a.Tenant, a.PasswordHash, customers, micros(a.CreatedAt), micros(a.RevokedAt))
}

// RevokeAccount implements access.Registry.
func (s *Store) RevokeAccount(ctx context.Context, tenant, login string, at time.Time) error {
	return s.execOne(ctx, noCredential(), revokeAccount, micros(at), tenant, login)
}

const (
	accountColumns = "login, tenant, password_hash, customers, created_at, revoked_at"

	selectAccount = `
		SELECT ` + accountColumns + `
		FROM accounts
		WHERE login = ?`

	selectAccounts = `
		SELECT ` + accountColumns + `
		FROM accounts
		WHERE tenant = ? AND login > ?
		ORDER BY login
		LIMIT ?`

	upsertAccount = `
		INSERT INTO accounts (login, tenant, password_hash, customers, created_at, revoked_at)
		VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (login) DO UPDATE
		SET password_hash = excluded.password_hash, customers = excluded.customers,
		    created_at = excluded.created_at, revoked_at = excluded.revoked_at
		WHERE tenant = excluded.tenant AND revoked_at IS NOT NULL`

	revokeAccount = `
		UPDATE accounts
		SET revoked_at = ?
		WHERE tenant = ? AND login = ? AND revoked_at IS NULL`
)

func scanAccount(stmt *sqlite.Stmt) (access.Account, error) {
	a := access.Account{
		Login:        stmt.ColumnText(0),
		Tenant:       stmt.ColumnText(1),
		PasswordHash: stmt.ColumnText(2),
		Customers:    access.AllCustomers(),
	}
	if !stmt.ColumnIsNull(3) {
		var numbers []int32
		if err := json.Unmarshal([]byte(stmt.ColumnText(3)), &numbers); err != nil {
			return access.Account{}, fmt.Errorf("customers of an account: %w", err)
		}
		a.Customers = access.OnlyCustomers(numbers...)
	}
	scan(stmt, 4, &a.CreatedAt)
	scan(stmt, 5, &a.RevokedAt)
	return a, nil
}

// encodeCustomers returns nil for all customers.
func encodeCustomers(c access.Customers) (any, error) {
	if c.All() {
		return nil, nil
	}
	numbers, err := json.Marshal(c.Numbers())
	return string(numbers), err
}

// Key implements access.Credentials.
func (s *Store) Key(ctx context.Context, id string) (access.Key, error) {
	return one(readRows(ctx, s, scanKey, selectKey, id))
}

// Keys implements access.Registry.
func (s *Store) Keys(ctx context.Context, tenant, after string, limit int) ([]access.Key, error) {
	return readRows(ctx, s, scanKey, selectKeys, tenant, after, limit)
}

// AddKey implements access.Registry. It returns a Conflict fault when any key has the id, which does
// not happen to random ids.
func (s *Store) AddKey(ctx context.Context, k access.Key) error {
	scopes, err := json.Marshal(k.Scopes)
	if err != nil {
		return fmt.Errorf("encode scopes: %w", err)
	}
	return s.execOne(ctx, fault.AlreadyExists("key", "id"), insertKey,
		k.ID, k.Tenant, k.Name, k.Hash[:], string(scopes), micros(k.CreatedAt), micros(k.RevokedAt),
		k.Options.RequireIfMatch, k.Options.AllowStaleWrites)
}

// RevokeKey implements access.Registry.
func (s *Store) RevokeKey(ctx context.Context, tenant, id string, at time.Time) error {
	return s.execOne(ctx, noCredential(), revokeKey, micros(at), tenant, id)
}

const (
	keyColumns = "id, tenant, name, hash, scopes, created_at, revoked_at, require_if_match, allow_stale_writes"

	selectKey = `
		SELECT ` + keyColumns + `
		FROM keys
		WHERE id = ?`

	selectKeys = `
		SELECT ` + keyColumns + `
		FROM keys
		WHERE tenant = ?1 AND (created_at, id) > (
			coalesce((SELECT created_at FROM keys WHERE tenant = ?1 AND id = ?2), -1), ?2)
		ORDER BY created_at, id
		LIMIT ?3`

	insertKey = `
		INSERT INTO keys (id, tenant, name, hash, scopes, created_at, revoked_at, require_if_match, allow_stale_writes)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO NOTHING`

	revokeKey = `
		UPDATE keys
		SET revoked_at = ?
		WHERE tenant = ? AND id = ? AND revoked_at IS NULL`
)

func scanKey(stmt *sqlite.Stmt) (access.Key, error) {
	k := access.Key{
		ID:     stmt.ColumnText(0),
		Tenant: stmt.ColumnText(1),
		Name:   stmt.ColumnText(2),
	}
	stmt.ColumnBytes(3, k.Hash[:])
	if err := json.Unmarshal([]byte(stmt.ColumnText(4)), &k.Scopes); err != nil {
		return access.Key{}, fmt.Errorf("scopes of a key: %w", err)
	}
	scan(stmt, 5, &k.CreatedAt)
	scan(stmt, 6, &k.RevokedAt)
	scan(stmt, 7, &k.Options.RequireIfMatch)
	scan(stmt, 8, &k.Options.AllowStaleWrites)
	return k, nil
}

// one returns the only row, or a NotFound fault.
func one[T any](found []T, err error) (T, error) {
	var zero T
	if err != nil {
		return zero, fmt.Errorf("read credentials: %w", err)
	}
	if len(found) == 0 {
		return zero, noCredential()
	}
	return found[0], nil
}

// execOne runs a statement that writes one row. It returns errNone when the statement wrote none.
func (s *Store) execOne(ctx context.Context, errNone error, query string, args ...any) error {
	return s.writer.run(ctx, func(tx *tx) error {
		if err := sqlitex.Execute(tx.conn, query, &sqlitex.ExecOptions{Args: args}); err != nil {
			return fmt.Errorf("write credential: %w", err)
		}
		if tx.conn.Changes() == 0 {
			return errNone
		}
		return nil
	})
}

// Secret returns a secret that all servers of this store share: "cursor".
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	return one(readRows(ctx, s, func(stmt *sqlite.Stmt) ([]byte, error) {
		return scanBytes(stmt, 0), nil
	}, selectSecret, name))
}

const selectSecret = `
	SELECT secret
	FROM secrets
	WHERE name = ?`

func noCredential() error {
	return fault.New(fault.NotFound, "no such credential, or it is disabled")
}

// micros returns the value of a time in a column: nil, which is NULL, for the zero time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}
