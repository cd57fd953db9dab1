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
	BadRequest            Kind = "bad-request"             // send a readable request
	Invalid               Kind = "validation-failed"       // fix the fields and send again
	Unauthenticated       Kind = "unauthenticated"         // say who you are
	Forbidden             Kind = "forbidden"               // not yours
	NotFound              Kind = "not-found"               // no such record, or none this caller may see
	RouteNotFound         Kind = "route-not-found"         // no such path
	MethodNotAllowed      Kind = "method-not-allowed"      // the path knows other methods
	Conflict              Kind = "conflict"                // another record holds this value
	PreconditionFailed    Kind = "precondition-failed"     // read again: the record has moved on
	PreconditionRequired  Kind = "precondition-required"   // say which version of the record the change is meant for
	IdempotencyInProgress Kind = "idempotency-in-progress" // wait: the same request is being answered
	IdempotencyKeyReused  Kind = "idempotency-key-reused"  // give another request another key
	RateLimited           Kind = "rate-limited"            // ask less often
	TooLarge              Kind = "too-large"               // send less
	UnsupportedMediaType  Kind = "unsupported-media-type"  // send another media type
	RequestTimeout        Kind = "request-timeout"         // send the request faster
	Unavailable           Kind = "unavailable"             // wait, then send again
	StorageFull           Kind = "storage-full"            // nothing was written; wait until an operator has made room
	Internal              Kind = "internal"                // nothing; it is ours to fix
)

// Kinds returns every kind, so that a test can hold a contract to all of them.
func Kinds() []Kind {
	return []Kind{
		BadRequest, Invalid, Unauthenticated, Forbidden, NotFound, RouteNotFound, MethodNotAllowed,
		Conflict, PreconditionFailed, PreconditionRequired, IdempotencyInProgress, IdempotencyKeyReused, RateLimited, TooLarge, UnsupportedMediaType,
		RequestTimeout, Unavailable, StorageFull, Internal,
	}
}

// Fault is an error meant for the caller.
type Fault struct {
	Kind           Kind
	Text           string
	Fields         []Field       // what is wrong with which field, when Kind is Malformed, Invalid or Conflict
	RetryAfter     time.Duration // until it is worth asking again, when Kind is Limited
	CurrentVersion int64         // the version that the record is at, when Kind is Stale
}

// Field is one broken rule. Path is in domain words, such as
// "address.postalCode"; contracts rename it for the wire. Text is for people
// and never repeats the value.
type Field struct {
	Path, Rule, Text string
}

// The rules that a Field may name.
const (
	Type         = "type"          // another kind of value is due
	Required     = "required"      // a value is due
	Length       = "length"        // too long
	Format       = "format"        // not of the form or the list that the field takes
	Range        = "range"         // outside the limits
	Unique       = "unique"        // another record holds it
	Immutable    = "immutable"     // never changes
	ChangedSince = "changed-since" // has been changed again
	Duplicate    = "duplicate"     // named twice
	Unknown      = "unknown"       // no such field
)

// New returns a fault without fields.
func New(kind Kind, format string, args ...any) *Fault {
	return &Fault{Kind: kind, Text: fmt.Sprintf(format, args...)}
}

// AlreadyExists returns a Conflict: another record of its kind, such as a customer, holds
// the value at each of the paths.
func AlreadyExists(kind string, paths ...string) *Fault {
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

// From finds the fault in err's chain. An error without one becomes Internal,
// stripped of its text.
func From(err error) *Fault {
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

// IsFault reports whether there is a fault in err's chain, of whatever kind.
func IsFault(err error) bool {
	_, ok := errors.AsType[*Fault](err)
	return ok
}

// Merge is one Invalid fault with the fields of both a and b, or nil when both are
// nil. Of what b says, it leaves out the fields that a names already.
func Merge(a, b error) error {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	first := From(a)
	checks := Validator{fields: slices.Clone(first.Fields)}
	named := map[string]bool{}
	for _, f := range first.Fields {
		named[f.Path] = true
	}
	for _, f := range From(b).Fields {
		if !named[f.Path] {
			checks.fields = append(checks.fields, f)
		}
	}
	return checks.Err()
}

// Validator gathers broken rules so that a caller hears of all of them at once.
type Validator struct{ fields []Field }

// Require records a broken rule unless ok.
func (c *Validator) Require(ok bool, path, rule, text string) {
	if !ok {
		c.fields = append(c.fields, Field{path, rule, text})
	}
}

// HasError reports whether a rule about path has been broken so far.
func (c *Validator) HasError(path string) bool {
	return slices.ContainsFunc(c.fields, func(f Field) bool { return f.Path == path })
}

// Err is nil when no rule is broken.
func (c *Validator) Err() error {
	if len(c.fields) == 0 {
		return nil
	}
	return &Fault{Kind: Invalid, Text: "the record breaks a rule", Fields: c.fields}
}
