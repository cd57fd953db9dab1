package customer

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/fault"
)

// ChangeRecord is a change in the history. It has the changed fields instead of the whole record.
// Its Meta.At is the UpdatedAt of the record.
type ChangeRecord struct {
	Seq        int64 // position in the feed: see Store.Feed
	CustomerID string
	Number     int32
	Version    int64 // of the record after the change
	Event      string
	Meta       ChangeMeta
	Fields     []FieldChange // in the order of the record
	Snapshot   []FieldChange // see Change.Snapshot
}

// LogValue keeps personal data out of every log.
func (r ChangeRecord) LogValue() slog.Value { return slog.StringValue(r.Event) }

// Revert is an Edit that sets each field of the change to its value before. A field that has been
// changed again is a Conflict fault, except confirmedAt: a later confirmation stays.
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

// errHistoryGap is the error for a history that does not lead to its record: a bug.
var errHistoryGap = errors.New("the history of a customer has a gap")

// Previous returns the customer before the change; c is the customer after it. UpdatedAt is only in
// the change before, so the caller sets it.
func (r ChangeRecord) Previous(c Customer) (Customer, error) {
	if r.Version != c.Version {
		return Customer{}, errHistoryGap
	}
	for _, f := range r.Fields {
		if err := set(&c, f.Path, f.Before); err != nil {
			return Customer{}, err
		}
	}
	c.Version--
	return c, nil
}

// restoreSnapshot returns the customer after the change; c is the customer at any version.
func (r ChangeRecord) restoreSnapshot(c Customer) (Customer, error) {
	if r.Snapshot == nil {
		return Customer{}, errHistoryGap
	}
	c = Customer{Tenant: c.Tenant, ID: c.ID, Number: c.Number, CreatedAt: c.CreatedAt, Version: r.Version}
	for _, f := range r.Snapshot {
		if err := set(&c, f.Path, f.After); err != nil {
			return Customer{}, err
		}
	}
	return c, nil
}

// GetVersion returns the customer at this version. It is a NotFound fault when there is no such
// version.
func (s *Service) GetVersion(ctx context.Context, by access.Actor, ref Ref, version int64) (Customer, error) {
	c, err := s.Get(ctx, by, ref)
	if err != nil {
		return Customer{}, err
	}
	if err := checkVersion(c, version); err != nil {
		return Customer{}, err
	}
	snapshot := (version + snapshotInterval - 1) / snapshotInterval * snapshotInterval
	return s.restore(ctx, c, snapshot, func(r ChangeRecord) bool { return r.Version <= version })
}

// checkVersion returns a NotFound fault unless the customer is or was at this version.
func checkVersion(c Customer, version int64) error {
	if version < 1 || version > c.Version {
		return fault.New(fault.NotFound, "the customer has no version %d: it is at version %d", version, c.Version)
	}
	return nil
}

// GetAt returns the customer as it was at that time. It is a NotFound fault before its creation.
func (s *Service) GetAt(ctx context.Context, by access.Actor, ref Ref, at time.Time) (Customer, error) {
	c, err := s.Get(ctx, by, ref)
	if err != nil {
		return Customer{}, err
	}
	if at.Before(c.CreatedAt) {
		return Customer{}, fault.New(fault.NotFound, "the customer did not exist at that time")
	}
	snapshot, err := s.store.SnapshotAfter(ctx, c.Tenant, c.ID, at)
	if err != nil {
		return Customer{}, err
	}
	return s.restore(ctx, c, snapshot, func(r ChangeRecord) bool { return !r.Meta.At.After(at) })
}

// restore reverts changes, newest first, until stays reports true for one. It starts at the version
// of a snapshot, or at c when the version is 0 or c has not reached it.
func (s *Service) restore(ctx context.Context, c Customer, snapshot int64, stays func(ChangeRecord) bool) (Customer, error) {
	start := c.Version
	if snapshot > 0 {
		start = min(start, snapshot)
	}
	for {
		changes, err := s.store.Changes(ctx, c.Tenant, c.ID, start+1, snapshotInterval+1)
		if err != nil {
			return Customer{}, err
		}
		if len(changes) > 0 && changes[0].Version < c.Version {
			if c, err = changes[0].restoreSnapshot(c); err != nil {
				return Customer{}, err
			}
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
			return Customer{}, errHistoryGap
		}
		start = c.Version
	}
}

// History returns up to limit of the customer's changes with a version lower than below, newest
// first; a below of 0 starts with the newest.
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

// RevertEdit returns the edit that reverts the change to this version. A creation cannot be
// reverted.
func (s *Service) RevertEdit(ctx context.Context, by access.Actor, ref Ref, version int64) (Edit, error) {
	c, err := s.find(ctx, by, access.Write, ref)
	if err != nil {
		return nil, err
	}
	if err := checkVersion(c, version); err != nil {
		return nil, err
	}
	if version == 1 {
		return nil, fault.NewField(fault.Invalid, "validation failed", "version", fault.Range,
			"must be 2 or more: version 1 is the creation of the customer")
	}
	changes, err := s.store.Changes(ctx, c.Tenant, c.ID, version+1, 1)
	if err != nil {
		return nil, err
	}
	if len(changes) != 1 || changes[0].Version != version {
		return nil, errHistoryGap
	}
	return changes[0].Revert, nil
}

// Feed returns up to limit of the tenant's changes after the one with this Seq, by Seq. When there
// is none, it waits for one until wait is over, ctx is done or stop is closed. A Seq beyond the end
// of the feed is a BadRequest fault: it comes from another feed, such as one before a backup was
// restored, and the caller would miss changes.
func (s *Service) Feed(ctx context.Context, by access.Actor, after int64, limit int, wait time.Duration, stop <-chan struct{}) ([]ChangeRecord, error) {
	if err := requireAllCustomers(by, access.Read, "the feed"); err != nil {
		return nil, err
	}
	changed := s.notifier.waiters(by.Tenant).changed // before the read: a change in between must wake it
	changes, err := s.store.Feed(ctx, by.Tenant, after, limit)
	if err != nil || len(changes) > 0 {
		return changes, err
	}
	if err := s.checkCursor(ctx, by.Tenant, after); err != nil || wait <= 0 {
		return nil, err
	}
	if err := s.notifier.enter(by); err != nil {
		return nil, err
	}
	defer s.notifier.leave(by)
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		polled, ok := s.notifier.wait(ctx, by.Tenant, changed, stop)
		if !ok {
			return nil, nil
		}
		changed = s.notifier.waiters(by.Tenant).changed
		changes, err := s.store.Feed(ctx, by.Tenant, after, limit)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, nil
		case polled && len(changes) > 0:
			s.notifier.notify(by.Tenant)
		}
		if err != nil || len(changes) > 0 {
			return changes, err
		}
	}
}

// checkCursor returns a fault unless the tenant's feed has a change with this Seq or a later one.
func (s *Service) checkCursor(ctx context.Context, tenant string, seq int64) error {
	if seq == 0 {
		return nil
	}
	changes, err := s.store.Feed(ctx, tenant, seq-1, 1)
	if err != nil || len(changes) > 0 {
		return err
	}
	return fault.NewField(fault.BadRequest, "the cursor is beyond the end of the feed", "after", fault.Range,
		"is beyond the end of the feed, which may have been restored from a backup: start again at 0")
}
