package customer

import (
	"cmp"
	"log/slog"
	"time"
)

// Query narrows down customers. Each part that is not zero must hold.
type Query struct {
	// Words must each match the start of a word of the name, or the start of the
	// e-mail address, or the number, or, with at least 4 digits, digits anywhere
	// in a phone, or the postal code.
	Words string

	Name       string // each word of it the start of a word of the name
	Email      string // the start of the e-mail address
	Phone      string // digits anywhere in a phone, in any notation
	PostalCode string // the postal code
	Number     int32

	// ConfirmedBefore wants customers who confirmed their contact details before
	// that time, or never.
	ConfirmedBefore time.Time
}

// LogValue keeps personal data out of every log.
func (q Query) LogValue() slog.Value { return slog.StringValue("query") }

// Position is where a customer stands in the order of a search: by folded last
// name, folded first name and id. The zero Position is before all.
type Position struct {
	LastName, FirstName, ID string
}

// Compare is negative when p comes before other, and 0 when they are equal.
func (p Position) Compare(other Position) int {
	return cmp.Or(
		cmp.Compare(p.LastName, other.LastName),
		cmp.Compare(p.FirstName, other.FirstName),
		cmp.Compare(p.ID, other.ID),
	)
}

// Next is the first position after p that a customer can have.
func (p Position) Next() Position {
	if p != (Position{}) {
		p.ID += "\x00" // nothing is longer than p and comes before it
	}
	return p
}

// LogValue keeps personal data out of every log.
func (p Position) LogValue() slog.Value { return slog.StringValue("position") }

// Page is a part of what a search finds. It may hold fewer customers than were
// asked for, or none, and yet not be the last: a search looks at a bounded number
// of records at a time.
type Page struct {
	Customers []Customer
	Next      Position // where the next page begins
	More      bool     // whether there may be one
}
