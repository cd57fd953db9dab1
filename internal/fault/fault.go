// Package fault defines the errors that a client can act on.
//
// Any other error is a defect or an outage: it is logged in full, and the client gets
// only "internal error". A fault never contains a value that a client sent, so it can be
// logged and returned as it is.
package fault

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// Kind classifies a fault by what the client can do about it. Contracts map kinds, never
// texts, to status codes.
type Kind string

// The kinds. Every contract maps each of them.
const (
	BadRequest            Kind = "bad-request"             // the request is malformed
	Invalid               Kind = "validation-failed"       // some fields break a rule; Fields lists them
	Unauthenticated       Kind = "unauthenticated"         // the credential is missing, unknown or revoked
	Forbidden             Kind = "forbidden"               // the caller lacks the permission
	NotFound              Kind = "not-found"               // no such record, or not visible to this caller
	RouteNotFound         Kind = "route-not-found"         // no route for this path
	MethodNotAllowed      Kind = "method-not-allowed"      // the path has other methods
	Conflict              Kind = "conflict"                // another record has the same unique value
	PreconditionFailed    Kind = "precondition-failed"     // the record is at another version than If-Match; read it again
	PreconditionRequired  Kind = "precondition-required"   // the change needs If-Match
	IdempotencyInProgress Kind = "idempotency-in-progress" // a request with this idempotency key is in progress; retry later
	IdempotencyKeyReused  Kind = "idempotency-key-reused"  // a different request used this idempotency key
	RateLimited           Kind = "rate-limited"            // too many requests; retry after RetryAfter
	TooLarge              Kind = "too-large"               // the request is too large
	UnsupportedMediaType  Kind = "unsupported-media-type"  // the media type is not supported
	RequestTimeout        Kind = "request-timeout"         // the body did not arrive within the read timeout
	Unavailable           Kind = "unavailable"             // overloaded or temporarily unavailable; retry later
	StorageFull           Kind = "storage-full"            // the disk is full; nothing was written
	Internal              Kind = "internal"                // a defect or an outage of the server
)

// Kinds returns every kind, so that tests can check that a contract maps all of them.
func Kinds() []Kind {
	return []Kind{
		BadRequest, Invalid, Unauthenticated, Forbidden, NotFound, RouteNotFound, MethodNotAllowed,
		Conflict, PreconditionFailed, PreconditionRequired, IdempotencyInProgress, IdempotencyKeyReused,
		RateLimited, TooLarge, UnsupportedMediaType, RequestTimeout, Unavailable, StorageFull, Internal,
	}
}

// Fault is an error to return to the client.
type Fault struct {
	Kind           Kind
	Text           string
	Fields         []Field       // the fields at fault, for BadRequest, Invalid and Conflict
	RetryAfter     time.Duration // when to retry, for RateLimited
	CurrentVersion int64         // the record's version, for PreconditionFailed
}

// Field is one broken rule. Path is a domain path, such as "address.postalCode"; contracts
// translate it to their own names. Text is for people and never contains the value.
type Field struct {
	Path, Rule, Text string
}

// The rules of fields.
const (
	Type         = "type"          // wrong type
	Required     = "required"      // missing or empty
	Length       = "length"        // too long
	Format       = "format"        // malformed, or not one of the allowed values
	Range        = "range"         // outside the allowed range
	Unique       = "unique"        // another record has this value
	Immutable    = "immutable"     // cannot be changed
	ChangedSince = "changed-since" // changed again since the version to revert
	Duplicate    = "duplicate"     // occurs more than once
	Unknown      = "unknown"       // unknown field
)

// New returns a fault without fields.
func New(kind Kind, format string, args ...any) *Fault {
	return &Fault{Kind: kind, Text: fmt.Sprintf(format, args...)}
}

// NewField returns a fault of one field.
func NewField(kind Kind, text, path, rule, fieldText string) *Fault {
	return &Fault{Kind: kind, Text: text, Fields: []Field{{path, rule, fieldText}}}
}

// AlreadyExists returns a Conflict fault: another record of this kind, such as a customer,
// has the same value at each of the paths.
func AlreadyExists(kind string, paths ...string) *Fault {
	f := &Fault{Kind: Conflict, Text: "another " + kind + " has this " + strings.Join(paths, ", another this ")}
	for _, path := range paths {
		f.Fields = append(f.Fields, Field{path, Unique, "is already in use"})
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

// From returns the fault in err's chain. For any other error it returns an Internal fault
// without the error's text.
func From(err error) *Fault {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	return New(Internal, "internal error")
}

// FromPanic returns an error for a recovered panic, with the stack. Only messages of the
// runtime are known to contain no personal data; for any other value it reports the type.
func FromPanic(v any) error {
	text := fmt.Sprintf("%T", v)
	if err, ok := v.(runtime.Error); ok {
		text = err.Error()
	}
	return fmt.Errorf("panic: %s\n%s", text, debug.Stack())
}

// Is reports whether the fault in err's chain is of this kind.
func Is(err error, kind Kind) bool {
	f, ok := errors.AsType[*Fault](err)
	return ok && f.Kind == kind
}

// IsFault reports whether err's chain has a fault of any kind.
func IsFault(err error) bool {
	_, ok := errors.AsType[*Fault](err)
	return ok
}

// Merge returns an Invalid fault with the fields of a, and those of b at other paths. It
// returns nil when both are nil.
func Merge(a, b error) error {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	merged := Validator{fields: slices.Clone(From(a).Fields)}
	for _, f := range From(b).Fields {
		if !slices.ContainsFunc(From(a).Fields, func(first Field) bool { return first.Path == f.Path }) {
			merged.fields = append(merged.fields, f)
		}
	}
	return merged.Err()
}

// Validator collects broken rules, so that a client gets all of them in one response.
type Validator struct{ fields []Field }

// Require records a broken rule unless ok.
func (v *Validator) Require(ok bool, path, rule, text string) {
	if !ok {
		v.fields = append(v.fields, Field{path, rule, text})
	}
}

// HasError reports whether a rule for path has been recorded as broken.
func (v *Validator) HasError(path string) bool {
	return slices.ContainsFunc(v.fields, func(f Field) bool { return f.Path == path })
}

// Err returns an Invalid fault with the broken rules, or nil when there are none.
func (v *Validator) Err() error {
	if len(v.fields) == 0 {
		return nil
	}
	return &Fault{Kind: Invalid, Text: "validation failed", Fields: v.fields}
}
