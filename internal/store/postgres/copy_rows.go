package postgres

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
	"kartotek/internal/store/transfer"
)

// copyList writes rows into a table.
func copyList[T any](ctx context.Context, tx pgx.Tx, table, columns string, list []T, values func(T) []any) error {
	if len(list) == 0 {
		return nil
	}
	return copyInto(ctx, tx, table, columns, pgx.CopyFromSlice(len(list), func(i int) ([]any, error) {
		return values(list[i]), nil
	}))
}

// copyRows writes rows into a table, each when it has been read.
func copyRows[T any](ctx context.Context, tx pgx.Tx, table, columns string, rows iter.Seq2[T, error], values func(T) []any) error {
	next, stop := iter.Pull2(rows)
	defer stop()
	return copyInto(ctx, tx, table, columns, pgx.CopyFromFunc(func() ([]any, error) {
		row, err, more := next()
		if err != nil || !more {
			return nil, err
		}
		return values(row), nil
	}))
}

func copyInto(ctx context.Context, tx pgx.Tx, table, columns string, from pgx.CopyFromSource) error {
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{table}, strings.Split(columns, ", "), from); err != nil {
		return fmt.Errorf("write %s: %w", table, err)
	}
	return nil
}

// The columns of rows as they are copied, with their values.
var customerColumns = layout.Names(layout.Columns)

func customerValues(c transfer.Customer) []any {
	return columnValues(&c.Customer, layout.Columns)
}

const allChangeColumns = changeColumns + ", tenant"

func changeValues(c transfer.Change) []any {
	return []any{
		c.Seq, c.CustomerID, c.Number, c.Version, c.Event,
		c.Meta.Actor, nullText(c.Meta.Contract), nullText(c.Meta.RequestID), micros(c.Meta.At), c.Fields, c.Tenant,
	}
}

const idempotencyColumns = "tenant, key, digest, response, at"

func idempotencyValues(r customer.IdempotencyRecord) []any {
	return []any{r.Tenant, r.Key, r.Digest, r.Response, micros(r.At)}
}

const secretColumns = "name, secret"

func secretValues(s transfer.Secret) []any { return []any{s.Name, s.Secret} }

// Customers implements transfer.Dump.
func (c *Copy) Customers(ctx context.Context) iter.Seq2[transfer.Customer, error] {
	return allRows(ctx, c, "customers", customerColumns, func(row pgx.CollectableRow) (transfer.Customer, error) {
		found, err := scanCustomer(row)
		return transfer.Customer{Customer: found}, err
	})
}

// Changes implements transfer.Dump.
func (c *Copy) Changes(ctx context.Context) iter.Seq2[transfer.Change, error] {
	return allRows(ctx, c, "changes", allChangeColumns, func(row pgx.CollectableRow) (ch transfer.Change, err error) {
		return ch, row.Scan(&ch.Seq, &ch.CustomerID, &ch.Number, &ch.Version, &ch.Event,
			&ch.Meta.Actor, scanTarget(&ch.Meta.Contract), scanTarget(&ch.Meta.RequestID), scanTarget(&ch.Meta.At), &ch.Fields, &ch.Tenant)
	})
}

// IdempotencyRecords implements transfer.Dump.
func (c *Copy) IdempotencyRecords(ctx context.Context) iter.Seq2[customer.IdempotencyRecord, error] {
	return allRows(ctx, c, "idempotency_records", idempotencyColumns, func(row pgx.CollectableRow) (r customer.IdempotencyRecord, err error) {
		return r, row.Scan(&r.Tenant, &r.Key, &r.Digest, &r.Response, scanTarget(&r.At))
	})
}

// Accounts implements transfer.Dump.
func (c *Copy) Accounts(ctx context.Context) iter.Seq2[access.Account, error] {
	return allRows(ctx, c, "accounts", accountColumns, scanAccount)
}

// Keys implements transfer.Dump.
func (c *Copy) Keys(ctx context.Context) iter.Seq2[access.Key, error] {
	return allRows(ctx, c, "keys", keyColumns, scanKey)
}

// Secrets implements transfer.Dump.
func (c *Copy) Secrets(ctx context.Context) iter.Seq2[transfer.Secret, error] {
	return allRows(ctx, c, "secrets", secretColumns, pgx.RowToStructByPos[transfer.Secret])
}

// allRows are those of a table, each read when it is asked for.
func allRows[T any](ctx context.Context, c *Copy, table, columns string, scan pgx.RowToFunc[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		rows, err := c.pool.Query(ctx, "SELECT "+columns+" FROM "+table)
		if err != nil {
			yield(none, fmt.Errorf("read %s: %w", table, err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			row, err := scan(rows)
			if err != nil {
				yield(none, fmt.Errorf("read %s: %w", table, err))
				return
			}
			if !yield(row, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(none, fmt.Errorf("read %s: %w", table, err))
		}
	}
}
