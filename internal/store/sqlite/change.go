package sqlite

import (
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"zombiezen.com/go/sqlite"

	"kartotek/internal/customer"
)

// record adds the change to the history. Its time is the record's own, which
// unlike the request's never goes back.
func record(conn *sqlite.Conn, ch customer.Change) error {
	fields, err := encodeFields(ch.Diff())
	if err != nil {
		return fmt.Errorf("record change: %w", err)
	}
	stmt, err := conn.Prepare(insertChange)
	if err != nil {
		return fmt.Errorf("record change: %w", err)
	}
	stmt.BindText(1, ch.After.Tenant)
	stmt.BindText(2, ch.After.ID)
	stmt.BindInt64(3, ch.After.Version)
	stmt.BindText(4, ch.Event())
	stmt.BindText(5, ch.By.Actor)
	bindText(stmt, 6, ch.By.Contract)
	bindText(stmt, 7, ch.By.RequestID)
	stmt.BindInt64(8, ch.After.UpdatedAt.UnixMicro())
	stmt.BindText(9, string(fields))
	if _, err := stmt.Step(); err != nil {
		return fmt.Errorf("record change: %w", err)
	}
	return nil
}

const insertChange = `
	INSERT INTO changes (tenant, customer_id, version, event, actor, contract, request_id, at, fields)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`

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
