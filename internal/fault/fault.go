// Package fault holds the errors a caller can act on.
//
// Any other error is a defect or an outage: the log tells the whole story and
// the caller learns only that something broke. A fault never carries a value
// that a caller sent, so it may be logged and answered as it is.
package fault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind says what the caller can do about a fault. Contracts map kinds, never
// texts, to wire codes.
type Kind string

// The kinds. Every contract answers each of them in its own words.
const (
	Malformed       Kind = "malformed"       // send a readable request
	Invalid         Kind = "invalid"         // fix the fields and send again
	Unauthenticated Kind = "unauthenticated" // say who you are
	Forbidden       Kind = "forbidden"       // not yours
	Missing         Kind = "missing"         // no such record, or none this caller may see
	NoRoute         Kind = "no-route"        // no such path
	NoMethod        Kind = "no-method"       // the path knows other methods
	Conflict        Kind = "conflict"        // another record holds this value
	Stale           Kind = "stale"           // read again: the record has moved on
	Unguarded       Kind = "unguarded"       // say which version of the record the change is meant for
	Running         Kind = "running"         // wait: the same request is being answered
	Reused          Kind = "reused"          // give another request another key
	Limited         Kind = "limited"         // ask less often
	TooLarge        Kind = "too-large"       // send less
	Unsupported     Kind = "unsupported"     // send another media type
	Slow            Kind = "slow"            // send the request faster
	Busy            Kind = "busy"            // wait, then send again
	Full            Kind = "full"            // nothing was written; wait until an operator has made room
	Internal        Kind = "internal"        // nothing; it is ours to fix
)

// Kinds returns every kind, so that a test can hold a contract to all of them.
func Kinds() []Kind {
	return []Kind{
		Malformed, Invalid, Unauthenticated, Forbidden, Missing, NoRoute, NoMethod,
		Conflict, Stale, Unguarded, Running, Reused, Limited, TooLarge, Unsupported,
		Slow, Busy, Full, Internal,
	}
}

// Fault is an error meant for the caller.
type Fault struct {
	Kind   Kind
	Text   string
	Fields []Field       // what is wrong with which field, when Kind is Malformed, Invalid or Conflict
	Wait   time.Duration // until it is worth asking again, when Kind is Limited
	At     int64         // the version that the record is at, when Kind is Stale
}

// Field is one broken rule. Path is in domain words, such as
// "address.postalCode"; contracts rename it for the wire. Text is for people
// and never repeats the value.
type Field struct {
	Path, Rule, Text string
}

// The rules that a Field may name.
const (
	Type     = "type"     // another kind of value is due
	Required = "required" // a value is due
	Length   = "length"   // too long
	Format   = "format"   // not of the form or the list that the field takes
	Range    = "range"    // outside the limits
	Unique   = "unique"   // another record holds it
	Fixed    = "fixed"    // never changes
	Newer    = "newer"    // has been changed again
	Repeated = "repeated" // named twice
	Unknown  = "unknown"  // no such field
)

// New returns a fault without fields.
func New(kind Kind, format string, args ...any) *Fault {
	return &Fault{Kind: kind, Text: fmt.Sprintf(format, args...)}
}

// Taken returns a Conflict: another record of its kind, such as a customer, holds
// the value at each of the paths.
func Taken(kind string, paths ...string) *Fault {
	f := &Fault{Kind: Conflict, Text: "another " + kind + " has this " + strings.Join(paths, ", another this ")}
	for _, path := range paths {
		f.Fields = append(f.Fields, Field{path, Unique, "is taken by another " + kind})
	}
	return f
}

// Error lists the kind, the text and each broken rule.
func (f *Fault) Error() string {
	parts := []string{f.Text}
	for _, field := range f.Fields {
		parts = append(parts, field.Path+" "+field.Text)
	}
	return string(f.Kind) + ": " + strings.Join(parts, "; ")
}

// Of finds the fault in err's chain. An error without one becomes Internal,
// stripped of its text.
func Of(err error) *Fault {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	return New(Internal, "internal error")
}

// Is reports whether err is a fault of this kind.
func Is(err error, kind Kind) bool {
	f, ok := errors.AsType[*Fault](err)
	return ok && f.Kind == kind
}

// In reports whether there is a fault in err's chain, of whatever kind.
func In(err error) bool {
	_, ok := errors.AsType[*Fault](err)
	return ok
}

// Join is one Invalid fault with the fields of both a and b, or nil when both are
// nil. Of what b says, it leaves out the fields that a names already.
func Join(a, b error) error {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	first := Of(a)
	checks := Checks{fields: slices.Clone(first.Fields)}
	named := map[string]bool{}
	for _, f := range first.Fields {
		named[f.Path] = true
	}
	for _, f := range Of(b).Fields {
		if !named[f.Path] {
			checks.fields = append(checks.fields, f)
		}
	}
	return checks.Err()
}

// Checks gathers broken rules so that a caller hears of all of them at once.
type Checks struct{ fields []Field }

// Need records a broken rule unless ok.
func (c *Checks) Need(ok bool, path, rule, text string) {
	if !ok {
		c.fields = append(c.fields, Field{path, rule, text})
	}
}

// Broken reports whether a rule about path has been broken so far.
func (c *Checks) Broken(path string) bool {
	return slices.ContainsFunc(c.fields, func(f Field) bool { return f.Path == path })
}

// Err is nil when no rule is broken.
func (c *Checks) Err() error {
	if len(c.fields) == 0 {
		return nil
	}
	return &Fault{Kind: Invalid, Text: "the record breaks a rule", Fields: c.fields}
}
