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
	alone = step{find: selectCustomer, move: moveCustomer(""), update: updateCustomer(notOvertaken(param))}

	// held is in one transaction, which holds the customer meanwhile. It may have
	// begun to write before another one that came first at this customer: then its
	// change would have the lower number, and it has to begin anew.
	held = step{find: selectCustomer + " FOR UPDATE", move: moveCustomer(notOvertaken(param)), update: updateCustomer(notOvertaken(param))}
)

// move writes the record and the change, or neither: errMovedOn says that another
// change came first.
func (s *Store) move(ctx context.Context, db database, how step, ch customer.Change) error {
	if s.sharded {
		return s.moveApart(ctx, db, how, ch, 0)
	}
	args, err := s.moveArgs(ch, 0)
	if err != nil {
		return err
	}
	return movedOne(ctx, db, how.move, args)
}

// moveApart is move with a statement for each row. Citus sends each to the shard
// that it names; of a statement that writes both it would make several.
func (s *Store) moveApart(ctx context.Context, db database, how step, ch customer.Change, place int) error {
	fields, err := layout.EncodeFields(ch.Diff())
	if err != nil {
		return fmt.Errorf("record change: %w", err)
	}
	record, change := s.recordArgs(ch, place), s.changeArgs(ch, place, fields)
	both := func(tx pgx.Tx) error {
		if err := movedOne(ctx, tx, how.update, record); err != nil {
			return err
		}
		if digits := movedDigits(ch); digits != nil {
			if _, err := tx.Exec(ctx, putPhones, ch.After.Tenant, ch.After.ID, digits); err != nil {
				return fmt.Errorf("write phones: %w", err)
			}
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

// moveArgs are the parameters of moveCustomer, for the change of its transaction with
// this place.
func (s *Store) moveArgs(ch customer.Change, place int) ([]any, error) {
	fields, err := layout.EncodeFields(ch.Diff())
	if err != nil {
		return nil, fmt.Errorf("record change: %w", err)
	}
	args := append(s.recordArgs(ch, place), eventArgs(ch, fields)...)
	return append(args, movedDigits(ch)), nil
}

// recordArgs are the parameters of updateCustomer.
func (s *Store) recordArgs(ch customer.Change, place int) []any {
	args := append(values(&ch.After, layout.MutableColumns), movedKeys(ch)...)
	return append(args, ch.Before.Tenant, ch.Before.ID, ch.Before.Version, s.feedBase, int64(place))
}

// changeArgs are the parameters of insertChange.
func (s *Store) changeArgs(ch customer.Change, place int, fields []byte) []any {
	c := &ch.After
	return append([]any{c.Tenant, c.ID, c.Version, c.Number, c.UpdatedAt.UnixMicro(), s.feedBase, int64(place)}, eventArgs(ch, fields)...)
}

// eventArgs are those of what happened.
func eventArgs(ch customer.Change, fields []byte) []any {
	return []any{ch.Event(), ch.Meta.Actor, text(ch.Meta.Contract), text(ch.Meta.RequestID), string(fields)}
}

// The parameters of updateCustomer: the columns that a change may write, those of
// keys, those that find the record, and those that number the change, by which the
// record alone is held too. moveCustomer has behind them what happened, and the
// digits of phones.
var (
	lastMoving   = len(layout.MutableColumns)
	keysParam    = lastMoving + 1 // the first of three
	tenantParam  = lastMoving + 4
	idParam      = lastMoving + 5
	versionParam = lastMoving + 6
	baseParam    = lastMoving + 7
	placeParam   = lastMoving + 8
	eventParam   = lastMoving + 9 // the first of five
	digitsParam  = lastMoving + 14
	rowParam     = lastMoving + 15 // only in together.go
)

// updateCustomer writes the record at the version before, if the condition holds as
// well.
func updateCustomer(condition string) string {
	return `
		UPDATE customers
		SET ` + setMoving(param) + `
		WHERE tenant = ` + param(tenantParam) + ` AND id = ` + param(idParam) + ` AND version = ` + param(versionParam) + condition
}

// setMoving sets the columns to the parameters, each as it is written.
func setMoving(written func(int) string) string {
	return `(` + layout.Names(layout.MutableColumns) + `) = (` + listed(written, 1, lastMoving) + `),
		    last_key = coalesce(` + written(keysParam) + `::text, last_key),
		    first_key = coalesce(` + written(keysParam+1) + `::text, first_key),
		    keys = coalesce(` + written(keysParam+2) + `::text, keys)`
}

func moveCustomer(condition string) string {
	return `
		WITH moved AS (` + updateCustomer(condition) + `
			RETURNING tenant, id, version, number, updated_at
		)` + insertMoved(param)
}

// insertMoved writes the phones and the changes of customers that were moved.
func insertMoved(written func(int) string) string {
	digits := written(digitsParam) + "::text"
	return `, called AS (
			` + intoPhones + `
			SELECT tenant, id, ` + digits + `
			FROM moved
			WHERE ` + digits + ` IS NOT NULL
			` + overPhones + `
		)
		` + intoChanges + `
		SELECT tenant, id, version, number, updated_at, ` + seq(written(baseParam), written(placeParam)) + `,
			` + written(eventParam) + `::text, ` + written(eventParam+1) + `::text, ` + written(eventParam+2) + `::text,
			` + written(eventParam+3) + `::text, ` + written(eventParam+4) + `::text
		FROM moved`
}

// notOvertaken holds when the change that comes next has a higher number than the
// one before.
func notOvertaken(written func(int) string) string {
	return ` AND (
	SELECT seq
	FROM changes
	WHERE tenant = ` + written(tenantParam) + ` AND customer_id = ` + written(idParam) + ` AND version = ` + written(versionParam) + `
) < ` + seq(written(baseParam), written(placeParam))
}

const (
	intoPhones = "INSERT INTO phones (tenant, id, digits)"
	overPhones = "ON CONFLICT (tenant, id) DO UPDATE SET digits = excluded.digits"

	putPhones = intoPhones + " VALUES ($1, $2, $3) " + overPhones
)

const intoChanges = "INSERT INTO changes (tenant, customer_id, version, number, at, seq, event, actor, contract, request_id, fields)"

var insertChange = intoChanges + `
	VALUES (` + changeRowValues(param) + `)`

// changeRowValues are those of changeArgs, each as it is written.
func changeRowValues(written func(int) string) string {
	return listed(written, 1, 5) + ", " + seq(written(6), written(7)) + ", " + listed(written, 8, 12)
}

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
