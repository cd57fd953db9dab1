package sqlite

import (
	"slices"

	"zombiezen.com/go/sqlite"

	"kartotek/internal/customer"
)

// follower has the index follow the changes that the writer commits, some hundreds
// at once: most of what a change costs the index it costs a transaction. The index
// knows up to which change it has followed, and whoever searches has it follow the
// rest first.
//
// It remembers the changes to follow. Those that it does not know, because another
// process wrote them, or this one before it was started again, are in the history.
type follower struct {
	moves    []move
	known    int64 // the change after which all that move rows of the index are in moves
	last     int64 // the newest change
	followed int   // moves that the transaction has followed
}

// move is a change that moves rows of the index.
type move struct {
	seq int64
	customer.Change
}

// manyMoves is how many changes are followed at once when nobody searches. It takes
// the writer a few milliseconds.
const manyMoves = 256

// begin is called with the seq of the newest change when a transaction begins.
func (f *follower) begin(last int64) {
	if last != f.last { // another process has written, or f was told to forget
		*f = follower{known: last, last: last}
	}
	f.followed = 0
}

// note is called for each change that the transaction writes.
func (f *follower) note(seq int64, ch customer.Change) {
	f.last = seq
	if ch.MovesKeys() || ch.MovesPhone() || ch.MovesMobile() {
		f.moves = append(f.moves, move{seq, ch})
	}
}

// committed is called when the transaction is durable.
func (f *follower) committed() { f.moves = slices.Delete(f.moves, 0, f.followed) }

// forget leaves all that is to be followed to the history. It is called as well when
// a transaction was rolled back.
func (f *follower) forget() { *f = follower{last: -1} }

// follow has the index follow all changes, and reports whether it did: those in the
// history it takes a few at a time. It runs in a transaction.
func (f *follower) follow(conn *sqlite.Conn) (done bool, err error) {
	state, err := findIndexState(conn)
	if err != nil {
		return false, err
	}
	if !state.done() { // who makes the index finds the changes in the history
		f.followed = len(f.moves)
		return true, nil
	}
	if state.seq == f.last {
		return true, nil
	}
	seq := f.last
	if f.known <= state.seq {
		err = f.followMoves(conn, state.seq)
	} else {
		seq, err = replay(conn, state.seq)
	}
	if err == nil {
		err = execute(conn, mergeSome)
	}
	if err != nil {
		return false, err
	}
	if seq == f.last {
		f.followed = len(f.moves)
	}
	return seq == f.last, setIndexSeq(conn, seq)
}

// followMoves follows those after seq.
func (f *follower) followMoves(conn *sqlite.Conn, seq int64) error {
	x := newIndex(conn)
	for _, m := range f.moves {
		if m.seq <= seq {
			continue
		}
		if err := x.move(m.Change); err != nil {
			return err
		}
	}
	return x.flush()
}

// mergeSome merges parts of FTS5's index, of which each transaction writes one, until
// it has written so many pages: more than manyMoves write, since a page is merged
// again at each size of parts, and few enough not to be waited for.
const mergeSome = "INSERT INTO pieces (pieces, rank) VALUES ('merge', 64)"
