package postgres

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/store/layout"
	"kartotek/internal/store/terms"
)

// tx is a write transaction that holds the lock of its tenant. It has the rows that its writes need
// in memory, and collects their statements.
type tx struct {
	ctx    context.Context
	db     pgx.Tx
	tenant string

	counters  counters
	customers map[string]customer.Customer // by id
	ids       map[int32]string             // of the customers, by number
	keys      map[actorKey]time.Time       // when the idempotency records with these keys were saved

	statements pgx.Batch
}

// counters are the row of the table tenants.
type counters struct {
	seq        int64 // of the tenant's newest change
	highest    int32 // number of any customer
	lowestFree int32 // all numbers below this one are in use
}

func newTx(ctx context.Context, db pgx.Tx, tenant string) *tx {
	return &tx{
		ctx: ctx, db: db, tenant: tenant,
		customers: map[string]customer.Customer{}, ids: map[int32]string{}, keys: map[actorKey]time.Time{},
	}
}

// load locks the tenant and reads the rows.
func (t *tx) load(n needs) error {
	var batch pgx.Batch
	batch.Queue(lockTenant, t.tenant).QueryRow(func(row pgx.Row) error {
		return row.Scan(&t.counters.seq, &t.counters.highest, &t.counters.lowestFree)
	})
	ids := slices.DeleteFunc(n.ids, func(id string) bool { return !isValidText(id) })
	if len(ids) > 0 {
		batch.Queue(selectByIDs, t.tenant, ids).Query(t.loadCustomers)
	}
	if len(n.numbers) > 0 {
		batch.Queue(selectByNumbers, t.tenant, n.numbers).Query(t.loadCustomers)
	}
	if len(n.keys) > 0 {
		batch.Queue(selectIdempotencyKeys, t.tenant, n.keys).Query(t.loadKeys)
	}
	if err := t.db.SendBatch(t.ctx, &batch).Close(); err != nil {
		return fmt.Errorf("load customers: %w", err)
	}
	return nil
}

func (t *tx) loadCustomers(rows pgx.Rows) error {
	list, err := pgx.CollectRows(rows, scanCustomer)
	for _, c := range list {
		t.put(c)
	}
	return err
}

func (t *tx) loadKeys(rows pgx.Rows) error {
	var key actorKey
	var at time.Time
	_, err := pgx.ForEachRow(rows, []any{&key.actor, &key.key, scanTarget(&at)}, func() error {
		t.keys[key] = at
		return nil
	})
	return err
}

func (t *tx) put(c customer.Customer) {
	t.customers[c.ID] = c
	t.ids[c.Number] = c.ID
}

// find returns a loaded customer, or a NotFound fault.
func (t *tx) find(ref customer.Ref) (customer.Customer, error) {
	id := ref.ID
	if id == "" {
		id = t.ids[ref.Number]
	}
	if c, ok := t.customers[id]; ok {
		return c, nil
	}
	return customer.Customer{}, errNoCustomer()
}

// create returns the creation of the entry's customer.
func (t *tx) create(meta customer.ChangeMeta, entry customer.Upsert) (customer.Change, error) {
	number := entry.Number
	if number == 0 {
		var err error
		if number, err = t.nextNumber(); err != nil {
			return customer.Change{}, err
		}
	}
	ch, err := entry.Create(t.tenant, number, meta)
	if err != nil {
		return customer.Change{}, err
	}
	if err := ch.After.AlreadyExists(t.find); err != nil {
		return customer.Change{}, err
	}
	return ch, nil
}

// nextNumber returns the number after the tenant's highest or, when that is the highest possible,
// the lowest free one.
func (t *tx) nextNumber() (int32, error) {
	if t.counters.highest < math.MaxInt32 {
		return t.counters.highest + 1, nil
	}
	for number := t.counters.lowestFree; ; {
		rows, err := t.db.Query(t.ctx, selectNumbersFrom, t.tenant, number)
		if err != nil {
			return 0, fmt.Errorf("find a free number: %w", err)
		}
		used, err := pgx.CollectRows(rows, pgx.RowTo[int32])
		if err != nil {
			return 0, fmt.Errorf("find a free number: %w", err)
		}
		first := number
		for t.ids[number] != "" || int(number-first) < len(used) && used[number-first] == number {
			number++
		}
		t.counters.lowestFree = number
		if int(number-first) < len(used) || len(used) < numbersPerQuery {
			return number, nil
		}
	}
}

const numbersPerQuery = 1000

// save queues the statements that write the customer, its index terms and the change, unless the
// change is empty.
func (t *tx) save(ch customer.Change) error {
	if ch.Empty() {
		return nil
	}
	diff := ch.Diff()
	fields, snapshot, err := layout.EncodeChange(diff, ch.Snapshot())
	if err != nil {
		return fmt.Errorf("encode change: %w", err)
	}
	t.counters.seq++
	c := ch.After
	if ch.Before.Version == 0 {
		t.counters.highest = max(t.counters.highest, c.Number)
		t.statements.Queue(insertCustomer, layout.Values(&c, layout.Columns)...)
	} else {
		args := append(layout.Values(&c, layout.MutableColumns), t.tenant, c.ID, ch.Before.Version)
		t.statements.Queue(updateCustomer, args...).Exec(requireOneRow)
	}
	added, removed := terms.Diff(ch.Before, c)
	for _, term := range removed {
		t.statements.Queue(deleteTerm, t.tenant, term, c.Number)
	}
	for _, term := range added {
		t.statements.Queue(insertTerm, t.tenant, term, c.Number)
	}
	t.statements.Queue(insertChange, t.tenant, t.counters.seq, c.ID, c.Number, c.Version, ch.Event(),
		ch.Meta.Actor, layout.Text(ch.Meta.ActorName), layout.Text(ch.Meta.Contract), layout.Text(ch.Meta.RequestID), c.UpdatedAt.UnixMicro(), fields, snapshot)
	t.put(c)
	return nil
}

func requireOneRow(tag pgconn.CommandTag) error {
	if tag.RowsAffected() != 1 {
		return errVersionConflict
	}
	return nil
}

// flush sends the collected statements.
func (t *tx) flush() error {
	if t.statements.Len() == 0 {
		return nil
	}
	t.statements.Queue(updateTenant, t.tenant, t.counters.seq, t.counters.highest, t.counters.lowestFree)
	if err := t.db.SendBatch(t.ctx, &t.statements).Close(); err != nil {
		return fmt.Errorf("write customers: %w", err)
	}
	return nil
}

func errNoCustomer() error { return fault.New(fault.NotFound, "no such customer") }

var (
	selectByIDs     = selectCustomers + " AND id = ANY($2::text[])"
	selectByNumbers = selectCustomers + " AND number = ANY($2::integer[])"

	selectCustomers = `
		SELECT ` + layout.Names(layout.Columns) + `
		FROM customers
		WHERE tenant = $1`

	insertCustomer = `
		INSERT INTO customers (` + layout.Names(layout.Columns) + `)
		VALUES (` + placeholders(1, len(layout.Columns)) + `)`

	updateCustomer = `
		UPDATE customers
		SET (` + layout.Names(layout.MutableColumns) + `) = ROW (` + placeholders(1, len(layout.MutableColumns)) + `)
		WHERE tenant = $` + fmt.Sprint(len(layout.MutableColumns)+1) + `
			AND id = $` + fmt.Sprint(len(layout.MutableColumns)+2) + ` AND version = $` + fmt.Sprint(len(layout.MutableColumns)+3)
)

const (
	// lockTenant adds the row of a new tenant. The update of one that exists changes nothing, but
	// locks it, and returns what the last transaction wrote.
	lockTenant = `
		INSERT INTO tenants AS t (tenant, seq, highest, lowest_free)
		VALUES ($1, 0, 0, 1)
		ON CONFLICT (tenant) DO UPDATE
		SET seq = t.seq
		RETURNING seq, highest, lowest_free`

	updateTenant = `
		UPDATE tenants
		SET seq = $2, highest = $3, lowest_free = $4
		WHERE tenant = $1`

	selectNumbersFrom = `
		SELECT number
		FROM customers
		WHERE tenant = $1 AND number >= $2
		ORDER BY number
		LIMIT 1000`

	insertTerm = `
		INSERT INTO terms (tenant, term, number)
		VALUES ($1, $2, $3)`

	deleteTerm = `
		DELETE FROM terms
		WHERE tenant = $1 AND term = $2 AND number = $3`

	insertChange = `
		INSERT INTO changes (tenant, seq, customer_id, number, version, event, actor, actor_name, contract, request_id, at, fields, snapshot)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`
)
