package main

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
)

// writer has Kartotek's rows written by statements that are prepared once and
// name no column more than they need.
type writer struct {
	conn   *sqlite.Conn
	tenant string
	prefix string // of every piece: the tenant's number, and that it is of a phone

	seq   int64  // of the newest change
	moves []move // that are not in the index yet

	begin, find, update, record, deletePieces, insertPieces, merge, follow, end *sqlite.Stmt
}

// manyMoves is how many rows of pieces are written at once, as Kartotek does.
const manyMoves = 256

// pragmas are those of Kartotek's own writer, but that SQLite itself moves the log
// into the file.
var pragmas = []string{
	"PRAGMA synchronous = FULL",
	"PRAGMA foreign_keys = ON",
	"PRAGMA cache_size = -4000",
	"PRAGMA wal_autocheckpoint = 16000",
	"PRAGMA journal_size_limit = 67108864",
}

const (
	selectTenant = `
		SELECT name, tenant
		FROM tenants`

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

	deletePieces = `
		INSERT INTO pieces (pieces, rowid, piece)
		VALUES ('delete', ?, ?)`

	insertPieces = `
		INSERT INTO pieces (rowid, piece)
		VALUES (?, ?)`

	// mergeSome is what Kartotek merges with each step of the index.
	mergeSome = "INSERT INTO pieces (pieces, rank) VALUES ('merge', 64)"

	// followed tells Kartotek up to which change the index is.
	followed = `
		UPDATE search_state
		SET seq = ?`
)

// open takes a file with the customers of one tenant.
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

// close indexes what is left.
func (w *writer) close() error {
	return errors.Join(w.commit(nil, 1), w.conn.Close())
}

func (w *writer) prepare() error {
	for _, pragma := range pragmas {
		if err := sqlitex.ExecuteTransient(w.conn, pragma, nil); err != nil {
			return err
		}
	}
	tenants := 0
	err := sqlitex.ExecuteTransient(w.conn, selectTenant, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		tenants++
		w.tenant, w.prefix = stmt.ColumnText(0), strconv.FormatInt(stmt.ColumnInt64(1), 10)+"d"
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
		{&w.deletePieces, deletePieces},
		{&w.insertPieces, insertPieces},
		{&w.merge, mergeSome},
		{&w.follow, followed},
		{&w.end, "COMMIT"},
	} {
		if *s.stmt, err = w.conn.Prepare(s.query); err != nil {
			return err
		}
	}
	w.find.BindText(1, w.tenant)
	w.record.BindText(1, w.tenant)
	return sqlitex.ExecuteTransient(w.conn, lastSeq, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		w.seq = stmt.ColumnInt64(0)
		return nil
	}})
}

// commit makes the edits durable in one transaction, and the index follow when it
// is behind by so many.
func (w *writer) commit(edits []edit, enough int) error {
	if err := execute(w.begin); err != nil {
		return err
	}
	for _, e := range edits {
		m, err := w.change(e)
		if err != nil {
			return fmt.Errorf("change customer %d: %w", e.number, err)
		}
		w.moves = append(w.moves, m)
	}
	if len(w.moves) >= enough {
		if err := w.indexAll(); err != nil {
			return fmt.Errorf("index pieces: %w", err)
		}
	}
	return execute(w.end)
}

// indexAll goes in the order of rowids, because FTS5 writes a part of its index to
// the file whenever one is lower than the one before.
func (w *writer) indexAll() error {
	slices.SortStableFunc(w.moves, func(a, b move) int { return cmp.Compare(a.rowid, b.rowid) })
	for _, m := range w.moves {
		if err := w.index(m); err != nil {
			return err
		}
	}
	w.moves = w.moves[:0]
	if err := execute(w.merge); err != nil {
		return err
	}
	w.follow.BindInt64(1, w.seq)
	return execute(w.follow)
}

// change writes the record and its history, and returns what is left to index.
func (w *writer) change(e edit) (move, error) {
	row, c, previous, err := w.load(e.number)
	if err != nil {
		return move{}, err
	}
	fields, err := diff(c, e)
	if err != nil {
		return move{}, err
	}
	now := time.Now().UnixMicro()
	w.update.BindInt64(1, c.Version+1)
	w.update.BindText(2, e.phone)
	w.update.BindText(3, e.line)
	w.update.BindInt64(4, now)
	w.update.BindInt64(5, w.seq+1)
	w.update.BindInt64(6, row)
	if err := execute(w.update); err != nil {
		return move{}, err
	}
	w.record.BindText(2, c.ID)
	w.record.BindInt64(3, c.Version+1)
	w.record.BindInt64(4, now)
	w.record.BindText(5, fields)
	w.record.BindInt64(6, w.seq+1)
	w.record.BindInt64(7, previous)
	if err := execute(w.record); err != nil {
		return move{}, err
	}
	w.seq++
	m := move{rowid: rowidOf(c), before: customer.PhoneKey(c)}
	c.Phone = e.phone
	m.after = customer.PhoneKey(c)
	return m, nil
}

// load reads as much of a customer as a change needs.
func (w *writer) load(number int32) (row int64, c customer.Customer, previous int64, err error) {
	w.find.BindInt64(2, int64(number))
	found, err := w.find.Step()
	if err != nil {
		return 0, customer.Customer{}, 0, err
	}
	if !found {
		return 0, customer.Customer{}, 0, errors.Join(errors.New("there is none"), w.find.Reset())
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

// diff is the change as the history has it: {"phone":[before,after],…}.
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

// move is a row of pieces, and the phone's keys that it was and will be made of.
type move struct {
	rowid         int64
	before, after string
}

// index tells FTS5, word for word, what a row held and what it holds now.
func (w *writer) index(m move) error {
	if m.before == m.after {
		return nil
	}
	for _, step := range []struct {
		stmt *sqlite.Stmt
		key  string
	}{{w.deletePieces, m.before}, {w.insertPieces, m.after}} {
		text := w.pieces(step.key)
		if text == "" {
			continue
		}
		step.stmt.BindInt64(1, m.rowid)
		step.stmt.BindText(2, text)
		if err := execute(step.stmt); err != nil {
			return err
		}
	}
	return nil
}

// rowidOf is that of a phone in pieces: 30 bits of the last name, 31 of the
// number, and two that are zero for this one of a customer's rows.
func rowidOf(c customer.Customer) int64 {
	var start [4]byte
	copy(start[:], customer.PositionOf(c).LastName)
	return int64(binary.BigEndian.Uint32(start[:])>>2)<<33 | int64(c.Number)<<2
}

// pieces are all runs of one digit more than a search needs, and the last so many,
// each once.
func (w *writer) pieces(key string) string {
	var pieces []string
	for digits := range strings.FieldsSeq(key) {
		for i := 0; i+customer.MinDigits <= len(digits); i++ {
			piece := w.prefix + digits[i:min(i+customer.MinDigits+1, len(digits))]
			if !slices.Contains(pieces, piece) {
				pieces = append(pieces, piece)
			}
		}
	}
	return strings.Join(pieces, " ")
}

// execute runs a statement without rows, and makes it ready for the next time.
func execute(stmt *sqlite.Stmt) error {
	_, err := stmt.Step()
	return errors.Join(err, stmt.Reset())
}
