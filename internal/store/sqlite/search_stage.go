package sqlite

import (
	"context"
	"errors"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
)

// stagedTable is a table of the index, and how its rows come into their order.
type stagedTable struct {
	create string // the same table without an order
	add    func(x *index, c *staging) error
	count  string
	sorted string
	insert string        // its parameters are the columns of sorted
	step   time.Duration // how long a transaction writes rows
}

var stagedTables = []stagedTable{
	{
		create: "CREATE TABLE search (tenant, last_name, first_name, id, number, keys)",
		add:    func(x *index, c *staging) error { return x.execute(insertEntry, c.tenant, c.entry) },
		count:  "SELECT max(_rowid_) FROM search",
		sorted: `
			SELECT tenant, last_name, first_name, id, number, keys
			FROM search
			ORDER BY tenant, last_name, first_name, id`,
		insert: insertEntry,
		step:   50 * time.Millisecond,
	},
	{
		create: "CREATE TABLE terms (tenant, term, last_name, first_name, id, rest)",
		add:    func(x *index, c *staging) error { return x.moveTerms(c.tenant, nil, c.entry) },
		count:  "SELECT max(_rowid_) FROM terms",
		sorted: `
			SELECT tenant, term, last_name, first_name, id, rest
			FROM terms
			ORDER BY tenant, term, last_name, first_name, id`,
		insert: insertTerm,
		step:   50 * time.Millisecond,
	},
	{
		create: "CREATE TABLE pieces (rowid, piece)", // tenants share rowids
		add: func(x *index, c *staging) error {
			x.movePieces(c.tenant, customer.Change{After: c.record})
			return nil
		},
		count: "SELECT max(_rowid_) FROM pieces",
		sorted: `
			SELECT rowid, group_concat(piece, ' ')
			FROM pieces
			GROUP BY rowid
			ORDER BY rowid`,
		insert: insertPieces,
		step:   500 * time.Millisecond, // FTS5 writes a part of its index with each commit
	},
}

// stage holds the rows of one table in a file of its own, which has no name and
// ends with the connection. SQLite puts it into the folder that SQLITE_TMPDIR
// names, or into /var/tmp.
type stage struct {
	stagedTable
	conn *sqlite.Conn
}

func openStage(ctx context.Context, table stagedTable) (*stage, error) {
	conn, err := sqlite.OpenConn("", sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		return nil, err
	}
	conn.SetInterrupt(ctx.Done())
	// The cache is the memory that a table takes, and takes again while it is sorted.
	err = pragmas(conn, "journal_mode = OFF", "cache_size = -16000")
	if err == nil {
		err = execute(conn, table.create)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &stage{table, conn}, nil
}

// staging is a customer on the way to a stage.
type staging struct {
	tenant int64
	record customer.Customer
	entry  *entry
}

// fill adds the rows of the customers that come in. After an error it goes on
// taking them, so that nobody waits.
func (s *stage) fill(in <-chan []staging) error {
	x := newIndex(s.conn)
	err := execute(s.conn, "BEGIN")
	for batch := range in {
		for i := range batch {
			if err == nil {
				err = s.add(x, &batch[i])
			}
		}
		if err == nil {
			err = x.flush()
		}
	}
	if err == nil {
		err = execute(s.conn, "COMMIT")
	}
	return err
}

// value is a column of a row in its order: an integer, a text or NULL.
type value struct {
	kind   sqlite.ColumnType
	number int64
	text   string
}

// aheadRows is how many rows are read at once.
const aheadRows = 512

// read sends the rows in their order, some at a time, until stop is closed.
func (s *stage) read(out chan<- []value, stop <-chan struct{}) error {
	defer close(out)
	var some []value
	send := func() error {
		select {
		case out <- some:
			some = make([]value, 0, cap(some))
			return nil
		case <-stop:
			return errors.New("the rows are not wanted")
		}
	}
	err := sqlitex.Execute(s.conn, s.sorted, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		for col := range stmt.ColumnCount() {
			some = append(some, columnValue(stmt, col))
		}
		if len(some) < aheadRows*stmt.ColumnCount() {
			return nil
		}
		return send()
	}})
	if err != nil {
		return err
	}
	return send()
}

func columnValue(stmt *sqlite.Stmt, col int) value {
	switch kind := stmt.ColumnType(col); kind {
	case sqlite.TypeInteger:
		return value{kind: kind, number: stmt.ColumnInt64(col)}
	case sqlite.TypeNull:
		return value{kind: kind}
	default:
		return value{kind: kind, text: stmt.ColumnText(col)}
	}
}

func (v value) bind(stmt *sqlite.Stmt, param int) {
	switch v.kind {
	case sqlite.TypeInteger:
		stmt.BindInt64(param, v.number)
	case sqlite.TypeText:
		stmt.BindText(param, v.text)
	}
}

// put writes rows, and returns how many.
func (s *stage) put(conn *sqlite.Conn, some []value) (rows int64, err error) {
	for len(some) > 0 {
		stmt, err := conn.Prepare(s.insert)
		if err != nil {
			return 0, err
		}
		columns := stmt.BindParamCount()
		for i, v := range some[:columns] {
			v.bind(stmt, 1+i)
		}
		if _, err := stmt.Step(); err != nil {
			return 0, err
		}
		some, rows = some[columns:], rows+1
	}
	return rows, nil
}
