package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// Changes implements customer.Store.
func (s *Store) Changes(ctx context.Context, tenant, id string, below int64, limit int) ([]customer.ChangeRecord, error) {
	return s.recorded(ctx, selectChanges, tenant, id, below, limit)
}

// Feed implements customer.Store. One connection writes, so the numbers that it
// gives are in the order of its commits.
func (s *Store) Feed(ctx context.Context, tenant string, after int64, limit int) ([]customer.ChangeRecord, error) {
	return s.recorded(ctx, selectFeed, tenant, after, limit)
}

func (s *Store) recorded(ctx context.Context, query string, args ...any) ([]customer.ChangeRecord, error) {
	return read(ctx, s, func(conn *sqlite.Conn) (list []customer.ChangeRecord, err error) {
		err = sqlitex.Execute(conn, query, &sqlitex.ExecOptions{
			Args: args,
			ResultFunc: func(stmt *sqlite.Stmt) error {
				r, err := scanChange(stmt)
				list = append(list, r)
				return err
			},
		})
		if err != nil {
			return nil, fmt.Errorf("read changes: %w", err)
		}
		return list, nil
	})
}

const (
	changeColumns = "seq, customer_id, number, changes.version, event, actor, contract, request_id, at, fields"

	// selectChanges walks the customer's chain, from the newest, as far as it must.
	selectChanges = `
		WITH RECURSIVE chain (link, number) AS (
			SELECT last_change, number
			FROM customers
			WHERE tenant = ? AND id = ?
			UNION ALL
			SELECT previous, number
			FROM chain
			JOIN changes ON seq = link
			WHERE previous IS NOT NULL
		)
		SELECT ` + changeColumns + `
		FROM chain
		JOIN changes ON seq = link
		WHERE changes.version < ?
		LIMIT ?`

	selectFeed = `
		SELECT ` + changeColumns + `
		FROM changes
		JOIN customers ON customers.tenant = changes.tenant AND customers.id = customer_id
		WHERE changes.tenant = ? AND seq > ?
		ORDER BY seq
		LIMIT ?`
)

func scanChange(stmt *sqlite.Stmt) (customer.ChangeRecord, error) {
	fields, err := layout.DecodeFields(stmt.ColumnText(9))
	if err != nil {
		return customer.ChangeRecord{}, fmt.Errorf("change %d: %w", stmt.ColumnInt64(0), err)
	}
	return customer.ChangeRecord{
		Seq:        stmt.ColumnInt64(0),
		CustomerID: stmt.ColumnText(1),
		Number:     stmt.ColumnInt32(2),
		Version:    stmt.ColumnInt64(3),
		Event:      stmt.ColumnText(4),
		Meta:       scanSignature(stmt),
		Fields:     fields,
	}, nil
}

func scanSignature(stmt *sqlite.Stmt) customer.ChangeMeta {
	return customer.ChangeMeta{
		Actor:     stmt.ColumnText(5),
		Contract:  stmt.ColumnText(6),
		RequestID: stmt.ColumnText(7),
		At:        layout.FromMicros(stmt.ColumnInt64(8)),
	}
}

// enter adds the change to the history. Its time is the record's own, which
// unlike the request's never goes back.
func enter(conn *sqlite.Conn, ch step, diff []customer.FieldChange, seq int64) error {
	fields, err := layout.EncodeFields(diff)
	if err != nil {
		return fmt.Errorf("record change: %w", err)
	}
	stmt, err := conn.Prepare(insertChange)
	if err != nil {
		return fmt.Errorf("record change: %w", err)
	}
	stmt.BindInt64(1, seq)
	if ch.previous != 0 {
		stmt.BindInt64(2, ch.previous)
	}
	stmt.BindText(3, ch.After.Tenant)
	stmt.BindText(4, ch.After.ID)
	stmt.BindInt64(5, ch.After.Version)
	stmt.BindText(6, ch.Event())
	stmt.BindText(7, ch.Meta.Actor)
	bindText(stmt, 8, ch.Meta.Contract)
	bindText(stmt, 9, ch.Meta.RequestID)
	stmt.BindInt64(10, ch.After.UpdatedAt.UnixMicro())
	stmt.BindText(11, string(fields))
	if _, err := stmt.Step(); err != nil {
		return fmt.Errorf("record change: %w", err)
	}
	return nil
}

const insertChange = `
	INSERT INTO changes (seq, previous, tenant, customer_id, version, event, actor, contract, request_id, at, fields)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// lastSeq is that of the newest change of all, or 0.
func lastSeq(conn *sqlite.Conn) (int64, error) { return integer(conn, selectLastSeq) }

const selectLastSeq = `
	SELECT max(seq)
	FROM changes`
