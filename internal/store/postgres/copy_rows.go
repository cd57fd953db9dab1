package postgres

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/store/layout"
)

// copyList writes rows into a table.
func copyList[T any](ctx context.Context, tx pgx.Tx, table layout.Table[T], list []T) error {
	if len(list) == 0 {
		return nil
	}
	return copyInto(ctx, tx, table.Name, table.Columns, pgx.CopyFromSlice(len(list), func(i int) ([]any, error) {
		return table.Values(list[i]), nil
	}))
}

// copyRows writes rows into a table, each when it has been read.
func copyRows(ctx context.Context, tx pgx.Tx, table, columns string, rows iter.Seq2[[]any, error]) error {
	next, stop := iter.Pull2(rows)
	defer stop()
	return copyInto(ctx, tx, table, columns, pgx.CopyFromFunc(func() ([]any, error) {
		values, err, _ := next() // nil at the end
		return values, err
	}))
}

func copyInto(ctx context.Context, tx pgx.Tx, table, columns string, from pgx.CopyFromSource) error {
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{table}, strings.Split(columns, ", "), from); err != nil {
		return fmt.Errorf("write %s: %w", table, err)
	}
	return nil
}

// Rows implements transfer.Dump.
func (c *Copy) Rows(ctx context.Context, table, columns string) iter.Seq2[layout.Row, error] {
	return func(yield func(layout.Row, error) bool) {
		rows, err := c.pool.Query(ctx, "SELECT "+columns+" FROM "+table)
		if err == nil {
			defer rows.Close()
			for rows.Next() {
				if !yield(row{rows}, nil) {
					return
				}
			}
			err = rows.Err()
		}
		if err != nil {
			yield(nil, fmt.Errorf("read %s: %w", table, err))
		}
	}
}
