package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kartotek/internal/fault"
)

func TestFromReturnsFaultInChain(t *testing.T) {
	t.Parallel()
	mismatch := fault.New(fault.PreconditionFailed, "version %d", 4)
	outage := errors.New("dial tcp 192.0.2.1: secret")
	internal := fault.New(fault.Internal, "internal error")
	tests := map[string]struct {
		err  error
		want *fault.Fault
	}{
		"bare":             {mismatch, mismatch},
		"wrapped":          {fmt.Errorf("update: %w", fmt.Errorf("write: %w", mismatch)), mismatch},
		"joined":           {errors.Join(outage, mismatch), mismatch},
		"the outer of two": {fmt.Errorf("%w: %w", fault.New(fault.Unavailable, "wait"), mismatch), fault.New(fault.Unavailable, "wait")},
		"another error":    {outage, internal},
		"nil":              {nil, internal},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, fault.From(tt.err)); diff != "" {
				t.Errorf("From(%v) (-want +got):\n%s", tt.err, diff)
			}
		})
	}
}

func TestIsComparesKinds(t *testing.T) {
	t.Parallel()
	for _, kind := range fault.Kinds() {
		err := fmt.Errorf("find: %w", fault.New(kind, "no"))
		for _, other := range fault.Kinds() {
			if got, want := fault.Is(err, other), kind == other; got != want {
				t.Errorf("Is(%v, %s): got %v, want %v", err, other, got, want)
			}
		}
	}
	for name, err := range map[string]error{"nil": nil, "an outage": errors.New("internal error")} {
		if fault.Is(err, fault.Internal) {
			t.Errorf("Is(%s, internal): got true, want false: it is not a fault", name)
		}
	}
}

func TestKindsAreDistinct(t *testing.T) {
	t.Parallel()
	listed := map[fault.Kind]bool{}
	for _, kind := range fault.Kinds() {
		if listed[kind] || kind == "" {
			t.Errorf("kind %q is empty or listed twice", kind)
		}
		listed[kind] = true
	}
}

func TestIsFaultFindsFaultInChain(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		fault.New(fault.Internal, "defect"):                                true,
		fmt.Errorf("find customer: %w", fault.New(fault.NotFound, "gone")): true,
		errors.New("a defect"):                                             false,
		nil:                                                                false,
	} {
		if got := fault.IsFault(err); got != want {
			t.Errorf("IsFault(%v): got %v, want %v", err, got, want)
		}
	}
}

func TestErrorListsKindTextAndFields(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]*fault.Fault{
		"precondition-failed: at version 4":                                    fault.New(fault.PreconditionFailed, "at version %d", 4),
		"conflict: another customer has this number; number is already in use": fault.AlreadyExists("customer", "number"),
		"validation-failed: no; a is b; c is d": {
			Kind: fault.Invalid, Text: "no", Fields: []fault.Field{{Path: "a", Text: "is b"}, {Path: "c", Text: "is d"}},
		},
	} {
		if got := f.Error(); got != want {
			t.Errorf("Error: got %q, want %q", got, want)
		}
	}
}

func TestAlreadyExistsHasFieldAndRule(t *testing.T) {
	t.Parallel()
	f := fault.AlreadyExists("customer", "email")
	if f.Kind != fault.Conflict || len(f.Fields) != 1 || f.Fields[0].Path != "email" || f.Fields[0].Rule != fault.Unique {
		t.Errorf("AlreadyExists: got %+v, want a conflict of email:unique", f)
	}
}

func TestValidatorListsBrokenRulesInOrder(t *testing.T) {
	t.Parallel()
	var v fault.Validator
	v.Require(true, "kind", fault.Format, "is fine")
	if err := v.Err(); err != nil {
		t.Fatalf("without broken rules: got %v, want nil", err)
	}
	v.Require(false, "name", fault.Required, "is required")
	v.Require(false, "age", fault.Range, "is too much")
	v.Require(false, "name", fault.Length, "is too long")
	for path, want := range map[string]bool{"kind": false, "name": true, "age": true, "nam": false, "": false} {
		if got := v.HasError(path); got != want {
			t.Errorf("HasError(%q): got %v, want %v", path, got, want)
		}
	}
	want := []fault.Field{
		{Path: "name", Rule: fault.Required, Text: "is required"},
		{Path: "age", Rule: fault.Range, Text: "is too much"},
		{Path: "name", Rule: fault.Length, Text: "is too long"},
	}
	err := v.Err()
	if diff := cmp.Diff(want, fault.From(err).Fields); diff != "" || !fault.Is(err, fault.Invalid) {
		t.Errorf("Err: got %v (-want +got):\n%s", err, diff)
	}
}
