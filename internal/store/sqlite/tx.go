package sqlite

import (
	"fmt"

	"zombiezen.com/go/sqlite"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/store/layout"
	"kartotek/internal/store/terms"
)

// tx is the write transaction in progress. The writer passes it to each write.
type tx struct {
	conn    *sqlite.Conn
	seq     int64 // of the newest change in the file
	changes int   // in this transaction

	updates updateStatements
	// lowestFree has, for tenants that use the highest possible number, the number below which all
	// are in use. After a rollback it may skip a free number, which then stays free.
	lowestFree map[string]int32
}

func newTx(conn *sqlite.Conn) *tx {
	return &tx{conn: conn, updates: updateStatements{}, lowestFree: map[string]int32{}}
}

// begin prepares for the next transaction.
func (t *tx) begin() (err error) {
	t.changes = 0
	t.seq, err = lastSeq(t.conn)
	return err
}

// lastSeq is the seq of the newest change, or 0.
func lastSeq(conn *sqlite.Conn) (int64, error) { return queryInt64(conn, selectLastSeq) }

const selectLastSeq = `
	SELECT max(seq)
	FROM changes`

// record is a customer with its rowid and the seq of its newest change.
type record struct {
	customer.Customer
	row    int64
	change int64
}

// change is a change with what save needs of the record before it; both are 0 for a creation.
type change struct {
	customer.Change
	row      int64
	previous int64 // seq of the customer's change before
}

// save writes the customer, its index terms and the change, unless the change is empty. When it
// returns a fault it wrote nothing.
func (t *tx) save(ch change) error {
	if ch.Empty() {
		return nil
	}
	seq, diff := t.seq+1, ch.Diff()
	if err := t.writeCustomer(ch, diff, seq); err != nil {
		return err
	}
	if err := t.writeTerms(ch.Change); err != nil {
		return err
	}
	if err := t.insertChange(ch, diff, seq); err != nil {
		return err
	}
	t.seq = seq
	t.changes++
	return nil
}

func (t *tx) writeCustomer(ch change, diff []customer.FieldChange, seq int64) error {
	if ch.Before.Version == 0 {
		return t.insertCustomer(ch.Change, seq)
	}
	return t.updateCustomer(ch, diff, seq)
}

// insertCustomer returns a Conflict fault when the id or the number is in use.
func (t *tx) insertCustomer(ch customer.Change, seq int64) error {
	err := execSQL(t.conn, insertCustomer, append(layout.Customers.Values(ch.After), seq)...)
	switch sqlite.ErrCode(err) {
	case sqlite.ResultOK:
		return nil
	case sqlite.ResultConstraintPrimaryKey, sqlite.ResultConstraintUnique:
		conflict := ch.After.AlreadyExists(func(ref customer.Ref) (customer.Customer, error) {
			r, err := findRecord(t.conn, ref)
			return r.Customer, err
		})
		if conflict != nil {
			return conflict
		}
	}
	return fmt.Errorf("insert customer: %w", err)
}

var insertCustomer = `
	INSERT INTO customers (` + layout.Customers.Columns + `, last_change)
	VALUES (` + placeholders(layout.Columns) + `, ?)`

// updateCustomer writes the columns that differ.
func (t *tx) updateCustomer(ch change, diff []customer.FieldChange, seq int64) error {
	update := t.updates.forDiff(diff)
	args := append(layout.Values(&ch.After, update.columns), seq, ch.row)
	if err := execSQL(t.conn, update.query, args...); err != nil {
		return fmt.Errorf("update customer: %w", err)
	}
	return nil
}

// writeTerms updates the search index. A change of fields that are not searched costs nothing.
func (t *tx) writeTerms(ch customer.Change) error {
	added, removed := terms.Diff(ch.Before, ch.After)
	for _, term := range removed {
		if err := execSQL(t.conn, deleteTerm, ch.After.Tenant, term, ch.After.Number); err != nil {
			return fmt.Errorf("index customer: %w", err)
		}
	}
	for _, term := range added {
		if err := execSQL(t.conn, insertTerm, ch.After.Tenant, term, ch.After.Number); err != nil {
			return fmt.Errorf("index customer: %w", err)
		}
	}
	return nil
}

const (
	insertTerm = `
		INSERT INTO terms (tenant, term, number)
		VALUES (?, ?, ?)`

	deleteTerm = `
		DELETE FROM terms
		WHERE tenant = ? AND term = ? AND number = ?`
)

// insertChange adds the change to the history. Its time is that of the record, which unlike that of
// the request never goes back.
func (t *tx) insertChange(ch change, diff []customer.FieldChange, seq int64) error {
	fields, snapshot, err := layout.EncodeChange(diff, ch.Snapshot())
	if err != nil {
		return fmt.Errorf("insert change: %w", err)
	}
	var previous any // NULL for a creation
	if ch.previous != 0 {
		previous = ch.previous
	}
	c, meta := ch.After, ch.Meta
	err = execSQL(t.conn, insertChange, seq, previous, c.Tenant, c.ID, c.Version, ch.Event(),
		meta.Actor, layout.Text(meta.ActorName), layout.Text(meta.Contract), layout.Text(meta.RequestID), c.UpdatedAt.UnixMicro(), fields, snapshot)
	if err != nil {
		return fmt.Errorf("insert change: %w", err)
	}
	return nil
}

const insertChange = `
	INSERT INTO changes (seq, previous, tenant, customer_id, version, event, actor, actor_name, contract, request_id, at, fields, snapshot)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// findRecord returns a NotFound fault when there is no such customer.
func findRecord(conn *sqlite.Conn, ref customer.Ref) (record, error) {
	query, key := selectByID, any(ref.ID)
	if ref.ID == "" {
		query, key = selectByNumber, any(ref.Number)
	}
	found, err := queryRows(conn, scanRecord, query, ref.Tenant, key)
	if err != nil {
		return record{}, fmt.Errorf("find customer: %w", err)
	}
	if len(found) == 0 {
		return record{}, fault.New(fault.NotFound, "no such customer")
	}
	return found[0], nil
}

func scanRecord(stmt *sqlite.Stmt) (record, error) {
	c, err := scanCustomer(stmt)
	n := len(layout.Columns)
	return record{c, stmt.ColumnInt64(n), stmt.ColumnInt64(n + 1)}, err
}

var (
	selectByID     = selectCustomer + " AND id = ?"
	selectByNumber = selectCustomer + " AND number = ?"

	selectCustomer = `
		SELECT ` + layout.Customers.Columns + `, rowid, last_change
		FROM customers
		WHERE tenant = ?`
)
