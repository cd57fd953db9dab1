// Package patch tells absent, null and value apart, which a Go pointer cannot.
package patch

import "encoding/json"

// Field is one field of a partial update. Its zero value is absent and changes
// nothing.
type Field[T any] struct {
	state state
	value T
}

type state uint8

const (
	absent state = iota
	null
	present
)

// Set returns a field that writes v.
func Set[T any](v T) Field[T] { return Field[T]{present, v} }

// Clear returns a field that empties its target.
func Clear[T any]() Field[T] { return Field[T]{state: null} }

// Absent reports whether the field changes nothing.
func (f Field[T]) Absent() bool { return f.state == absent }

// Null reports whether the field empties its target.
func (f Field[T]) Null() bool { return f.state == null }

// Value returns what the field writes: the zero value unless it was set.
func (f Field[T]) Value() T { return f.value }

// Into writes the field to dst: absent leaves it, null zeroes it, a value
// replaces it.
func (f Field[T]) Into(dst *T) {
	if f.state != absent {
		*dst = f.value
	}
}

// UnmarshalJSON runs only for members that are in the document, so a field it
// never sees stays absent.
func (f *Field[T]) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*f = Clear[T]()
		return nil
	}
	var v T // fresh, so that nothing of an earlier value shines through
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*f = Set(v)
	return nil
}

// MarshalJSON writes null unless the field was set.
func (f Field[T]) MarshalJSON() ([]byte, error) {
	if f.state != present {
		return []byte("null"), nil
	}
	return json.Marshal(f.value)
}
