package native

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"kartotek/internal/fault"
)

// The limits of a JSON Patch. It runs inside a transaction that other changes wait for.
const (
	maxOperations = 200
	maxCopied     = 64 << 10 // bytes that "copy" may add to the document
)

// The rules that an operation can break on a given record.
const (
	ruleExists = "exists" // the location does not exist
	ruleTest   = "test"   // the value is different
)

// operation is one operation of a JSON Patch (RFC 6902).
type operation struct {
	op         string
	path, from jsontext.Pointer
	value      any
}

// reads reports whether the result of the operation depends on a stored value.
func (op operation) reads() bool { return slices.Contains([]string{"test", "copy", "move"}, op.op) }

// parseOperations parses a JSON Patch and reports all errors in one BadRequest fault. It ignores
// properties that RFC 6902 does not define.
func parseOperations(body []byte) ([]operation, error) {
	const expected = "an array of operations (RFC 6902)"
	doc, err := parseJSON(body, expected)
	if err != nil {
		return nil, err
	}
	list, ok := doc.([]any)
	if !ok {
		return nil, malformed("", fault.Type, "must be "+expected)
	}
	if len(list) > maxOperations {
		return nil, fault.New(fault.TooLarge, "a JSON Patch may have at most %d operations", maxOperations)
	}
	p := operationParser{}
	ops := make([]operation, len(list))
	for i, v := range list {
		p.at = fmt.Sprint("/", i)
		ops[i] = p.parse(v)
	}
	return ops, badRequest(p.errs)
}

// operationParser parses operations and collects their errors.
type operationParser struct {
	at     string // the JSON Pointer of the operation
	object map[string]any
	errs   fault.Validator
}

func (p *operationParser) require(ok bool, name, rule, text string) {
	p.errs.Require(ok, p.at+name, rule, text)
}

func (p *operationParser) parse(v any) (op operation) {
	var ok bool
	if p.object, ok = v.(map[string]any); !ok {
		p.require(false, "", fault.Type, "must be an object")
		return op
	}
	op.op, ok = p.text("op")
	switch op.op {
	case "add", "replace", "test":
		op.value, ok = p.object["value"]
		p.require(ok, "/value", fault.Required, "is required; it may be null")
	case "move", "copy":
		op.from = p.pointer("from")
	case "remove":
	default:
		p.require(!ok, "/op", fault.Format, "must be one of add, remove, replace, move, copy, test")
	}
	op.path = p.pointer("path")
	inside := op.op == "move" && op.from.Contains(op.path) && op.from != op.path
	p.require(!inside || p.errs.HasError(p.at+"/from"), "/path", fault.Format, "must not be inside from: a value cannot be moved into itself")
	return op
}

func (p *operationParser) pointer(name string) jsontext.Pointer {
	text, ok := p.text(name)
	pointer := jsontext.Pointer(text)
	p.require(!ok || pointer.IsValid(), "/"+name, fault.Format, "must be a JSON Pointer (RFC 6901), such as /address/city")
	return pointer
}

// text returns a required string.
func (p *operationParser) text(name string) (text string, ok bool) {
	v, exists := p.object[name]
	text, ok = v.(string)
	p.require(exists, "/"+name, fault.Required, "is required")
	p.require(ok || !exists, "/"+name, fault.Type, "must be a string")
	return text, ok
}

// applyAll applies the operations to doc, in order. It may change doc. An operation that cannot be
// applied is a Conflict fault.
func applyAll(ops []operation, doc any) (any, error) {
	copied := 0
	for i, op := range ops {
		if op.op == "copy" {
			if v, ok := valueAt(doc, tokens(op.from)); ok {
				copied += size(v)
			}
			if copied > maxCopied {
				return nil, fault.New(fault.TooLarge, "the operations copy more than %d bytes", maxCopied)
			}
		}
		var failed *fault.Field
		if doc, failed = op.apply(doc); failed != nil {
			failed.Path = fmt.Sprint("/", i, failed.Path)
			return nil, &fault.Fault{Kind: fault.Conflict, Text: "an operation cannot be applied to the current record", Fields: []fault.Field{*failed}}
		}
	}
	return doc, nil
}

func tokens(at jsontext.Pointer) []string { return slices.Collect(at.Tokens()) }

// apply returns doc after the operation, or why it cannot be applied.
func (op operation) apply(doc any) (any, *fault.Field) {
	path, from := tokens(op.path), tokens(op.from)
	ok := true
	switch op.op {
	case "add":
		doc, ok = add(doc, path, clone(op.value))
	case "remove":
		doc, ok = remove(doc, path)
	case "replace":
		if doc, ok = remove(doc, path); ok {
			doc, ok = add(doc, path, clone(op.value))
		}
	case "move", "copy":
		v, found := valueAt(doc, from)
		if !found {
			return nil, &fault.Field{Path: "/from", Rule: ruleExists, Text: "does not exist in the record"}
		}
		if op.op == "move" {
			doc, _ = remove(doc, from)
		} else {
			v = clone(v)
		}
		doc, ok = add(doc, path, v)
	case "test":
		var v any
		if v, ok = valueAt(doc, path); ok && !equal(v, op.value) {
			return nil, &fault.Field{Path: "/value", Rule: ruleTest, Text: "differs from the value in the record"}
		}
	}
	if !ok {
		return nil, &fault.Field{Path: "/path", Rule: ruleExists, Text: "does not exist in the record"}
	}
	return doc, nil
}

// valueAt returns the value at a location.
func valueAt(doc any, path []string) (v any, ok bool) {
	for _, token := range path {
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

// add sets a property, or inserts v before an element of an array. The container must exist.
func add(doc any, path []string, v any) (after any, ok bool) {
	if len(path) == 0 {
		return v, true
	}
	return updateContainer(doc, path, func(container any, token string) (any, bool) {
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

// remove deletes a property or an element of an array. Removing the whole document leaves null.
func remove(doc any, path []string) (after any, ok bool) {
	if len(path) == 0 {
		return nil, true
	}
	return updateContainer(doc, path, func(container any, token string) (any, bool) {
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

// updateContainer calls f for the object or array that has the location, and stores its result.
func updateContainer(doc any, path []string, f func(container any, token string) (any, bool)) (after any, ok bool) {
	if len(path) == 1 {
		return f(doc, path[0])
	}
	child, ok := valueAt(doc, path[:1])
	if !ok {
		return nil, false
	}
	if child, ok = updateContainer(child, path[1:], f); !ok {
		return nil, false
	}
	switch container := doc.(type) {
	case map[string]any:
		container[path[0]] = child
	case []any:
		i, _ := index(path[0], len(container)) // valid: valueAt found it
		container[i] = child
	}
	return doc, true
}

// index parses the index of an element in an array of length n: digits without a leading zero.
func index(token string, n int) (i int, ok bool) {
	i, err := strconv.Atoi(token)
	return i, err == nil && 0 <= i && i < n && strconv.Itoa(i) == token
}
