// Package patch distinguishes an absent field, null and a value, which a Go pointer
// cannot.
package patch

import "encoding/json"

// Field is one field of a partial update. The zero value is absent.
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

// Set returns a field with the value v.
func Set[T any](v T) Field[T] { return Field[T]{present, v} }

// Clear returns a null field.
func Clear[T any]() Field[T] { return Field[T]{state: null} }

// Absent reports whether the update leaves the target unchanged.
func (f Field[T]) Absent() bool { return f.state == absent }

// Null reports whether the update clears the target.
func (f Field[T]) Null() bool { return f.state == null }

// Value returns the value, or the zero value for an absent or null field.
func (f Field[T]) Value() T { return f.value }

// Into applies the field to dst: absent leaves it unchanged, null sets it to zero, a value
// replaces it.
func (f Field[T]) Into(dst *T) {
	if f.state != absent {
		*dst = f.value
	}
}

// UnmarshalJSON reads null or a value. Decoders call it only for fields in the document,
// so any other field stays absent.
func (f *Field[T]) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*f = Clear[T]()
		return nil
	}
	var v T // not f.value: decoding would merge into it
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*f = Set(v)
	return nil
}

// MarshalJSON writes the value, or null for an absent or null field.
func (f Field[T]) MarshalJSON() ([]byte, error) {
	if f.state != present {
		return []byte("null"), nil
	}
	return json.Marshal(f.value)
}
