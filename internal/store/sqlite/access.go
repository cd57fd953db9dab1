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
	return one(list(ctx, s, scanAccount, selectAccount, login))
}

// Accounts implements access.Registry.
func (s *Store) Accounts(ctx context.Context, tenant, after string, limit int) ([]access.Account, error) {
	return list(ctx, s, scanAccount, selectAccounts, tenant, after, limit)
}

// AddAccount implements access.Registry. A revoked account of another tenant is
// not replaced, since that tenant's history names it.
func (s *Store) AddAccount(ctx context.Context, a access.Account) error {
	customers, err := encodeCustomers(a.Customers)
	if err != nil {
		return fmt.Errorf("encode customers: %w", err)
	}
	return s.writeRow(ctx, fault.AlreadyExists("account", "login"), upsertAccount,
		a.Login, a.Tenant, a.PasswordHash, customers, micros(a.CreatedAt), micros(a.RevokedAt))
}

// RevokeAccount implements access.Registry.
func (s *Store) RevokeAccount(ctx context.Context, tenant, login string, at time.Time) error {
	return s.writeRow(ctx, noCredential(), revokeAccount, micros(at), tenant, login)
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

// encodeCustomers returns nil for all of them.
func encodeCustomers(c access.Customers) (any, error) {
	if c.All() {
		return nil, nil
	}
	numbers, err := json.Marshal(c.Numbers())
	return string(numbers), err
}

// Key implements access.Credentials.
func (s *Store) Key(ctx context.Context, id string) (access.Key, error) {
	return one(list(ctx, s, scanKey, selectKey, id))
}

// Keys implements access.Registry.
func (s *Store) Keys(ctx context.Context, tenant, after string, limit int) ([]access.Key, error) {
	return list(ctx, s, scanKey, selectKeys, tenant, after, limit)
}

// AddKey implements access.Registry. It is a Conflict fault when any key has the
// id, which does not happen to ids drawn at random.
func (s *Store) AddKey(ctx context.Context, k access.Key) error {
	scopes, err := json.Marshal(k.Scopes)
	if err != nil {
		return fmt.Errorf("encode scopes: %w", err)
	}
	return s.writeRow(ctx, fault.AlreadyExists("key", "id"), insertKey,
		k.ID, k.Tenant, k.Name, k.Hash[:], string(scopes), micros(k.CreatedAt), micros(k.RevokedAt),
		k.Options.RequireIfMatch, k.Options.AllowStaleWrites)
}

// RevokeKey implements access.Registry.
func (s *Store) RevokeKey(ctx context.Context, tenant, id string, at time.Time) error {
	return s.writeRow(ctx, noCredential(), revokeKey, micros(at), tenant, id)
}

const (
	keyColumns = "id, tenant, name, hash, scopes, created_at, revoked_at, demand_if_match, overwrite_stale"

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
		INSERT INTO keys (id, tenant, name, hash, scopes, created_at, revoked_at, demand_if_match, overwrite_stale)
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

// list returns the rows that a query finds.
func list[T any](ctx context.Context, s *Store, scan func(*sqlite.Stmt) (T, error), query string, args ...any) ([]T, error) {
	return read(ctx, s, func(conn *sqlite.Conn) (found []T, err error) {
		err = sqlitex.Execute(conn, query, &sqlitex.ExecOptions{
			Args: args,
			ResultFunc: func(stmt *sqlite.Stmt) error {
				row, err := scan(stmt)
				found = append(found, row)
				return err
			},
		})
		if err != nil {
			return nil, fmt.Errorf("read credentials: %w", err)
		}
		return found, nil
	})
}

// one is the only row of a list, or a NotFound fault.
func one[T any](found []T, err error) (T, error) {
	var zero T
	if err != nil {
		return zero, err
	}
	if len(found) == 0 {
		return zero, noCredential()
	}
	return found[0], nil
}

// writeRow runs a statement that writes one row. It returns refusal when the
// statement wrote none.
func (s *Store) writeRow(ctx context.Context, refusal error, query string, args ...any) error {
	return s.writer.run(ctx, func(conn *sqlite.Conn) error {
		if err := sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args}); err != nil {
			return fmt.Errorf("write credential: %w", err)
		}
		if conn.Changes() == 0 {
			return refusal
		}
		return nil
	})
}

// Secret is one of those that all servers on this store share: "cursor".
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	return one(list(ctx, s, func(stmt *sqlite.Stmt) ([]byte, error) {
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

// micros is a time in a column: nil, which is NULL, for the zero time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}
