package customer

import (
	"log/slog"
	"time"
)

// Filter selects the customers of a list. Each field that is not zero must match.
type Filter struct {
	Email, Phone, PostalCode string // compared in normalized form
	Number                   int32

	// ConfirmedBefore selects customers that confirmed their contact details before
	// this time, or never.
	ConfirmedBefore time.Time
}

// LogValue keeps personal data out of every log.
func (f Filter) LogValue() slog.Value { return slog.StringValue("filter") }

// Cursor is a position in a list. The zero Cursor is the start.
type Cursor struct {
	ConfirmedAt time.Time // only of lists with ConfirmedBefore; zero when never confirmed
	Number      int32
}

// SearchResult is the result of a search.
type SearchResult struct {
	Customers []Customer
	More      bool // whether others may match
}
