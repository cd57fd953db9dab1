package sqlite

import (
	"fmt"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
)

// index makes of changes what searches read of them, in one transaction. Its pieces
// wait for flush, which sorts them: FTS5 writes a part of its index to the file
// whenever a rowid is lower than the one before.
type index struct {
	conn    *sqlite.Conn
	tenants map[string]int64 // the numbers of those that were looked up
	pieces  map[pieceKey]*pieceChange
}

func newIndex(conn *sqlite.Conn) *index {
	return &index{conn: conn, tenants: map[string]int64{}, pieces: map[pieceKey]*pieceChange{}}
}

// move makes the customer's rows what the change makes of the customer.
func (x *index) move(ch customer.Change) error {
	tenant, err := x.tenant(ch.After.Tenant)
	if err == nil && ch.MovesKeys() {
		err = x.moveEntry(tenant, ch)
	}
	if err != nil {
		return fmt.Errorf("index customer: %w", err)
	}
	x.movePieces(tenant, ch)
	return nil
}

// tenant is the number of a tenant, who gets one with the first customer.
func (x *index) tenant(name string) (tenant int64, err error) {
	if tenant = x.tenants[name]; tenant != 0 {
		return tenant, nil
	}
	if tenant, err = findTenant(x.conn, name); err == nil && tenant == 0 {
		err = sqlitex.Execute(x.conn, insertTenant, &sqlitex.ExecOptions{Args: []any{name}})
		tenant = x.conn.LastInsertRowID()
	}
	if err != nil {
		return 0, err
	}
	x.tenants[name] = tenant
	return tenant, nil
}

func (x *index) moveEntry(tenant int64, ch customer.Change) error {
	var before *entry // is nil at a birth
	if ch.Before.Version != 0 {
		before = entryOf(ch.Before)
	}
	after := entryOf(ch.After)
	switch {
	case before == nil:
		if err := x.execute(insertEntry, tenant, after); err != nil {
			return err
		}
	case before.Position == after.Position:
		if err := x.execute(updateEntry, tenant, after); err != nil {
			return err
		}
	default:
		if err := x.execute(deleteEntry, tenant, before); err != nil {
			return err
		}
		if err := x.execute(insertEntry, tenant, after); err != nil {
			return err
		}
	}
	return x.moveTerms(tenant, before, after)
}

func (x *index) moveTerms(tenant int64, before, after *entry) error {
	old, now := before.terms(), after.terms()
	for _, t := range old {
		if !slices.Contains(now, t) {
			if err := x.executeTerm(deleteTerm, tenant, t); err != nil {
				return err
			}
		}
	}
	for _, t := range now {
		if !slices.Contains(old, t) {
			if err := x.executeTerm(insertTerm, tenant, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// execute binds an entry as the statements of entries have it: the parameters of
// one that needs fewer are the first of them.
func (x *index) execute(query string, tenant int64, e *entry) error {
	stmt, err := x.conn.Prepare(query)
	if err != nil {
		return err
	}
	stmt.BindInt64(1, tenant)
	bindPosition(stmt, 2, e.Position)
	if stmt.BindParamCount() > 4 {
		stmt.BindInt64(5, int64(e.number))
		stmt.BindText(6, e.lines())
	}
	_, err = stmt.Step()
	return err
}

func (x *index) executeTerm(query string, tenant int64, t term) error {
	stmt, err := x.conn.Prepare(query)
	if err != nil {
		return err
	}
	stmt.BindInt64(1, tenant)
	stmt.BindText(2, t.text)
	bindPosition(stmt, 3, t.Position)
	if stmt.BindParamCount() > 5 {
		bindText(stmt, 6, t.rest)
	}
	_, err = stmt.Step()
	return err
}

// bindPosition gives three parameters, which are never NULL, from one on.
func bindPosition(stmt *sqlite.Stmt, param int, p customer.Position) {
	stmt.BindText(param, p.LastName)
	stmt.BindText(param+1, p.FirstName)
	stmt.BindText(param+2, p.ID)
}

// entry is a row of search: a customer's keys, without those of phones.
type entry struct {
	customer.Position
	number int32
	keys   customer.Keys
}

func entryOf(c customer.Customer) *entry {
	keys := customer.KeysButPhones(c)
	return &entry{customer.Position{LastName: keys.LastName, FirstName: keys.FirstName, ID: c.ID}, c.Number, keys}
}

func scanEntry(stmt *sqlite.Stmt) *entry {
	e := &entry{Position: scanPosition(stmt), number: stmt.ColumnInt32(3)}
	e.keys.LastName, e.keys.FirstName = e.LastName, e.FirstName
	rest := stmt.ColumnText(4)
	for _, key := range e.unsorted() {
		*key, rest, _ = strings.Cut(rest, "\n")
	}
	return e
}

func scanPosition(stmt *sqlite.Stmt) customer.Position {
	return customer.Position{LastName: stmt.ColumnText(0), FirstName: stmt.ColumnText(1), ID: stmt.ColumnText(2)}
}

// lines are the keys that are no part of the position. No key has a line break,
// since no record has.
func (e *entry) lines() string {
	var lines [3]string
	for i, key := range e.unsorted() {
		lines[i] = *key
	}
	return strings.Join(lines[:], "\n")
}

func (e *entry) unsorted() [3]*string {
	return [...]*string{&e.keys.Words, &e.keys.Email, &e.keys.PostalCode}
}

// findTenant is the number of a tenant, or 0.
func findTenant(conn *sqlite.Conn, name string) (tenant int64, err error) {
	err = sqlitex.Execute(conn, selectTenant, &sqlitex.ExecOptions{
		Args: []any{name},
		ResultFunc: func(stmt *sqlite.Stmt) error {
			tenant = stmt.ColumnInt64(0)
			return nil
		},
	})
	return tenant, err
}

// term is a row of terms.
type term struct {
	customer.Position
	text, rest string
}

// kind is what terms are of, and which lists there are of those that begin alike.
// The letters tell the rows of one from those of another.
type kind struct {
	letter string
	starts []startKind // the shortest first
}

// startKind is the lists of all starts that are so long. In such a list the many
// who have its start are in order.
type startKind struct {
	letter string
	length int // in bytes
}

// Most first names begin in a way of their own after three letters. Of e-mail
// addresses, which mostly begin with the first name, and go on with the last,
// longer starts are still those of many.
var (
	wordKind  = kind{"n", []startKind{{"m", 3}}}
	emailKind = kind{"e", []startKind{{"d", 3}, {"c", 6}, {"b", 9}}}
)

// cut returns the list of starts i that a text is in, and what of the rest the
// list tells: up to where the next longer start has a list.
func (k kind) cut(i int, text string) (list, rest string) {
	from := min(k.starts[i].length, len(text))
	to := len(text)
	if i+1 < len(k.starts) {
		to = min(k.starts[i+1].length, len(text))
	}
	return k.starts[i].letter + text[:from], text[from:to]
}

// terms are the entry's rows. A word that the last name begins with needs none,
// since search is in the order of last names.
func (e *entry) terms() []term {
	if e == nil {
		return nil
	}
	var terms []term
	for _, word := range strings.Fields(e.keys.Words) {
		if !strings.HasPrefix(e.LastName, word) {
			terms = e.addTerms(terms, wordKind, word)
		}
	}
	if e.keys.Email != "" {
		terms = e.addTerms(terms, emailKind, e.keys.Email)
	}
	return terms
}

// addTerms adds the text and its starts, the longer ones if there is more of the
// text than the shorter ones tell.
func (e *entry) addTerms(terms []term, k kind, text string) []term {
	terms = append(terms, term{e.Position, k.letter + text, ""})
	for i := range k.starts {
		if i > 0 && len(text) <= k.starts[i-1].length {
			break
		}
		list, rest := k.cut(i, text)
		same := slices.IndexFunc(terms, func(t term) bool { return t.text == list }) // of another word
		if same >= 0 {
			terms[same].rest += "\n" + rest
			continue
		}
		terms = append(terms, term{e.Position, list, rest})
	}
	return terms
}

const (
	selectTenant = `
		SELECT tenant
		FROM tenants
		WHERE name = ?`

	insertTenant = `
		INSERT INTO tenants (name)
		VALUES (?)`

	selectEntries = `
		SELECT last_name, first_name, id, number, keys
		FROM search
		WHERE tenant = ?`

	// What is there already would be left of an index that was not in step; it is
	// no reason to refuse a change.
	insertEntry = `
		INSERT OR REPLACE INTO search (tenant, last_name, first_name, id, number, keys)
		VALUES (?, ?, ?, ?, ?, ?)`

	updateEntry = `
		UPDATE search
		SET (number, keys) = (?5, ?6)
		WHERE tenant = ?1 AND last_name = ?2 AND first_name = ?3 AND id = ?4`

	deleteEntry = `
		DELETE FROM search
		WHERE tenant = ? AND last_name = ? AND first_name = ? AND id = ?`

	insertTerm = `
		INSERT OR REPLACE INTO terms (tenant, term, last_name, first_name, id, rest)
		VALUES (?, ?, ?, ?, ?, ?)`

	deleteTerm = `
		DELETE FROM terms
		WHERE tenant = ? AND term = ? AND last_name = ? AND first_name = ? AND id = ?`
)
