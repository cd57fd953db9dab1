package native

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"kartotek/internal/fault"
)

const (
	// maxOperations bounds what a JSON Patch keeps the store's writer busy with.
	maxOperations = 200

	// maxCopied bounds how much larger a JSON Patch may make the document by
	// copying, in bytes.
	maxCopied = 64 << 10
)

// The rules of a JSON Patch that only the document can tell broken.
const (
	ruleExists = "exists" // nothing is there
	ruleTest   = "test"   // another value is there
)

// operation is one operation of a JSON Patch (RFC 6902).
type operation struct {
	op         string
	path, from []string // the tokens of JSON Pointers
	value      any
}

// readOperations reads a JSON Patch, or tells all that is wrong with it in one
// BadRequest fault. Members that RFC 6902 does not define are ignored.
func readOperations(body []byte) ([]operation, error) {
	doc, err := parse(body, "an array of operations (RFC 6902)")
	if err != nil {
		return nil, err
	}
	list, ok := doc.([]any)
	if !ok {
		return nil, malformed(fault.Field{Rule: fault.Type, Text: "must be an array of operations (RFC 6902)"})
	}
	if len(list) > maxOperations {
		return nil, fault.New(fault.TooLarge, "a JSON Patch may have at most %d operations", maxOperations)
	}
	var broken []fault.Field
	ops := make([]operation, len(list))
	for i, v := range list {
		r := operationReader{at: fmt.Sprint("/", i)}
		ops[i] = r.read(v)
		broken = append(broken, r.broken...)
	}
	if len(broken) > 0 {
		return nil, malformed(broken...)
	}
	return ops, nil
}

// operationReader reads one operation and notes what is wrong with it.
type operationReader struct {
	at      string // its place in the patch
	members map[string]any
	broken  []fault.Field
}

func (r *operationReader) need(ok bool, member, rule, text string) {
	if !ok {
		r.broken = append(r.broken, fault.Field{Path: r.at + member, Rule: rule, Text: text})
	}
}

func (r *operationReader) read(v any) operation {
	members, ok := v.(map[string]any)
	if !ok {
		r.need(false, "", fault.Type, "must be an object")
		return operation{}
	}
	r.members = members
	var op operation
	op.op, ok = r.text("op")
	switch op.op {
	case "add", "replace", "test":
		value, ok := members["value"]
		r.need(ok, "/value", fault.Required, "is required: the value, which may be null")
		op.value = value
	case "move", "copy":
		op.from = r.pointer("from")
	case "remove":
	default:
		r.need(!ok, "/op", fault.Format, "must be one of add, remove, replace, move, copy, test")
	}
	op.path = r.pointer("path")
	inside := op.op == "move" && len(op.path) > len(op.from) && slices.Equal(op.path[:len(op.from)], op.from)
	r.need(!inside || len(r.broken) > 0, "/path", fault.Format, "must not be inside of from: nothing can be moved into itself")
	return op
}

func (r *operationReader) pointer(name string) []string {
	text, ok := r.text(name)
	pointer := jsontext.Pointer(text)
	if !ok || !pointer.IsValid() {
		r.need(!ok, "/"+name, fault.Format, "must be a JSON Pointer (RFC 6901), such as /address/city")
		return nil
	}
	return slices.Collect(pointer.Tokens())
}

// text is a member that must be there and be a string.
func (r *operationReader) text(name string) (text string, ok bool) {
	v, there := r.members[name]
	text, ok = v.(string)
	r.need(there, "/"+name, fault.Required, "is required")
	r.need(ok || !there, "/"+name, fault.Type, "must be a string")
	return text, ok
}

// applyAll applies the operations, in order, to doc, which it changes. An
// operation that cannot be applied is a Conflict fault.
func applyAll(ops []operation, doc any) (any, error) {
	copied := 0
	for i, op := range ops {
		if op.op == "copy" {
			if v, ok := valueAt(doc, op.from); ok {
				copied += size(v)
			}
			if copied > maxCopied {
				return nil, fault.New(fault.TooLarge, "the operations copy more than %d bytes", maxCopied)
			}
		}
		after, broken := op.apply(doc)
		if broken != nil {
			broken.Path = fmt.Sprint("/", i, broken.Path)
			return nil, &fault.Fault{Kind: fault.Conflict, Text: "an operation does not apply to the record as it is", Fields: []fault.Field{*broken}}
		}
		doc = after
	}
	return doc, nil
}

// apply returns doc after the operation, or what is wrong with one of its
// members.
func (op operation) apply(doc any) (any, *fault.Field) {
	noPath := &fault.Field{Path: "/path", Rule: ruleExists, Text: "leads to nothing in the record"}
	noFrom := &fault.Field{Path: "/from", Rule: ruleExists, Text: "leads to nothing in the record"}
	ok := true
	switch op.op {
	case "add":
		doc, ok = add(doc, op.path, clone(op.value))
	case "remove":
		doc, ok = remove(doc, op.path)
	case "replace":
		if doc, ok = remove(doc, op.path); ok {
			doc, ok = add(doc, op.path, clone(op.value))
		}
	case "move", "copy":
		v, found := valueAt(doc, op.from)
		if !found {
			return nil, noFrom
		}
		if op.op == "move" {
			doc, _ = remove(doc, op.from)
		} else {
			v = clone(v)
		}
		doc, ok = add(doc, op.path, v)
	case "test":
		v, found := valueAt(doc, op.path)
		if found && !equal(v, op.value) {
			return nil, &fault.Field{Path: "/value", Rule: ruleTest, Text: "is not what the record has there"}
		}
		ok = found
	}
	if !ok {
		return nil, noPath
	}
	return doc, nil
}

// valueAt is the value at a location.
func valueAt(doc any, at []string) (v any, ok bool) {
	for _, token := range at {
		switch container := doc.(type) {
		case map[string]any:
			doc, ok = container[token]
		case []any:
			var i int
			if i, ok = index(token, len(container)); ok {
				doc = container[i]
			}
		default:
			ok = false
		}
		if !ok {
			return nil, false
		}
	}
	return doc, true
}

// add puts v at a location: in place of a member, or before an element. The
// object or array that it goes into must be there.
func add(doc any, at []string, v any) (after any, ok bool) {
	if len(at) == 0 {
		return v, true
	}
	return inContainer(doc, at, func(container any, token string) (any, bool) {
		switch container := container.(type) {
		case map[string]any:
			container[token] = v
			return container, true
		case []any:
			if token == "-" {
				return append(container, v), true
			}
			i, ok := index(token, len(container)+1)
			if !ok {
				return nil, false
			}
			return slices.Insert(container, i, v), true
		}
		return nil, false
	})
}

// remove takes the value at a location away. Without the whole document, null is
// left.
func remove(doc any, at []string) (after any, ok bool) {
	if len(at) == 0 {
		return nil, true
	}
	return inContainer(doc, at, func(container any, token string) (any, bool) {
		switch container := container.(type) {
		case map[string]any:
			_, ok := container[token]
			delete(container, token)
			return container, ok
		case []any:
			i, ok := index(token, len(container))
			if !ok {
				return nil, false
			}
			return slices.Delete(container, i, i+1), true
		}
		return nil, false
	})
}

// inContainer has f change the object or array that holds a location.
func inContainer(doc any, at []string, f func(container any, token string) (any, bool)) (after any, ok bool) {
	if len(at) == 1 {
		return f(doc, at[0])
	}
	child, ok := valueAt(doc, at[:1])
	if !ok {
		return nil, false
	}
	if child, ok = inContainer(child, at[1:], f); !ok {
		return nil, false
	}
	switch container := doc.(type) {
	case map[string]any:
		container[at[0]] = child
	case []any:
		i, _ := index(at[0], len(container)) // found above
		container[i] = child
	}
	return doc, true
}

// index is an element's place in an array of n: digits without a leading zero.
func index(token string, n int) (i int, ok bool) {
	i, err := strconv.Atoi(token)
	return i, err == nil && i < n && strings.Trim(token, "0123456789") == "" && (token == "0" || token[0] != '0')
}
