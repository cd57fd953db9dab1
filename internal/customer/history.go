package customer

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/fault"
)

// ChangeRecord is a change as the history keeps it: what became of each field,
// instead of the whole record before and after. Its By.At is the record's
// UpdatedAt.
type ChangeRecord struct {
	Seq        int64 // its place in the feed: see Store.Feed
	CustomerID string
	Number     int32
	Version    int64 // that the change made
	Event      string
	Meta       ChangeMeta
	Fields     []FieldChange // in the order of the record
}

// LogValue keeps personal data out of every log.
func (r ChangeRecord) LogValue() slog.Value { return slog.StringValue(r.Event) }

// Revert is the edit that gives each field of a change the value that it had
// before. A field that has been changed again is a Conflict fault, except for
// confirmedAt: a customer who has confirmed the contact details again has done
// so.
func (r ChangeRecord) Revert(c *Customer) error {
	var newer []fault.Field
	for _, f := range r.Fields {
		now, err := get(c, f.Path)
		if err != nil {
			return err
		}
		switch {
		case now == f.Before:
		case now == f.After:
			if err := set(c, f.Path, f.Before); err != nil {
				return err
			}
		case f.Path != "confirmedAt":
			newer = append(newer, fault.Field{Path: f.Path, Rule: fault.ChangedSince, Text: "has been changed again since then"})
		}
	}
	if len(newer) > 0 {
		return &fault.Fault{Kind: fault.Conflict, Text: "fields of this change have been changed again since then", Fields: newer}
	}
	return nil
}

// errGap is for a history that does not lead to its record: a defect.
var errGap = errors.New("the history of a customer has a gap")

// Previous returns the customer as it was before the change, which must have left it
// as it is given. Only the change before this one tells its UpdatedAt.
func (r ChangeRecord) Previous(c Customer) (Customer, error) {
	if r.Version != c.Version {
		return Customer{}, errGap
	}
	for _, f := range r.Fields {
		if err := set(&c, f.Path, f.Before); err != nil {
			return Customer{}, err
		}
	}
	c.Version--
	return c, nil
}

// GetVersion returns the customer as the change to this version left it. It is a
// NotFound fault for a version that there never was.
func (s *Service) GetVersion(ctx context.Context, by access.Actor, ref Ref, version int64) (Customer, error) {
	c, err := s.Get(ctx, by, ref)
	if err != nil {
		return Customer{}, err
	}
	if err := reached(c, version); err != nil {
		return Customer{}, err
	}
	return s.rewind(ctx, c, func(r ChangeRecord) bool { return r.Version <= version })
}

// reached is a NotFound fault unless the customer is or has been at this version.
func reached(c Customer, version int64) error {
	if version < 1 || version > c.Version {
		return fault.New(fault.NotFound, "the customer has no version %d: it is at version %d", version, c.Version)
	}
	return nil
}

// GetAt returns the customer as it was at that time. It is a NotFound fault for a
// time before its birth.
func (s *Service) GetAt(ctx context.Context, by access.Actor, ref Ref, at time.Time) (Customer, error) {
	c, err := s.Get(ctx, by, ref)
	if err != nil {
		return Customer{}, err
	}
	if at.Before(c.CreatedAt) {
		return Customer{}, fault.New(fault.NotFound, "there was no such customer at that time")
	}
	return s.rewind(ctx, c, func(r ChangeRecord) bool { return !r.Meta.At.After(at) })
}

// historyPage is how many changes are read at once on the way back.
const historyPage = 100

// rewind undoes the changes to c, newest first, down to the first that stays.
func (s *Service) rewind(ctx context.Context, c Customer, stays func(ChangeRecord) bool) (Customer, error) {
	for {
		changes, err := s.store.Changes(ctx, c.Tenant, c.ID, c.Version+1, historyPage)
		if err != nil {
			return Customer{}, err
		}
		for _, r := range changes {
			if r.Version == c.Version && stays(r) {
				c.UpdatedAt = r.Meta.At
				return c, nil
			}
			if c, err = r.Previous(c); err != nil {
				return Customer{}, err
			}
		}
		if len(changes) == 0 {
			return Customer{}, errGap
		}
	}
}

// History returns up to limit of the customer's changes, newest first, from the
// one before version below; a below of 0 begins with the newest.
func (s *Service) History(ctx context.Context, by access.Actor, ref Ref, below int64, limit int) ([]ChangeRecord, error) {
	c, err := s.Get(ctx, by, ref)
	if err != nil {
		return nil, err
	}
	if below < 1 {
		below = c.Version + 1
	}
	return s.store.Changes(ctx, c.Tenant, c.ID, below, limit)
}

// RevertEdit returns the edit that undoes the change to this version. The change of a
// customer's birth cannot be undone.
func (s *Service) RevertEdit(ctx context.Context, by access.Actor, ref Ref, version int64) (Edit, error) {
	c, err := s.find(ctx, by, access.Write, ref)
	if err != nil {
		return nil, err
	}
	if err := reached(c, version); err != nil {
		return nil, err
	}
	var checks fault.Validator
	checks.Require(version > 1, "version", fault.Range, "must be 2 or more: version 1 is the customer's birth")
	if err := checks.Err(); err != nil {
		return nil, err
	}
	changes, err := s.store.Changes(ctx, c.Tenant, c.ID, version+1, 1)
	if err != nil {
		return nil, err
	}
	if len(changes) != 1 || changes[0].Version != version {
		return nil, errGap
	}
	return changes[0].Revert, nil
}

// Feed returns up to limit of the tenant's changes after the one with this Seq,
// in the order of their Seq. When there is none yet it waits for one, as
// long as wait and ctx allow and stop is open. A Seq that the feed has not come
// to is a BadRequest fault: whoever was given it read another feed, perhaps one
// from before a backup was restored, and would wait past changes.
func (s *Service) Feed(ctx context.Context, by access.Actor, after int64, limit int, wait time.Duration, stop <-chan struct{}) ([]ChangeRecord, error) {
	if err := forAll(by, access.Read, "the feed"); err != nil {
		return nil, err
	}
	enough := time.After(wait)
	for {
		grown := s.growth.next(by.Tenant) // before the look, so that nothing falls between
		changes, err := s.store.Feed(ctx, by.Tenant, after, limit)
		if err != nil || len(changes) > 0 {
			return changes, err
		}
		if err := s.passed(ctx, by.Tenant, after); err != nil || wait <= 0 {
			return nil, err
		}
		select {
		case <-grown:
		case <-time.After(feedPause):
		case <-enough:
			return nil, nil
		case <-stop:
			return nil, nil
		case <-ctx.Done():
			return nil, nil
		}
	}
}

// passed is a fault unless the tenant's feed has a change with this Seq, or a
// later one.
func (s *Service) passed(ctx context.Context, tenant string, seq int64) error {
	if seq == 0 {
		return nil
	}
	changes, err := s.store.Feed(ctx, tenant, seq-1, 1)
	if err != nil || len(changes) > 0 {
		return err
	}
	return &fault.Fault{Kind: fault.BadRequest, Text: "the feed has not come that far", Fields: []fault.Field{{
		Path: "after", Rule: fault.Range, Text: "is beyond the end of the feed: if it was the end once, the history was replaced; begin again at 0",
	}}}
}

// feedPause is how soon the feed shows what another process wrote, at the latest.
const feedPause = time.Second
