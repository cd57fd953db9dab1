package customer

import (
	"errors"
	"log/slog"
	"slices"
	"time"

	"kartotek/internal/fault"
)

// Edit is a pure function that changes a record. It may run again after a concurrent update, so it
// changes nothing but the record. An Invalid fault that it returns is reported together with the
// rules that the record then breaks.
type Edit func(*Customer) error

// Precondition is a condition on the record before an edit. Every record meets the zero Precondition.
type Precondition struct {
	Versions        []int64   // if not nil: the record is at one of these
	NotVersions     []int64   // the record is at none of these
	Never           bool      // no record meets the condition
	UnmodifiedSince time.Time // if not zero: the record has not been changed after this second
}

// Edit returns an edit that fails with a PreconditionFailed fault unless the record meets p. The
// faults of edit come first (RFC 9110, section 13.2.1).
func (p Precondition) Edit(edit Edit) Edit {
	return func(c *Customer) error {
		if err := edit(c); err != nil {
			return err
		}
		if !p.metBy(*c) {
			failed := fault.New(fault.PreconditionFailed, "the customer is at version %d", c.Version)
			failed.CurrentVersion = c.Version
			return failed
		}
		return nil
	}
}

func (p Precondition) metBy(c Customer) bool {
	return !p.Never &&
		(p.Versions == nil || slices.Contains(p.Versions, c.Version)) &&
		!slices.Contains(p.NotVersions, c.Version) &&
		(p.UnmodifiedSince.IsZero() || !c.UpdatedAt.Truncate(time.Second).After(p.UnmodifiedSince))
}

// Confirm returns edit, followed by setting when the customer confirmed the contact details.
func Confirm(at time.Time, edit Edit) Edit {
	return func(c *Customer) error {
		if err := edit(c); err != nil {
			return err
		}
		if at.After(c.ConfirmedAt) { // a later confirmation may be written first
			c.ConfirmedAt = at
		}
		return nil
	}
}

// ChangeMeta is the author of a change, its contract, request and time.
type ChangeMeta struct {
	Actor     string // the id of the account or key
	ActorName string // to display: it may change, and may be given to another account
	Contract  string
	RequestID string
	At        time.Time
}

// LogValue keeps the actor's name, which may be a person's, out of every log.
func (s ChangeMeta) LogValue() slog.Value { return slog.StringValue(s.Contract + " " + s.RequestID) }

// Change is one change of a record. Before is the zero Customer when the change creates the record,
// and equals After when nothing changed.
type Change struct {
	Before, After Customer
	Meta          ChangeMeta
}

// The events of the history and the feed.
const (
	EventCreated = "customer.created"
	EventUpdated = "customer.updated"
)

// Event returns the event of the change.
func (ch Change) Event() string {
	if ch.Before.Version == 0 {
		return EventCreated
	}
	return EventUpdated
}

// Empty reports whether nothing changed.
func (ch Change) Empty() bool { return ch.Before == ch.After }

// Diff lists the fields that changed.
func (ch Change) Diff() []FieldChange { return Diff(ch.Before, ch.After) }

// Snapshot lists all fields of the record after the change, in every 16th version; else it is nil.
func (ch Change) Snapshot() []FieldChange {
	if ch.After.Version%snapshotInterval != 0 {
		return nil
	}
	return Diff(Customer{}, ch.After)
}

// snapshotInterval keeps an old version about as cheap to read as the newest one.
const snapshotInterval = 16

// LogValue keeps personal data out of every log.
func (ch Change) LogValue() slog.Value { return slog.StringValue(ch.Event()) }

// Create returns the change that creates c, normalized and checked, at version 1.
func Create(c Customer, by ChangeMeta) (Change, error) {
	c = c.normalize()
	c.Version, c.CreatedAt, c.UpdatedAt = 1, normalTime(by.At), normalTime(by.At)
	if err := c.Check(by.At); err != nil {
		return Change{}, err
	}
	return Change{After: c, Meta: by}, nil
}

// Apply returns the change that edit makes to before: the next version, normalized and checked, or
// an empty change when the record stays equal. Every store calls it.
func Apply(before Customer, by ChangeMeta, edit Edit) (Change, error) {
	after := before
	errEdit := edit(&after)
	if errEdit != nil && !fault.Is(errEdit, fault.Invalid) {
		return Change{}, errEdit
	}
	if after.Tenant != before.Tenant || after.ID != before.ID || after.Number != before.Number ||
		after.Version != before.Version || after.CreatedAt != before.CreatedAt || after.UpdatedAt != before.UpdatedAt {
		return Change{}, errors.New("an edit changed a field that only the store sets")
	}
	after = after.normalize()
	if after == before && errEdit == nil {
		return Change{Before: before, After: before, Meta: by}, nil
	}
	if err := fault.Merge(errEdit, after.Check(by.At)); err != nil {
		return Change{}, err
	}
	after.Version++
	// Requests get their time on arrival, and may be written in another order.
	after.UpdatedAt = later(normalTime(by.At), before.UpdatedAt)
	return Change{Before: before, After: after, Meta: by}, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
