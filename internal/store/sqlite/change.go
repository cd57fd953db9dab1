package sqlite

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
)

// Changes implements customer.Store.
func (s *Store) Changes(ctx context.Context, tenant, id string, below int64, limit int) ([]customer.Recorded, error) {
	return s.recorded(ctx, selectChanges, tenant, id, below, limit)
}

// Feed implements customer.Store. One connection writes, so the numbers that it
// gives are in the order of its commits.
func (s *Store) Feed(ctx context.Context, tenant string, after int64, limit int) ([]customer.Recorded, error) {
	return s.recorded(ctx, selectFeed, tenant, after, limit)
}

func (s *Store) recorded(ctx context.Context, query string, args ...any) ([]customer.Recorded, error) {
	return read(ctx, s, func(conn *sqlite.Conn) (list []customer.Recorded, err error) {
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

func scanChange(stmt *sqlite.Stmt) (customer.Recorded, error) {
	fields, err := decodeFields(stmt.ColumnText(9))
	if err != nil {
		return customer.Recorded{}, fmt.Errorf("change %d: %w", stmt.ColumnInt64(0), err)
	}
	return customer.Recorded{
		Seq:        stmt.ColumnInt64(0),
		CustomerID: stmt.ColumnText(1),
		Number:     stmt.ColumnInt32(2),
		Version:    stmt.ColumnInt64(3),
		Event:      stmt.ColumnText(4),
		By: customer.Signature{
			Actor:     stmt.ColumnText(5),
			Contract:  stmt.ColumnText(6),
			RequestID: stmt.ColumnText(7),
			At:        instant(stmt.ColumnInt64(8)),
		},
		Fields: fields,
	}, nil
}

// enter adds the change to the history. Its time is the record's own, which
// unlike the request's never goes back.
func enter(conn *sqlite.Conn, ch step, diff []customer.FieldChange, seq int64) error {
	fields, err := encodeFields(diff)
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
	stmt.BindText(7, ch.By.Actor)
	bindText(stmt, 8, ch.By.Contract)
	bindText(stmt, 9, ch.By.RequestID)
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

// encodeFields writes {"email":[before,after],…} in the order of the record.
func encodeFields(diff []customer.FieldChange) ([]byte, error) {
	out := []byte{'{'}
	for i, f := range diff {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = appendValue(out, f.Path); err != nil {
			return nil, err
		}
		if out, err = appendValue(append(out, ':', '['), f.Before); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		if out, err = appendValue(append(out, ','), f.After); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		out = append(out, ']')
	}
	return append(out, '}'), nil
}

func appendValue(out []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(out, "null"...), nil
	case string:
		return jsontext.AppendQuote(out, v)
	case bool:
		return strconv.AppendBool(out, v), nil
	case int64:
		return strconv.AppendInt(out, v, 10), nil
	case time.Time:
		return v.UTC().AppendFormat(out, `"2006-01-02T15:04:05.000000Z"`), nil
	}
	return nil, fmt.Errorf("no JSON for a %T", v)
}

// decodeFields reads what encodeFields wrote.
func decodeFields(text string) ([]customer.FieldChange, error) {
	dec := jsontext.NewDecoder(strings.NewReader(text))
	if err := expect(dec, '{'); err != nil {
		return nil, err
	}
	var fields []customer.FieldChange
	for dec.PeekKind() == '"' {
		path, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		f := customer.FieldChange{Path: path.String()}
		if f.Before, f.After, err = readPair(dec, f.Path); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		fields = append(fields, f)
	}
	return fields, expect(dec, '}')
}

func readPair(dec *jsontext.Decoder, path string) (before, after any, err error) {
	if err := expect(dec, '['); err != nil {
		return nil, nil, err
	}
	if before, err = readValue(dec, path); err != nil {
		return nil, nil, err
	}
	if after, err = readValue(dec, path); err != nil {
		return nil, nil, err
	}
	return before, after, expect(dec, ']')
}

func expect(dec *jsontext.Decoder, kind jsontext.Kind) error {
	token, err := dec.ReadToken()
	if err != nil {
		return err
	}
	if token.Kind() != kind {
		return fmt.Errorf("got %v, want %v", token.Kind(), kind)
	}
	return nil
}

// readValue reads what appendValue wrote. JSON has no type for a time, so the path
// tells one.
func readValue(dec *jsontext.Decoder, path string) (any, error) {
	token, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case 'n':
		return nil, nil
	case 't', 'f':
		return token.Bool(), nil
	case '0':
		return token.Int()
	case '"':
		if path == "confirmedAt" {
			return time.Parse(time.RFC3339Nano, token.String())
		}
		return token.String(), nil
	}
	return nil, fmt.Errorf("got %v, want a value", token.Kind())
}
