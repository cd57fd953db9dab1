package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
	"kartotek/internal/store/terms"
	"kartotek/internal/store/transfer"
)

// Copy is a database that another store is copied into. Only one goroutine may use it.
type Copy struct {
	pool       *pgxpool.Pool
	checkpoint transfer.Checkpoint // as in the database, unless another copy has written to it
}

var _ transfer.Target = (*Copy)(nil)

// OpenCopy connects to the database that a URL or a keyword string names, and migrates it to the
// newest schema.
func OpenCopy(ctx context.Context, dsn string) (*Copy, error) {
	pool, err := connect(ctx, dsn, "kartotek copy")
	if err != nil {
		return nil, err
	}
	err = checkDurable(ctx, pool)
	if err == nil {
		err = migrate(ctx, pool)
	}
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("open %s: %w", pool.Config().ConnConfig.Database, singleLine(err))
	}
	return &Copy{pool: pool}, nil
}

// Close closes the connections.
func (c *Copy) Close() { c.pool.Close() }

// Start implements transfer.Target. It saves the checkpoint before it looks for servers: one that
// starts later finds the checkpoint and fails.
func (c *Copy) Start(ctx context.Context, from transfer.SourceID) (transfer.Checkpoint, error) {
	fresh := false
	err := pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		var source string
		err := tx.QueryRow(ctx, selectCopyState).Scan(&source, &c.checkpoint.Seq, &c.checkpoint.Customers, &c.checkpoint.Changes)
		if errors.Is(err, pgx.ErrNoRows) {
			fresh = true
			return c.startNew(ctx, tx, from)
		}
		if err == nil && source != from.Name {
			return errors.New("the database contains a partial copy of another source: use an empty database")
		}
		return err
	})
	if err != nil {
		return transfer.Checkpoint{}, err
	}
	if err := c.requireExclusive(ctx); err != nil {
		if fresh {
			_, undone := c.pool.Exec(context.WithoutCancel(ctx), deleteCopyState)
			err = errors.Join(err, undone)
		}
		return transfer.Checkpoint{}, err
	}
	return c.checkpoint, nil
}

func (c *Copy) startNew(ctx context.Context, tx pgx.Tx, from transfer.SourceID) error {
	var notEmpty bool
	if err := tx.QueryRow(ctx, selectNotEmpty).Scan(&notEmpty); err != nil {
		return err
	}
	if notEmpty {
		return errors.New("the database is not empty: it has customers, accounts, keys or idempotency records")
	}
	c.checkpoint = transfer.Checkpoint{Seq: from.Seq}
	_, err := tx.Exec(ctx, insertCopyState, from.Name, from.Seq)
	return err
}

// requireExclusive returns an error when a server or another command has the database open. One
// that has just stopped may remain visible for a moment.
func (c *Copy) requireExclusive(ctx context.Context) error {
	for until := time.Now().Add(exclusiveTimeout); ; time.Sleep(20 * time.Millisecond) {
		var open bool
		if err := c.pool.QueryRow(ctx, selectServers, appName).Scan(&open); err != nil || !open {
			return err
		}
		if time.Now().After(until) {
			return errors.New("a server, or another command, has the database open: stop it")
		}
	}
}

const exclusiveTimeout = time.Second

// Put implements transfer.Target.
func (c *Copy) Put(ctx context.Context, b transfer.Batch) error {
	err := pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		if err := c.advanceCheckpoint(ctx, tx, b.Checkpoint); err != nil {
			return err
		}
		if err := remove(ctx, tx, b.Changed); err != nil {
			return err
		}
		var customers []customer.Customer
		for _, c := range slices.Concat(b.Changed, b.Customers) {
			customers = append(customers, c.Customer)
		}
		if err := copyList(ctx, tx, layout.Customers, customers); err != nil {
			return err
		}
		return copyList(ctx, tx, layout.Changes, b.Changes)
	})
	if err == nil {
		c.checkpoint = b.Checkpoint
	}
	return err
}

// advanceCheckpoint locks the checkpoint until the end of the transaction, so that of two copies only
// one writes.
func (c *Copy) advanceCheckpoint(ctx context.Context, tx pgx.Tx, to transfer.Checkpoint) error {
	tag, err := tx.Exec(ctx, updateCopyState, c.checkpoint.Seq, c.checkpoint.Customers, c.checkpoint.Changes, to.Seq, to.Customers, to.Changes)
	if err == nil && tag.RowsAffected() != 1 {
		err = errors.New("another copy into the database is running")
	}
	return err
}

// remove deletes the customers that the batch replaces. Each statement names the tenant.
func remove(ctx context.Context, tx pgx.Tx, list []transfer.Customer) error {
	var all pgx.Batch
	for _, c := range list {
		all.Queue(deleteCustomer, c.Tenant, c.ID)
	}
	return tx.SendBatch(ctx, &all).Close()
}

// ReplaceSmallTables implements transfer.Target.
func (c *Copy) ReplaceSmallTables(ctx context.Context, from transfer.Dump) error {
	return pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		if err := c.advanceCheckpoint(ctx, tx, c.checkpoint); err != nil {
			return err
		}
		for _, table := range transfer.SmallTables {
			if _, err := tx.Exec(ctx, "DELETE FROM "+table.Name); err != nil {
				return err
			}
			if err := copyRows(ctx, tx, table.Name, table.Columns, table.RowsOf(ctx, from)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Index implements transfer.Target. It builds the search index of all customers.
func (c *Copy) Index(ctx context.Context) error {
	return pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		if err := c.advanceCheckpoint(ctx, tx, c.checkpoint); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM terms"); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		return copyRows(ctx, tx, "terms", "tenant, term, number", c.allTerms(ctx))
	})
}

// allTerms returns the rows of the table terms.
func (c *Copy) allTerms(ctx context.Context) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for row, err := range c.Rows(ctx, layout.Customers.Name, layout.Customers.Columns) {
			if err != nil {
				yield(nil, err)
				return
			}
			found, err := layout.Customers.Scan(row)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, term := range terms.Of(found) {
				if !yield([]any{found.Tenant, term, found.Number}, nil) {
					return
				}
			}
		}
	}
}

// Complete implements transfer.Target.
func (c *Copy) Complete(ctx context.Context) error {
	return pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		if err := c.advanceCheckpoint(ctx, tx, c.checkpoint); err != nil {
			return err
		}
		for _, statement := range []string{"DELETE FROM tenants", insertTenants, analyze, deleteCopyState} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return fmt.Errorf("finish the copy: %w", err)
			}
		}
		return nil
	})
}

const (
	selectCopyState = `
		SELECT source, seq, customers, changes
		FROM copy_state`

	// selectNotEmpty finds rows that the copy would lose. Secrets alone have no use.
	selectNotEmpty = `
		SELECT EXISTS (SELECT FROM customers) OR EXISTS (SELECT FROM changes)
			OR EXISTS (SELECT FROM accounts) OR EXISTS (SELECT FROM keys) OR EXISTS (SELECT FROM idempotency_records)`

	insertCopyState = `
		INSERT INTO copy_state (one, source, seq, customers, changes)
		VALUES (1, $1, $2, 0, 0)`

	updateCopyState = `
		UPDATE copy_state
		SET (seq, customers, changes) = ($4, $5, $6)
		WHERE (seq, customers, changes) = ($1, $2, $3)`

	deleteCopyState = `
		DELETE FROM copy_state`

	selectServers = `
		SELECT EXISTS (
			SELECT
			FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = $1
		)`

	deleteCustomer = `
		DELETE FROM customers
		WHERE tenant = $1 AND id = $2`

	insertTenants = `
		INSERT INTO tenants (tenant, seq, highest, lowest_free)
		SELECT customers.tenant, max(last_seq), max(number), 1
		FROM customers
		JOIN (
			SELECT tenant, max(seq) AS last_seq
			FROM changes
			GROUP BY tenant
		) AS newest USING (tenant)
		GROUP BY customers.tenant`

	analyze = `
		ANALYZE customers, terms, changes, idempotency_records`
)
