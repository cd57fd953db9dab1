package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
	"kartotek/internal/store/terms"
)

// writer writes the rows that Kartotek writes, with statements that are prepared once and name only
// the columns that they need.
type writer struct {
	conn   *sqlite.Conn
	tenant string
	seq    int64 // of the newest change

	begin, find, update, record, deleteTerm, insertTerm, end *sqlite.Stmt
}

// pragmas are those of Kartotek's writer, except that SQLite itself does the checkpoints.
var pragmas = []string{
	"PRAGMA synchronous = FULL",
	"PRAGMA foreign_keys = ON",
	"PRAGMA cache_size = -4000",
	"PRAGMA wal_autocheckpoint = 16000",
	"PRAGMA journal_size_limit = 67108864",
}

const (
	selectTenants = `
		SELECT DISTINCT tenant
		FROM customers`

	selectCustomer = `
		SELECT rowid, id, version, phone, address_line, last_name, address_country, locale, last_change
		FROM customers
		WHERE tenant = ? AND number = ?`

	updateCustomer = `
		UPDATE customers
		SET (version, phone, address_line, updated_at, last_change) = (?, ?, ?, ?, ?)
		WHERE rowid = ?`

	insertChange = `
		INSERT INTO changes (tenant, customer_id, version, event, actor, contract, request_id, at, fields, seq, previous)
		VALUES (?, ?, ?, 'customer.updated', 'key:Ab3dE6gH', 'native', '0198f3c2-7a51-7c3e-9d44-2b6f0e81c5aa', ?, ?, ?, ?)`

	lastSeq = `
		SELECT max(seq)
		FROM changes`

	deleteTerm = `
		DELETE FROM terms
		WHERE tenant = ? AND term = ? AND number = ?`

	insertTerm = `
		INSERT INTO terms (tenant, term, number)
		VALUES (?, ?, ?)`
)

// open opens a file with the customers of one tenant.
func open(file string) (*writer, error) {
	conn, err := sqlite.OpenConn(file, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	w := &writer{conn: conn}
	if err := w.prepare(); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return w, nil
}

func (w *writer) close() error { return w.conn.Close() }

func (w *writer) prepare() error {
	for _, pragma := range pragmas {
		if err := sqlitex.ExecuteTransient(w.conn, pragma, nil); err != nil {
			return err
		}
	}
	tenants := 0
	err := sqlitex.ExecuteTransient(w.conn, selectTenants, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		tenants++
		w.tenant = stmt.ColumnText(0)
		return nil
	}})
	if err != nil {
		return err
	}
	if tenants != 1 {
		return fmt.Errorf("the file has %d tenants, want one", tenants)
	}
	for _, s := range []struct {
		stmt  **sqlite.Stmt
		query string
	}{
		{&w.begin, "BEGIN IMMEDIATE"},
		{&w.find, selectCustomer},
		{&w.update, updateCustomer},
		{&w.record, insertChange},
		{&w.deleteTerm, deleteTerm},
		{&w.insertTerm, insertTerm},
		{&w.end, "COMMIT"},
	} {
		if *s.stmt, err = w.conn.Prepare(s.query); err != nil {
			return err
		}
	}
	w.find.BindText(1, w.tenant)
	w.record.BindText(1, w.tenant)
	w.deleteTerm.BindText(1, w.tenant)
	w.insertTerm.BindText(1, w.tenant)
	return sqlitex.ExecuteTransient(w.conn, lastSeq, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		w.seq = stmt.ColumnInt64(0)
		return nil
	}})
}

// commit makes the edits durable in one transaction.
func (w *writer) commit(edits []edit) error {
	if err := execute(w.begin); err != nil {
		return err
	}
	for _, e := range edits {
		if err := w.change(e); err != nil {
			return fmt.Errorf("change customer %d: %w", e.number, err)
		}
	}
	return execute(w.end)
}

// change writes the record, its history and its index terms.
func (w *writer) change(e edit) error {
	row, before, previous, err := w.load(e.number)
	if err != nil {
		return err
	}
	fields, err := diff(before, e)
	if err != nil {
		return err
	}
	now := time.Now().UnixMicro()
	w.update.BindInt64(1, before.Version+1)
	w.update.BindText(2, e.phone)
	w.update.BindText(3, e.line)
	w.update.BindInt64(4, now)
	w.update.BindInt64(5, w.seq+1)
	w.update.BindInt64(6, row)
	if err := execute(w.update); err != nil {
		return err
	}
	w.record.BindText(2, before.ID)
	w.record.BindInt64(3, before.Version+1)
	w.record.BindInt64(4, now)
	w.record.BindText(5, fields)
	w.record.BindInt64(6, w.seq+1)
	w.record.BindInt64(7, previous)
	if err := execute(w.record); err != nil {
		return err
	}
	w.seq++
	return w.index(before, e)
}

// index replaces the terms of the phone.
func (w *writer) index(before customer.Customer, e edit) error {
	after := before
	after.Phone = e.phone
	added, removed := terms.Diff(before, after)
	for _, step := range []struct {
		stmt  *sqlite.Stmt
		terms []string
	}{{w.deleteTerm, removed}, {w.insertTerm, added}} {
		for _, term := range step.terms {
			step.stmt.BindText(2, term)
			step.stmt.BindInt64(3, int64(e.number))
			if err := execute(step.stmt); err != nil {
				return err
			}
		}
	}
	return nil
}

// load reads the columns of a customer that a change needs.
func (w *writer) load(number int32) (row int64, c customer.Customer, previous int64, err error) {
	w.find.BindInt64(2, int64(number))
	found, err := w.find.Step()
	if err != nil {
		return 0, customer.Customer{}, 0, err
	}
	if !found {
		return 0, customer.Customer{}, 0, errors.Join(errors.New("no such customer"), w.find.Reset())
	}
	row = w.find.ColumnInt64(0)
	c = customer.Customer{
		ID:       w.find.ColumnText(1),
		Number:   number,
		Version:  w.find.ColumnInt64(2),
		LastName: w.find.ColumnText(5),
		Locale:   w.find.ColumnText(7),
		Phone:    w.find.ColumnText(3),
		Address:  customer.Address{Line: w.find.ColumnText(4), Country: w.find.ColumnText(6)},
	}
	return row, c, w.find.ColumnInt64(8), w.find.Reset()
}

// diff returns the change in the format of the history: {"phone":[before,after],…}.
func diff(c customer.Customer, e edit) (string, error) {
	out := make([]byte, 0, 128)
	var errs [4]error
	out, errs[0] = appendText(append(out, `{"phone":[`...), c.Phone)
	out, errs[1] = appendText(append(out, ','), e.phone)
	out, errs[2] = appendText(append(out, `],"address.line":[`...), c.Address.Line)
	out, errs[3] = appendText(append(out, ','), e.line)
	return string(append(out, "]}"...)), errors.Join(errs[:]...)
}

func appendText(out []byte, s string) ([]byte, error) {
	if s == "" {
		return append(out, "null"...), nil
	}
	return jsontext.AppendQuote(out, s)
}

// execute runs a statement without rows and resets it.
func execute(stmt *sqlite.Stmt) error {
	_, err := stmt.Step()
	return errors.Join(err, stmt.Reset())
}
