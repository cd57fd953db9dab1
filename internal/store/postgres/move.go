package postgres

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// step is how a customer is read, and then moved to the next version.
type step struct {
	find   string
	move   string // writes the record and the change
	update string // writes the record alone
}

var (
	// alone is with a statement for each, in transactions of their own.
	alone = step{selectCustomer, moveCustomer(""), updateCustomer(notOvertaken)}

	// held is in one transaction, which holds the customer meanwhile. It may have
	// begun to write before another one that came first at this customer: then its
	// change would have the lower number, and it has to begin anew.
	held = step{selectCustomer + " FOR UPDATE", moveCustomer(notOvertaken), updateCustomer(notOvertaken)}
)

// move writes the record and the change, as the one of its transaction with this
// place, or neither: errMovedOn says that another change came first.
func (s *Store) move(ctx context.Context, db database, how step, ch customer.Change, place int) error {
	fields, err := layout.EncodeFields(ch.Diff())
	if err != nil {
		return fmt.Errorf("record change: %w", err)
	}
	args := append(values(&ch.After, layout.Moving), movedKeys(ch)...)
	args = append(args, ch.Before.Tenant, ch.Before.ID, ch.Before.Version, s.feedBase, place)
	if s.sharded {
		return s.moveApart(ctx, db, how, args, s.changeArgs(ch, place, fields))
	}
	args = append(args, ch.Event(), ch.By.Actor, text(ch.By.Contract), text(ch.By.RequestID), string(fields))
	return movedOne(ctx, db, how.move, args)
}

// moveApart is move with a statement for each row. Citus sends each to the shard
// that it names; of a statement that writes both it would make several.
func (s *Store) moveApart(ctx context.Context, db database, how step, record, change []any) error {
	both := func(tx pgx.Tx) error {
		if err := movedOne(ctx, tx, how.update, record); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, insertChange, change...)
		return err
	}
	if tx, ok := db.(pgx.Tx); ok {
		return both(tx)
	}
	return pgx.BeginFunc(ctx, s.pool, both)
}

// movedOne runs a statement that writes one customer, or none when it has moved on.
func movedOne(ctx context.Context, db database, query string, args []any) error {
	tag, err := db.Exec(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("update customer: %w", err)
	}
	if tag.RowsAffected() != 1 {
		return errMovedOn
	}
	return nil
}

// changeArgs are the parameters of insertChange.
func (s *Store) changeArgs(ch customer.Change, place int, fields []byte) []any {
	c := &ch.After
	return []any{
		c.Tenant, c.ID, c.Version, c.Number, c.UpdatedAt.UnixMicro(), s.feedBase, place,
		ch.Event(), ch.By.Actor, text(ch.By.Contract), text(ch.By.RequestID), string(fields),
	}
}

// The parameters of updateCustomer: the columns that a change may write, those of
// keys, those that find the record, and those that number the change, by which the
// record alone is held too. moveCustomer has more of the change behind them.
var (
	lastMoving   = len(layout.Moving)
	lastKeyParam = lastMoving + 3
	tenantParam  = param(lastKeyParam + 1)
	idParam      = param(lastKeyParam + 2)
	versionParam = param(lastKeyParam + 3)
	seqParam     = seq(param(lastKeyParam+4), param(lastKeyParam+5))
)

// updateCustomer writes the record at the version before, if the condition holds as
// well.
func updateCustomer(condition string) string {
	return `
		UPDATE customers
		SET (` + layout.Names(layout.Moving) + `) = (` + params(1, lastMoving) + `),
		    last_key = coalesce(` + param(lastMoving+1) + `::text, last_key),
		    first_key = coalesce(` + param(lastMoving+2) + `::text, first_key),
		    keys = coalesce(` + param(lastMoving+3) + `::text, keys)
		WHERE tenant = ` + tenantParam + ` AND id = ` + idParam + ` AND version = ` + versionParam + condition
}

func moveCustomer(condition string) string {
	first := lastKeyParam + 6
	return `
		WITH moved AS (` + updateCustomer(condition) + `
			RETURNING tenant, id, version, number, updated_at
		)
		INSERT INTO changes (tenant, customer_id, version, number, at, seq, event, actor, contract, request_id, fields)
		SELECT tenant, id, version, number, updated_at, ` + seqParam + `,
			` + param(first) + `::text, ` + param(first+1) + `::text, ` + param(first+2) + `::text,
			` + param(first+3) + `::text, ` + param(first+4) + `::text
		FROM moved`
}

// notOvertaken holds when the change that comes next has a higher number than the
// one before.
var notOvertaken = ` AND (
	SELECT seq
	FROM changes
	WHERE tenant = ` + tenantParam + ` AND customer_id = ` + idParam + ` AND version = ` + versionParam + `
) < ` + seqParam

var insertChange = `
	INSERT INTO changes (tenant, customer_id, version, number, at, seq, event, actor, contract, request_id, fields)
	VALUES ($1, $2, $3, $4, $5, ` + seq("$6", "$7") + `, $8, $9, $10, $11, $12)`

// seq is the number of a change: of its transaction, and in that by its place.
func seq(base, place string) string {
	return base + "::bigint + " + firstSeq("pg_current_xact_id()") + " + " + place + "::bigint"
}

// firstSeq is where the numbers of a transaction begin, before the base is added.
func firstSeq(transaction string) string {
	return "(" + transaction + "::text::bigint << " + strconv.Itoa(placeBits) + ")"
}

// placeBits are those for the place of a change in its transaction. What is left
// of an int64 is enough for 140 trillion transactions.
const placeBits = 16
