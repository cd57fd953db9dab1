package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/store/layout"
)

// Create implements customer.Store.
func (s *Store) Create(ctx context.Context, tenant string, by customer.ChangeMeta, entry customer.Upsert, once *customer.Idempotency) (ch customer.Change, err error) {
	create := func(ctx context.Context, tx pgx.Tx) (ch customer.Change, err error) {
		err = s.load(ctx, tx, tenant, by, []customer.Upsert{entry}, func(l *load) error {
			ch, err = l.create(ctx, entry)
			return err
		})
		return ch, err
	}
	err = s.write(ctx, s.turns.in(customer.Ref{Tenant: tenant}, func(ctx context.Context) (err error) {
		if once != nil {
			ch, err = s.onlyOnce(ctx, tenant, by, once, create)
			return err
		}
		return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
			ch, err = create(ctx, tx)
			return err
		})
	}))
	if err != nil {
		return customer.Change{}, err
	}
	return ch, nil
}

// Upsert implements customer.Store: all entries in one transaction.
func (s *Store) Upsert(ctx context.Context, tenant string, by customer.ChangeMeta, entries []customer.Upsert) (results []customer.UpsertResult, err error) {
	if len(entries) > maxEntries {
		return nil, fmt.Errorf("put %d entries: at most %d", len(entries), maxEntries)
	}
	err = s.write(ctx, s.turns.in(customer.Ref{Tenant: tenant}, func(ctx context.Context) error {
		results = make([]customer.UpsertResult, len(entries))
		return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			return s.load(ctx, tx, tenant, by, entries, func(l *load) error {
				return l.putAll(ctx, entries, results)
			})
		})
	}))
	if err != nil {
		return nil, err
	}
	return results, nil
}

// maxEntries is how many changes a transaction has places for.
const maxEntries = 1<<placeBits - 1

// load is a transaction that makes customers of a tenant. It holds the tenant, so
// that no other one makes any: who is there is looked up once, for all entries.
type load struct {
	*Store
	tx              pgx.Tx
	tenant          string
	by              customer.ChangeMeta
	place           int                     // of the next change in the transaction
	highest, filled int32                   // see schema/0001_customers.sql
	grown           bool                    // whether these have changed
	there           map[customer.Ref]string // the ids of those whom entries name, by id and by number
	before          map[string]current      // those of them whom the transaction holds and has not changed, by id
	pending         pgx.Batch               // statements that wait to be sent, behind these rows

	numbers, customers, changes, moves [][]any
}

// load runs fn, and writes what it leaves to be written.
func (s *Store) load(ctx context.Context, tx pgx.Tx, tenant string, by customer.ChangeMeta, entries []customer.Upsert, fn func(*load) error) error {
	l := &load{Store: s, tx: tx, tenant: tenant, by: by, there: map[customer.Ref]string{}, before: map[string]current{}}
	if err := tx.QueryRow(ctx, holdTenant, tenant).Scan(&l.highest, &l.filled); err != nil {
		return fmt.Errorf("hold tenant: %w", err)
	}
	if err := l.lookUp(ctx, entries); err != nil {
		return fmt.Errorf("look up customers: %w", err)
	}
	if err := fn(l); err != nil {
		return err
	}
	if l.grown {
		l.pending.Queue(growTenant, tenant, l.highest, l.filled)
	}
	return l.write(ctx)
}

// lookUp finds out who of those whom the entries name is there.
func (l *load) lookUp(ctx context.Context, entries []customer.Upsert) error {
	var ids []string
	var numbers []int32
	for _, e := range entries {
		if id := cmp.Or(e.ID, e.GeneratedID); storable(id) {
			ids = append(ids, id)
		}
		if e.Number != 0 {
			numbers = append(numbers, e.Number)
		}
	}
	if err := l.note(ctx, selectIDs, ids); err != nil {
		return err
	}
	return l.note(ctx, selectNumbers, numbers)
}

// note notes the customers whom the query finds for the tenant and the names.
func (l *load) note(ctx context.Context, query string, names any) error {
	rows, err := l.tx.Query(ctx, query, l.tenant, names)
	if err != nil {
		return err
	}
	var id string
	var number int32
	_, err = pgx.ForEachRow(rows, []any{&id, &number}, func() error {
		l.there[customer.ByID(l.tenant, id)] = id
		l.there[customer.ByNumber(l.tenant, number)] = id
		return nil
	})
	return err
}

// write writes what waits for it.
func (l *load) write(ctx context.Context) error {
	if len(l.customers) > 0 {
		l.pending.Queue(insertNumbers, numberRow.arrays(l.numbers)...)
		l.pending.Queue(insertCustomers, customerRow.arrays(l.customers)...)
		l.pending.Queue(insertChanges, changeRow.arrays(l.changes)...)
		l.numbers, l.customers, l.changes = nil, nil, nil
	}
	if n := len(l.moves); n > 0 {
		l.pending.Queue(moveHeld, movingRow.arrays(l.moves)...).Exec(func(done pgconn.CommandTag) error {
			if done.RowsAffected() != int64(n) {
				return errMovedOn
			}
			return nil
		})
		l.moves = nil
	}
	if l.pending.Len() == 0 {
		return nil
	}
	err := l.tx.SendBatch(ctx, &l.pending).Close()
	l.pending = pgx.Batch{}
	if err != nil {
		return fmt.Errorf("write customers: %w", err)
	}
	return nil
}

func (l *load) putAll(ctx context.Context, entries []customer.Upsert, results []customer.UpsertResult) error {
	if err := l.holdAll(ctx, entries); err != nil {
		return fmt.Errorf("hold customers: %w", err)
	}
	for i, e := range entries {
		ch, err := l.put(ctx, e)
		if err != nil && !fault.IsFault(err) {
			return err
		}
		results[i] = customer.UpsertResult{Change: ch, Err: err}
	}
	return nil
}

// about is the id of the customer whom the entry is about, or empty when there is none.
func (l *load) about(e customer.Upsert) string {
	ref, ok := e.Ref(l.tenant)
	if ref.ID != "" {
		ref.Number = 0 // the id decides
	}
	if !ok {
		return ""
	}
	return l.there[ref]
}

// put returns a fault when it wrote nothing.
func (l *load) put(ctx context.Context, e customer.Upsert) (customer.Change, error) {
	id := l.about(e)
	if id == "" {
		return l.create(ctx, e)
	}
	before, err := l.hold(ctx, id)
	if err != nil {
		return customer.Change{}, err
	}
	ch, err := e.Update(before.Customer, l.by)
	if err != nil || ch.Empty() {
		return ch, err
	}
	delete(l.before, id)
	l.place++
	if l.sharded {
		return ch, l.moveApart(ctx, l.tx, held, ch, l.place)
	}
	args, err := l.moveArgs(ch, l.place)
	if err != nil {
		return customer.Change{}, err
	}
	l.moves = append(l.moves, append(args, before.row))
	return ch, nil
}

// holdAll holds the customers whom the entries may change, and reads them.
func (l *load) holdAll(ctx context.Context, entries []customer.Upsert) error {
	if l.sharded { // each is on a shard of his own
		return nil
	}
	named := map[string]bool{}
	for _, e := range entries {
		if id := l.about(e); id != "" {
			named[id] = true
		}
	}
	rows, err := l.tx.Query(ctx, holdCustomers, l.tenant, slices.Sorted(maps.Keys(named)))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var row uint32
		c, err := scanCustomer(rows, &row)
		if err != nil {
			return err
		}
		l.before[c.ID] = current{c, row}
	}
	return rows.Err()
}

// hold holds and reads one whom an entry before may have made or changed.
func (l *load) hold(ctx context.Context, id string) (c current, err error) {
	if c, ok := l.before[id]; ok {
		return c, nil
	}
	if err := l.write(ctx); err != nil {
		return current{}, err
	}
	if l.sharded {
		c.Customer, err = l.find(ctx, l.tx, customer.ByID(l.tenant, id), held)
		return c, err
	}
	c.Customer, err = scanCustomer(l.tx.QueryRow(ctx, selectRow+" FOR UPDATE", l.tenant, id), &c.row)
	return c, orMissing(err)
}

// create returns a fault when it wrote nothing. That the id and the number are free
// stays so, since the tenant is held.
func (l *load) create(ctx context.Context, e customer.Upsert) (customer.Change, error) {
	number := e.Number
	if number == 0 {
		var err error
		if number, err = l.nextNumber(ctx); err != nil {
			return customer.Change{}, err
		}
	}
	ch, err := e.Create(l.tenant, number, l.by)
	if err != nil {
		return customer.Change{}, err
	}
	err = ch.After.AlreadyExists(func(ref customer.Ref) (customer.Customer, error) {
		if l.there[ref] == "" {
			return customer.Customer{}, noCustomer()
		}
		return customer.Customer{}, nil
	})
	if err != nil {
		return customer.Change{}, err
	}
	if number > l.highest {
		l.highest, l.grown = number, true
	}
	return ch, l.insert(ch)
}

// insert has the record, its number and its birth written with others.
func (l *load) insert(ch customer.Change) error {
	fields, err := layout.EncodeFields(ch.Diff())
	if err != nil {
		return fmt.Errorf("record change: %w", err)
	}
	l.place++
	c := &ch.After
	l.numbers = append(l.numbers, []any{c.Tenant, c.Number, c.ID})
	l.customers = append(l.customers, append(values(c, layout.Columns), keysOf(*c)...))
	l.changes = append(l.changes, l.changeArgs(ch, l.place, fields))
	l.there[customer.ByID(c.Tenant, c.ID)], l.there[customer.ByNumber(c.Tenant, c.Number)] = c.ID, c.ID
	return nil
}

// nextNumber is the one after the tenant's highest or, when none can come after
// that, the lowest free one.
func (l *load) nextNumber(ctx context.Context) (int32, error) {
	if l.highest < math.MaxInt32 {
		return l.highest + 1, nil
	}
	if err := l.write(ctx); err != nil {
		return 0, err
	}
	for {
		rows, err := l.tx.Query(ctx, numbersAfter, l.tenant, l.filled)
		if err != nil {
			return 0, fmt.Errorf("find free number: %w", err)
		}
		taken, err := pgx.CollectRows(rows, pgx.RowTo[int32])
		if err != nil {
			return 0, fmt.Errorf("find free number: %w", err)
		}
		for _, number := range taken {
			if number != l.filled+1 {
				return l.filled + 1, nil
			}
			l.filled, l.grown = number, true
		}
		if len(taken) == 0 {
			return 0, errors.New("find free number: there is none")
		}
	}
}

// The types of the rows that a birth makes.
var (
	numberRow   = rowType{"text", "integer", "text"}
	customerRow = typesOf(layout.Columns).and("text", "text", "text")
	changeRow   = rowType{"text", "text", "bigint", "integer", "bigint", "bigint", "bigint", "text", "text", "text", "text", "text"}
)

var (
	insertNumbers = `
		INSERT INTO numbers (tenant, number, id)
		SELECT ` + listed(field, 1, len(numberRow)) + `
		FROM ` + numberRow.unnest()

	insertCustomers = `
		INSERT INTO customers (` + layout.Names(layout.Columns) + `, last_key, first_key, keys)
		SELECT ` + listed(field, 1, len(customerRow)) + `
		FROM ` + customerRow.unnest()

	insertChanges = intoChanges + `
		SELECT ` + changeRowValues(field) + `
		FROM ` + changeRow.unnest()
)

// holdCustomers locks them in the order in which they are named.
var holdCustomers = `
	SELECT ` + layout.Names(layout.Columns) + `, row
	FROM unnest($2::text[]) AS named (name)
	CROSS JOIN LATERAL (
		SELECT *, xmin AS row
		FROM customers
		WHERE tenant = $1 AND id = name
		FOR UPDATE
	) AS found`

const (
	numbersAfter = `
		SELECT number
		FROM numbers
		WHERE tenant = $1 AND number > $2
		ORDER BY number
		LIMIT 1000`

	// Each is sought by itself: the first time the tables may be empty, and what is
	// planned for that would read them from end to end when they no longer are.
	selectIDs = `
		SELECT found.id, found.number
		FROM unnest($2::text[]) AS named (id)
		CROSS JOIN LATERAL (
			SELECT id, number
			FROM customers
			WHERE tenant = $1 AND id = named.id
			OFFSET 0
		) AS found`

	selectNumbers = `
		SELECT found.id, found.number
		FROM unnest($2::integer[]) AS named (number)
		CROSS JOIN LATERAL (
			SELECT id, number
			FROM numbers
			WHERE tenant = $1 AND number = named.number
			OFFSET 0
		) AS found`

	// holdTenant makes the tenant's row, or takes its lock.
	holdTenant = `
		INSERT INTO tenants AS t (tenant, highest, filled)
		VALUES ($1, 0, 0)
		ON CONFLICT (tenant) DO UPDATE
		SET highest = t.highest
		RETURNING highest, filled`

	growTenant = `
		UPDATE tenants
		SET (highest, filled) = ($2, $3)
		WHERE tenant = $1`
)
