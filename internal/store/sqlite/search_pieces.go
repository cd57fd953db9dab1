package sqlite

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"kartotek/internal/customer"
)

// A customer has up to three rows in pieces: of the phone, of the mobile, and of
// the postal code.
const (
	phoneSlot = iota
	mobileSlot
	postalSlot
	slots
)

// A rowid is, from the left: the first bits of the last name, the number, the
// slot. Rows that begin with the same name bits are a group, and groups come in
// the order of searches. Tenants share rowids; their pieces differ.
const (
	slotBits   = 2
	numberBits = 31
	groupShift = slotBits + numberBits
)

// pieceKey is a row of pieces, of one tenant.
type pieceKey struct {
	rowid, tenant int64
}

// pieceChange is what becomes of a row in a transaction: the keys that its pieces
// are made of. A row without any is none.
type pieceChange struct {
	before, after string
}

// movePieces puts off what becomes of the customer's rows.
func (x *index) movePieces(tenant int64, ch customer.Change) {
	moved := [slots]bool{ch.MovesPhone(), ch.MovesMobile(), ch.Before.Address.PostalCode != ch.After.Address.PostalCode}
	keys := [slots]func(customer.Customer) string{customer.PhoneKey, customer.MobileKey, customer.PostalKey}
	before, after := rowidOf(ch.Before), rowidOf(ch.After)
	for slot := range slots {
		if before == after && !moved[slot] {
			continue
		}
		if old := keys[slot](ch.Before); old != "" {
			x.change(pieceKey{before | int64(slot), tenant}, old).after = ""
		}
		if now := keys[slot](ch.After); now != "" {
			x.change(pieceKey{after | int64(slot), tenant}, "").after = now
		}
	}
}

// change is what becomes of a row that was made of this.
func (x *index) change(key pieceKey, of string) *pieceChange {
	if x.pieces[key] == nil {
		x.pieces[key] = &pieceChange{before: of, after: of}
	}
	return x.pieces[key]
}

// flush writes the pieces. FTS5 wants to be told, word for word, what a row held
// that it forgets.
func (x *index) flush() error {
	keys := slices.SortedFunc(maps.Keys(x.pieces), func(a, b pieceKey) int {
		return cmp.Or(cmp.Compare(a.rowid, b.rowid), cmp.Compare(a.tenant, b.tenant))
	})
	for _, key := range keys {
		if err := x.write(key, *x.pieces[key]); err != nil {
			return fmt.Errorf("index pieces: %w", err)
		}
	}
	x.pieces = map[pieceKey]*pieceChange{}
	return nil
}

func (x *index) write(key pieceKey, ch pieceChange) error {
	if ch.before == ch.after {
		return nil
	}
	if err := x.executePieces(deletePieces, key, ch.before); err != nil {
		return err
	}
	return x.executePieces(insertPieces, key, ch.after)
}

func (x *index) executePieces(query string, key pieceKey, of string) error {
	text := key.text(of)
	if text == "" {
		return nil
	}
	stmt, err := x.conn.Prepare(query)
	if err != nil {
		return err
	}
	stmt.BindInt64(1, key.rowid)
	stmt.BindText(2, text)
	_, err = stmt.Step()
	return err
}

// text is the pieces of a row.
func (k pieceKey) text(of string) string {
	if k.rowid&(1<<slotBits-1) == postalSlot {
		return postalPiece(k.tenant, of)
	}
	return strings.Join(phonePieces(k.tenant, of), " ")
}

// rowidOf is that of a customer's first slot.
func rowidOf(c customer.Customer) int64 {
	return firstRowid(customer.PositionOf(c).LastName) | int64(c.Number)<<slotBits
}

// firstRowid is the lowest in the group of a last name.
func firstRowid(lastName string) int64 {
	var start [4]byte
	copy(start[:], lastName)
	return int64(binary.BigEndian.Uint32(start[:])>>slotBits) << groupShift
}

// group is the name bits of a rowid.
func group(rowid int64) int64 { return rowid >> groupShift }

// groupStart is the text before which no last name of the group stands.
func groupStart(group int64) string {
	return strings.TrimRight(string(binary.BigEndian.AppendUint32(nil, uint32(group<<slotBits))), "\x00")
}

// numberOf is the customer's number in a rowid.
func numberOf(rowid int64) int32 { return int32(rowid >> slotBits & (1<<numberBits - 1)) }

// pieceDigits is how many digits a piece of a phone has. Four would be in ten times
// as many phones.
const pieceDigits = customer.MinDigits + 1

// phonePieces are all runs of pieceDigits digits, and the last MinDigits digits,
// with which no such run begins; each once.
func phonePieces(tenant int64, phone string) []string {
	var pieces []string
	for number := range strings.FieldsSeq(phone) {
		for i := 0; i+customer.MinDigits <= len(number); i++ {
			run := number[i:min(i+pieceDigits, len(number))]
			if p := piece(tenant, 'd', run); !slices.Contains(pieces, p) {
				pieces = append(pieces, p)
			}
		}
	}
	return pieces
}

// postalPiece leaves out what FTS5 would take for the end of a word. It is empty
// when nothing is left.
func postalPiece(tenant int64, code string) string {
	code = strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' || 'a' <= r && r <= 'z' {
			return r
		}
		return -1
	}, code)
	if code == "" {
		return ""
	}
	return piece(tenant, 'p', code)
}

// piece is a word of FTS5, which belongs to one tenant.
func piece(tenant int64, kind byte, text string) string {
	word := make([]byte, 0, 24)
	word = strconv.AppendInt(word, tenant, 10)
	return string(append(append(word, kind), text...))
}

// matchPhone is the expression for phones that may have these digits, MinDigits of
// them or more. Of many it asks for the last ones, which tell more than those of
// the country. Of few it asks for each piece that begins with them: FTS5 would find
// these itself, but read all of them before the first hit.
func matchPhone(tenant int64, digits string) string {
	if len(digits) < pieceDigits {
		pieces := []string{piece(tenant, 'd', digits)} // at the end
		for next := '0'; next <= '9'; next++ {
			pieces = append(pieces, piece(tenant, 'd', digits+string(next)))
		}
		return strings.Join(pieces, " OR ")
	}
	end := len(digits) - pieceDigits
	last := piece(tenant, 'd', digits[end:])
	if end == 0 {
		return last
	}
	end = max(0, end-pieceDigits)
	return "(" + piece(tenant, 'd', digits[end:end+pieceDigits]) + " AND " + last + ")"
}

const (
	insertPieces = `
		INSERT INTO pieces (rowid, piece)
		VALUES (?, ?)`

	deletePieces = `
		INSERT INTO pieces (pieces, rowid, piece)
		VALUES ('delete', ?, ?)`

	matchPieces = `
		SELECT rowid
		FROM pieces
		WHERE pieces MATCH ? AND rowid >= ?
		ORDER BY rowid
		LIMIT ?`
)
