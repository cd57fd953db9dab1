package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"

	"kartotek/internal/store/layout"
)

// Table is a table that both sides have.
type Table struct {
	Name, Columns string
	values        func(layout.Row) ([]any, error) // of the columns
}

// SmallTables are the tables that are neither customers nor changes.
var SmallTables = []Table{
	tableOf(layout.IdempotencyRecords), tableOf(layout.Accounts), tableOf(layout.Keys), tableOf(layout.Secrets),
}

var allTables = append([]Table{tableOf(layout.Customers), tableOf(layout.Changes)}, SmallTables...)

func tableOf[T any](t layout.Table[T]) Table { return Table{t.Name, t.Columns, t.RowValues} }

// RowsOf returns the values of all rows.
func (t Table) RowsOf(ctx context.Context, d Dump) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for row, err := range d.Rows(ctx, t.Name, t.Columns) {
			var values []any
			if err == nil {
				values, err = t.values(row)
			}
			if !yield(values, err) || err != nil {
				return
			}
		}
	}
}

// checksum is the checksum of the rows of a table, in any order: their count and the sum of their
// digests.
type checksum struct {
	rows    int64
	digests [4]uint64
}

func (t Table) sum(ctx context.Context, d Dump, advance func(rows int)) (checksum, error) {
	var s checksum
	var encoded []byte
	for values, err := range t.RowsOf(ctx, d) {
		if err != nil {
			return checksum{}, err
		}
		encoded = encoded[:0]
		for _, v := range values {
			encoded = appendValue(encoded, v)
		}
		s.rows++
		digest := sha256.Sum256(encoded)
		for i := range s.digests {
			s.digests[i] += binary.LittleEndian.Uint64(digest[8*i:])
		}
		advance(1)
	}
	return s, nil
}

// appendValue appends a value of a column. Different rows of a table have different encodings.
func appendValue(out []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(out, 'n')
	case bool:
		if v {
			return append(out, 't')
		}
		return append(out, 'f')
	case int32:
		return binary.AppendVarint(append(out, 'i'), int64(v))
	case int64:
		return binary.AppendVarint(append(out, 'i'), v)
	case string:
		return append(binary.AppendUvarint(append(out, 's'), uint64(len(v))), v...)
	case []byte:
		return append(binary.AppendUvarint(append(out, 's'), uint64(len(v))), v...)
	}
	panic(fmt.Sprintf("a column has a %T", v))
}
