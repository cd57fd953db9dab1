package layout

import (
	"fmt"
	"log/slog"

	"github.com/go-json-experiment/json"

	"kartotek/internal/access"
	"kartotek/internal/customer"
)

// Row is a row of a query. Scan sets its targets to the columns, in order. A target is a *[]byte, or
// a pointer as Column.Field returns it; NULL sets the zero value.
type Row interface{ Scan(targets ...any) error }

// Table is a table of both engines. Columns are those in a statement, and the order of Scan and
// Values.
type Table[T any] struct {
	Name    string
	Columns string
	Scan    func(Row) (T, error)
	Values  func(T) []any
}

// RowValues returns the values of a row that Scan can read.
func (t Table[T]) RowValues(r Row) ([]any, error) {
	row, err := t.Scan(r)
	if err != nil {
		return nil, err
	}
	return t.Values(row), nil
}

// Change is a row of the table of changes.
type Change struct {
	customer.ChangeRecord // without its Fields
	Tenant                string
	JSON                  string // the fields; see EncodeFields
	SnapshotJSON          string // may be empty
}

// Secret is a secret that all servers of a store share.
type Secret struct {
	Name   string
	Secret []byte
}

// LogValue keeps the secret out of every log.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.Name) }

// The tables of both engines, apart from those that an engine derives from them.
var (
	Customers = Table[customer.Customer]{
		Name:    "customers",
		Columns: Names(Columns),
		Scan:    scanCustomer,
		Values:  func(c customer.Customer) []any { return Values(&c, Columns) },
	}
	Changes = Table[Change]{
		Name:    "changes",
		Columns: "seq, customer_id, number, version, event, actor, actor_name, contract, request_id, at, fields, snapshot, tenant",
		Scan:    scanChange,
		Values: func(c Change) []any {
			return []any{
				c.Seq, c.CustomerID, c.Number, c.Version, c.Event,
				c.Meta.Actor, Text(c.Meta.ActorName), Text(c.Meta.Contract), Text(c.Meta.RequestID), Micros(c.Meta.At), c.JSON, Text(c.SnapshotJSON), c.Tenant,
			}
		},
	}
	IdempotencyRecords = Table[customer.IdempotencyRecord]{
		Name:    "idempotency_records",
		Columns: "tenant, actor, key, digest, response, at",
		Scan: func(row Row) (r customer.IdempotencyRecord, err error) {
			return r, row.Scan(&r.Tenant, &r.Actor, &r.Key, &r.Digest, &r.Response, &r.At)
		},
		Values: func(r customer.IdempotencyRecord) []any {
			response := append([]byte{}, r.Response...) // nil would be NULL
			return []any{r.Tenant, r.Actor, r.Key, r.Digest, response, Micros(r.At)}
		},
	}
	Accounts = Table[access.Account]{
		Name:    "accounts",
		Columns: "id, tenant, login, password_hash, customers, created_at, revoked_at",
		Scan:    scanAccount,
		Values: func(a access.Account) []any {
			var customers any // nil for all customers
			if !a.Customers.All() {
				customers = jsonText(append([]int32{}, a.Customers.Numbers()...))
			}
			return []any{a.ID, a.Tenant, a.Login, a.PasswordHash, customers, Micros(a.CreatedAt), Micros(a.RevokedAt)}
		},
	}
	Keys = Table[access.Key]{
		Name:    "keys",
		Columns: "id, tenant, name, hash, scopes, created_at, revoked_at, require_if_match, allow_stale_writes",
		Scan:    scanKey,
		Values: func(k access.Key) []any {
			return []any{
				k.ID, k.Tenant, k.Name, k.Hash[:], jsonText(k.Scopes), Micros(k.CreatedAt), Micros(k.RevokedAt),
				k.Options.RequireIfMatch, k.Options.AllowStaleWrites,
			}
		},
	}
	Secrets = Table[Secret]{
		Name:    "secrets",
		Columns: "name, secret",
		Scan:    func(row Row) (s Secret, err error) { return s, row.Scan(&s.Name, &s.Secret) },
		Values:  func(s Secret) []any { return []any{s.Name, s.Secret} },
	}
)

func scanCustomer(row Row) (c customer.Customer, err error) {
	targets := make([]any, len(Columns))
	for i, col := range Columns {
		targets[i] = col.Field(&c)
	}
	return c, row.Scan(targets...)
}

func scanChange(row Row) (c Change, err error) {
	return c, row.Scan(&c.Seq, &c.CustomerID, &c.Number, &c.Version, &c.Event,
		&c.Meta.Actor, &c.Meta.ActorName, &c.Meta.Contract, &c.Meta.RequestID, &c.Meta.At, &c.JSON, &c.SnapshotJSON, &c.Tenant)
}

// ScanChangeRecord reads a row of the table of changes, with the fields decoded.
func ScanChangeRecord(row Row) (customer.ChangeRecord, error) {
	c, err := scanChange(row)
	if err != nil {
		return customer.ChangeRecord{}, err
	}
	if c.Fields, err = DecodeFields(c.JSON); err != nil {
		return customer.ChangeRecord{}, fmt.Errorf("change %d: %w", c.Seq, err)
	}
	if c.SnapshotJSON != "" {
		if c.Snapshot, err = DecodeFields(c.SnapshotJSON); err != nil {
			return customer.ChangeRecord{}, fmt.Errorf("snapshot of change %d: %w", c.Seq, err)
		}
	}
	return c.ChangeRecord, nil
}

// ScanInt64 reads a row of one number.
func ScanInt64(row Row) (int64, error) {
	var n int64
	err := row.Scan(&n)
	return n, err
}

func scanAccount(row Row) (access.Account, error) {
	a := access.Account{Customers: access.AllCustomers()}
	var customers string
	err := row.Scan(&a.ID, &a.Tenant, &a.Login, &a.PasswordHash, &customers, &a.CreatedAt, &a.RevokedAt)
	if err != nil || customers == "" {
		return a, err
	}
	var numbers []int32
	if err := json.Unmarshal([]byte(customers), &numbers); err != nil {
		return access.Account{}, fmt.Errorf("customers of an account: %w", err)
	}
	a.Customers = access.OnlyCustomers(numbers...)
	return a, nil
}

func scanKey(row Row) (k access.Key, err error) {
	var hash []byte
	var scopes string
	err = row.Scan(&k.ID, &k.Tenant, &k.Name, &hash, &scopes, &k.CreatedAt, &k.RevokedAt,
		&k.Options.RequireIfMatch, &k.Options.AllowStaleWrites)
	if err != nil {
		return access.Key{}, err
	}
	if copy(k.Hash[:], hash) != len(hash) {
		return access.Key{}, fmt.Errorf("the hash of a key has %d bytes", len(hash))
	}
	if err := json.Unmarshal([]byte(scopes), &k.Scopes); err != nil {
		return access.Key{}, fmt.Errorf("scopes of a key: %w", err)
	}
	return k, nil
}

// jsonText returns the JSON of a list of numbers or scopes, which has one always.
func jsonText(list any) string {
	text, err := json.Marshal(list)
	if err != nil {
		panic(err)
	}
	return string(text)
}
