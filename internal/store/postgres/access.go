package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/access"
	"kartotek/internal/fault"
)

// Account implements access.Credentials.
func (s *Store) Account(ctx context.Context, login string) (access.Account, error) {
	if !storable(login) {
		return access.Account{}, noCredential()
	}
	return one(list(ctx, s, scanAccount, selectAccount, login))
}

// Accounts implements access.Registry.
func (s *Store) Accounts(ctx context.Context, tenant, after string, limit int) ([]access.Account, error) {
	return list(ctx, s, scanAccount, selectAccounts, tenant, after, limit)
}

// AddAccount implements access.Registry. A revoked account of another tenant is
// not replaced, since that tenant's history names it.
func (s *Store) AddAccount(ctx context.Context, a access.Account) error {
	return s.writeRow(ctx, fault.AlreadyExists("account", "login"), upsertAccount, accountValues(a)...)
}

// RevokeAccount implements access.Registry.
func (s *Store) RevokeAccount(ctx context.Context, tenant, login string, at time.Time) error {
	return s.writeRow(ctx, noCredential(), revokeAccount, tenant, login, micros(at))
}

// accountValues are those of accountColumns.
func accountValues(a access.Account) []any {
	var customers []int32 // nil for all of them
	if !a.Customers.All() {
		customers = append([]int32{}, a.Customers.Numbers()...)
	}
	return []any{a.Login, a.Tenant, a.PasswordHash, customers, micros(a.CreatedAt), micros(a.RevokedAt)}
}

func scanAccount(row pgx.CollectableRow) (access.Account, error) {
	a := access.Account{Customers: access.AllCustomers()}
	var customers []int32
	err := row.Scan(&a.Login, &a.Tenant, &a.PasswordHash, &customers, dest(&a.CreatedAt), dest(&a.RevokedAt))
	if err != nil {
		return access.Account{}, err
	}
	if customers != nil {
		a.Customers = access.OnlyCustomers(customers...)
	}
	return a, nil
}

const (
	accountColumns = "login, tenant, password_hash, customers, created_at, revoked_at"

	selectAccount = `
		SELECT ` + accountColumns + `
		FROM accounts
		WHERE login = $1`

	selectAccounts = `
		SELECT ` + accountColumns + `
		FROM accounts
		WHERE tenant = $1 AND login > $2
		ORDER BY login
		LIMIT $3`

	upsertAccount = `
		INSERT INTO accounts AS a (` + accountColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (login) DO UPDATE
		SET password_hash = excluded.password_hash, customers = excluded.customers,
		    created_at = excluded.created_at, revoked_at = excluded.revoked_at
		WHERE a.tenant = excluded.tenant AND a.revoked_at IS NOT NULL`

	revokeAccount = `
		UPDATE accounts
		SET revoked_at = $3
		WHERE tenant = $1 AND login = $2 AND revoked_at IS NULL`
)

// Key implements access.Credentials.
func (s *Store) Key(ctx context.Context, id string) (access.Key, error) {
	if !storable(id) {
		return access.Key{}, noCredential()
	}
	return one(list(ctx, s, scanKey, selectKey, id))
}

// Keys implements access.Registry.
func (s *Store) Keys(ctx context.Context, tenant, after string, limit int) ([]access.Key, error) {
	return list(ctx, s, scanKey, selectKeys, tenant, after, limit)
}

// AddKey implements access.Registry. It is a Conflict fault when any key has the
// id, which does not happen to ids drawn at random.
func (s *Store) AddKey(ctx context.Context, k access.Key) error {
	return s.writeRow(ctx, fault.AlreadyExists("key", "id"), insertKey, keyValues(k)...)
}

// RevokeKey implements access.Registry.
func (s *Store) RevokeKey(ctx context.Context, tenant, id string, at time.Time) error {
	return s.writeRow(ctx, noCredential(), revokeKey, tenant, id, micros(at))
}

// keyValues are those of keyColumns.
func keyValues(k access.Key) []any {
	scopes := make([]string, len(k.Scopes))
	for i, scope := range k.Scopes {
		scopes[i] = string(scope)
	}
	return []any{
		k.ID, k.Tenant, k.Name, k.Hash[:], scopes, micros(k.CreatedAt), micros(k.RevokedAt),
		k.Options.RequireIfMatch, k.Options.AllowStaleWrites,
	}
}

func scanKey(row pgx.CollectableRow) (access.Key, error) {
	var k access.Key
	var hash []byte
	var scopes []string
	err := row.Scan(&k.ID, &k.Tenant, &k.Name, &hash, &scopes, dest(&k.CreatedAt), dest(&k.RevokedAt),
		&k.Options.RequireIfMatch, &k.Options.AllowStaleWrites)
	if err != nil {
		return access.Key{}, err
	}
	if copy(k.Hash[:], hash) != len(hash) {
		return access.Key{}, fmt.Errorf("the hash of a key has %d bytes", len(hash))
	}
	for _, scope := range scopes {
		k.Scopes = append(k.Scopes, access.Scope(scope))
	}
	return k, nil
}

const (
	keyColumns = "id, tenant, name, hash, scopes, created_at, revoked_at, demand_if_match, overwrite_stale"

	selectKey = `
		SELECT ` + keyColumns + `
		FROM keys
		WHERE id = $1`

	selectKeys = `
		SELECT ` + keyColumns + `
		FROM keys
		WHERE tenant = $1 AND (created_at, id) > (
			coalesce((SELECT created_at FROM keys WHERE tenant = $1 AND id = $2), -1), $2)
		ORDER BY created_at, id
		LIMIT $3`

	insertKey = `
		INSERT INTO keys (` + keyColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (id) DO NOTHING`

	revokeKey = `
		UPDATE keys
		SET revoked_at = $3
		WHERE tenant = $1 AND id = $2 AND revoked_at IS NULL`
)

// list returns the rows that a query finds.
func list[T any](ctx context.Context, s *Store, scan pgx.RowToFunc[T], query string, args ...any) (found []T, err error) {
	err = s.call(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		found, err = pgx.AppendRows([]T(nil), rows, scan)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read credentials: %w", err)
	}
	return found, nil
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
	return s.write(ctx, func(ctx context.Context) error {
		tag, err := s.pool.Exec(ctx, query, args...)
		if err != nil {
			return fmt.Errorf("write credential: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return refusal
		}
		return nil
	})
}

func noCredential() error {
	return fault.New(fault.NotFound, "no such credential, or it is disabled")
}
