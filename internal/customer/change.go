package customer

import (
	"errors"
	"log/slog"
	"slices"
	"time"

	"kartotek/internal/fault"
)

// Edit is a pure change to a record. It may run more than once, because another
// writer may come first, so it touches nothing but the record. An Invalid fault
// that it returns is told together with the rules that the record then breaks.
type Edit func(*Customer) error

// AtVersion refuses to change a record that is at none of these versions, with a
// PreconditionFailed fault. Faults of the edit itself come first, as RFC 9110, section
// 13.2.1 has it.
func AtVersion(versions []int64, edit Edit) Edit {
	return func(c *Customer) error {
		if err := edit(c); err != nil {
			return err
		}
		if !slices.Contains(versions, c.Version) {
			stale := fault.New(fault.PreconditionFailed, "the customer is at version %d", c.Version)
			stale.CurrentVersion = c.Version
			return stale
		}
		return nil
	}
}

// Confirm notes that the customer confirmed the contact details at that time,
// after edit.
func Confirm(at time.Time, edit Edit) Edit {
	return func(c *Customer) error {
		if err := edit(c); err != nil {
			return err
		}
		if at.After(c.ConfirmedAt) { // a confirmation that came later may have been written first
			c.ConfirmedAt = at
		}
		return nil
	}
}

// ChangeMeta says who makes a change, through what, and when.
type ChangeMeta struct {
	Actor     string
	Contract  string
	RequestID string
	At        time.Time
}

// LogValue keeps the actor's name, which may be a person's, out of every log.
func (s ChangeMeta) LogValue() slog.Value { return slog.StringValue(s.Contract + " " + s.RequestID) }

// Change is one finished step in a record's life. Before is the zero Customer
// at its birth. When nothing changed, Before equals After.
type Change struct {
	Before, After Customer
	Meta          ChangeMeta
}

// The events, as history and the feed name them.
const (
	EventCreated = "customer.created"
	EventUpdated = "customer.updated"
)

// Event names the change for history and webhooks.
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

// LogValue keeps personal data out of every log.
func (ch Change) LogValue() slog.Value { return slog.StringValue(ch.Event()) }

// Create is the birth of c: version 1, normal and checked, or a fault.
func Create(c Customer, by ChangeMeta) (Change, error) {
	c = c.normal()
	c.Version, c.CreatedAt, c.UpdatedAt = 1, normalTime(by.At), normalTime(by.At)
	if err := c.Check(by.At); err != nil {
		return Change{}, err
	}
	return Change{After: c, Meta: by}, nil
}

// Apply is what edit makes of before: the next version, normal and checked; an
// empty change when the record stays equal; or a fault. Stores call it, so that
// every engine makes the same step.
func Apply(before Customer, by ChangeMeta, edit Edit) (Change, error) {
	after := before
	refused := edit(&after)
	if refused != nil && !fault.Is(refused, fault.Invalid) {
		return Change{}, refused
	}
	if after.Tenant != before.Tenant || after.ID != before.ID || after.Number != before.Number ||
		after.Version != before.Version || after.CreatedAt != before.CreatedAt || after.UpdatedAt != before.UpdatedAt {
		return Change{}, errors.New("an edit touched the record's bookkeeping")
	}
	after = after.normal()
	if after == before && refused == nil {
		return Change{Before: before, After: before, Meta: by}, nil
	}
	if err := fault.Merge(refused, after.Check(by.At)); err != nil {
		return Change{}, err
	}
	after.Version++
	// Requests are stamped when they arrive and written in another order.
	after.UpdatedAt = later(normalTime(by.At), before.UpdatedAt)
	return Change{Before: before, After: after, Meta: by}, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
