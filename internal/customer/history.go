package customer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/fault"
)

// Recorded is a change as the history keeps it: what became of each field,
// instead of the whole record before and after. Its By.At is the record's
// UpdatedAt.
type Recorded struct {
	Seq        int64 // its place in the feed: the later the commit, the higher
	CustomerID string
	Number     int32
	Version    int64 // that the change made
	Event      string
	By         Signature
	Fields     []FieldChange // in the order of the record
}

// LogValue keeps personal data out of every log.
func (r Recorded) LogValue() slog.Value { return slog.StringValue(r.Event) }

// undone returns c, which is at the version that r made, as it was before r.
func (r Recorded) undone(c Customer) (Customer, error) {
	if c.Version != r.Version {
		return Customer{}, fmt.Errorf("undo version %d of a record at version %d", r.Version, c.Version)
	}
	for _, f := range r.Fields {
		if err := set(&c, f.Path, f.Before); err != nil {
			return Customer{}, err
		}
	}
	c.Version--
	return c, nil
}

// Undo is the edit that gives each field of a change the value that it had
// before. A field that has been changed again is a Conflict fault, except for
// confirmedAt: a customer who has confirmed the contact details again has done
// so.
func (r Recorded) Undo(c *Customer) error {
	var newer []fault.Field
	for _, f := range r.Fields {
		switch now := read(c, f.Path); {
		case now == f.Before:
		case now == f.After:
			if err := set(c, f.Path, f.Before); err != nil {
				return err
			}
		case f.Path != "confirmedAt":
			newer = append(newer, fault.Field{Path: f.Path, Rule: fault.Newer, Text: "has been changed again since then"})
		}
	}
	if len(newer) > 0 {
		return &fault.Fault{Kind: fault.Conflict, Text: "fields of this change have been changed again since then", Fields: newer}
	}
	return nil
}

// GetVersion returns the customer as the change to this version left it. It is a
// Missing fault for a version that there never was.
func (s *Service) GetVersion(ctx context.Context, by access.Actor, ref Ref, version int64) (Customer, error) {
	c, err := s.Get(ctx, by, ref)
	if err != nil {
		return Customer{}, err
	}
	if version < 1 || version > c.Version {
		return Customer{}, fault.New(fault.Missing, "the customer has no version %d: it is at version %d", version, c.Version)
	}
	return s.rewind(ctx, c, func(r Recorded) bool { return r.Version <= version })
}

// GetAt returns the customer as it was at that time. It is a Missing fault for a
// time before its birth.
func (s *Service) GetAt(ctx context.Context, by access.Actor, ref Ref, at time.Time) (Customer, error) {
	c, err := s.Get(ctx, by, ref)
	if err != nil {
		return Customer{}, err
	}
	if at.Before(c.CreatedAt) {
		return Customer{}, fault.New(fault.Missing, "there was no such customer at that time")
	}
	return s.rewind(ctx, c, func(r Recorded) bool { return !r.By.At.After(at) })
}

// historyPage is how many changes are read at once on the way back.
const historyPage = 100

// rewind undoes the changes to c, newest first, down to the first that stays.
func (s *Service) rewind(ctx context.Context, c Customer, stays func(Recorded) bool) (Customer, error) {
	for {
		changes, err := s.store.Changes(ctx, c.Tenant, c.ID, c.Version+1, historyPage)
		if err != nil {
			return Customer{}, err
		}
		for _, r := range changes {
			if stays(r) {
				c.UpdatedAt = r.By.At
				return c, nil
			}
			if c, err = r.undone(c); err != nil {
				return Customer{}, err
			}
		}
		if len(changes) == 0 {
			return Customer{}, errors.New("the history of a customer has a gap")
		}
	}
}

// History returns up to limit of the customer's changes, newest first, from the
// one before version below; a below of 0 begins with the newest.
func (s *Service) History(ctx context.Context, by access.Actor, ref Ref, below int64, limit int) ([]Recorded, error) {
	c, err := s.Get(ctx, by, ref)
	if err != nil {
		return nil, err
	}
	if below < 1 || below > c.Version {
		below = c.Version + 1
	}
	return s.store.Changes(ctx, c.Tenant, c.ID, below, limit)
}

// Undo returns the edit that undoes the change to this version. The change of a
// customer's birth cannot be undone.
func (s *Service) Undo(ctx context.Context, by access.Actor, ref Ref, version int64) (Edit, error) {
	if err := authorise(by, access.Write, ref); err != nil {
		return nil, err
	}
	c, err := s.store.Find(ctx, ref)
	if err != nil {
		return nil, hidden(by, ref, err)
	}
	if err := within(by, c); err != nil {
		return nil, err
	}
	if version < 1 || version > c.Version {
		return nil, fault.New(fault.Missing, "the customer has no version %d: it is at version %d", version, c.Version)
	}
	if version == 1 {
		var checks fault.Checks
		checks.Need(false, "version", fault.Range, "must be 2 or more: version 1 is the customer's birth")
		return nil, checks.Err()
	}
	changes, err := s.store.Changes(ctx, c.Tenant, c.ID, version+1, 1)
	if err != nil {
		return nil, err
	}
	if len(changes) != 1 || changes[0].Version != version {
		return nil, errors.New("the history of a customer has a gap")
	}
	return changes[0].Undo, nil
}

// Feed returns up to limit of the tenant's changes after the one with this Seq,
// in the order of their commits. When there is none yet it waits for one, as
// long as wait and ctx allow and stop is open.
func (s *Service) Feed(ctx context.Context, by access.Actor, after int64, limit int, wait time.Duration, stop <-chan struct{}) ([]Recorded, error) {
	if !by.May(access.Read) || !by.Customers.Everyone() {
		return nil, fault.New(fault.Forbidden, "the feed needs %s for all customers", access.Read)
	}
	enough := time.NewTimer(wait)
	defer enough.Stop()
	for {
		grown := s.growth.next() // before the look, so that nothing falls between
		changes, err := s.store.Feed(ctx, by.Tenant, after, limit)
		if err != nil || len(changes) > 0 || wait <= 0 {
			return changes, err
		}
		again := time.NewTimer(feedPause)
		select {
		case <-grown:
		case <-again.C:
		case <-enough.C:
			wait = 0
		case <-stop:
			wait = 0
		case <-ctx.Done():
			wait = 0
		}
		again.Stop()
		if wait == 0 {
			return nil, nil
		}
	}
}

// feedPause is how soon the feed shows what another process wrote, at the latest.
const feedPause = time.Second
