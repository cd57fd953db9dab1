package native

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kartotek/internal/fault"
)

// applyPatch applies a JSON Patch to a document and returns the result, or the fault as "kind pointer
// rule".
func applyPatch(t *testing.T, doc, patch string) (result any, failure string) {
	t.Helper()
	v, err := parseJSON([]byte(doc), "")
	if err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	ops, err := parseOperations([]byte(patch))
	if err == nil {
		result, err = applyAll(ops, v)
	}
	if err != nil {
		f := fault.From(err)
		failure = string(f.Kind)
		for _, field := range f.Fields {
			failure += fmt.Sprint(" ", field.Path, " ", field.Rule)
		}
		return nil, failure
	}
	return result, ""
}

type patchCase struct{ doc, patch, want, failure string }

func (c patchCase) run(t *testing.T) {
	t.Helper()
	got, failure := applyPatch(t, c.doc, c.patch)
	if failure != c.failure {
		t.Fatalf("%s on %s: got failure %q, want %q", c.patch, c.doc, failure, c.failure)
	}
	if c.failure != "" {
		return
	}
	want, err := parseJSON([]byte(c.want), "")
	if err != nil {
		t.Fatal(err)
	}
	if !equal(got, want) {
		t.Errorf("%s on %s: got %v, want %s", c.patch, c.doc, got, c.want)
	}
}

func TestRFC6902AppendixA(t *testing.T) {
	t.Parallel()
	tests := map[string]patchCase{
		"A.1 adding an object member": {
			`{"foo":"bar"}`, `[{"op":"add","path":"/baz","value":"qux"}]`, `{"baz":"qux","foo":"bar"}`, "",
		},
		"A.2 adding an array element": {
			`{"foo":["bar","baz"]}`, `[{"op":"add","path":"/foo/1","value":"qux"}]`, `{"foo":["bar","qux","baz"]}`, "",
		},
		"A.3 removing an object member": {
			`{"baz":"qux","foo":"bar"}`, `[{"op":"remove","path":"/baz"}]`, `{"foo":"bar"}`, "",
		},
		"A.4 removing an array element": {
			`{"foo":["bar","qux","baz"]}`, `[{"op":"remove","path":"/foo/1"}]`, `{"foo":["bar","baz"]}`, "",
		},
		"A.5 replacing a value": {
			`{"baz":"qux","foo":"bar"}`, `[{"op":"replace","path":"/baz","value":"boo"}]`, `{"baz":"boo","foo":"bar"}`, "",
		},
		"A.6 moving a value": {
			`{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}`,
			`[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]`,
			`{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}`, "",
		},
		"A.7 moving an array element": {
			`{"foo":["all","grass","cows","eat"]}`, `[{"op":"move","from":"/foo/1","path":"/foo/3"}]`, `{"foo":["all","cows","eat","grass"]}`, "",
		},
		"A.8 testing a value: success": {
			`{"baz":"qux","foo":["a",2,"c"]}`,
			`[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]`,
			`{"baz":"qux","foo":["a",2,"c"]}`, "",
		},
		"A.9 testing a value: error": {
			`{"baz":"qux"}`, `[{"op":"test","path":"/baz","value":"bar"}]`, "", "conflict /0/value test",
		},
		"A.10 adding a nested member object": {
			`{"foo":"bar"}`, `[{"op":"add","path":"/child","value":{"grandchild":{}}}]`, `{"foo":"bar","child":{"grandchild":{}}}`, "",
		},
		"A.11 ignoring unrecognized elements": {
			`{"foo":"bar"}`, `[{"op":"add","path":"/baz","value":"qux","xyz":123}]`, `{"foo":"bar","baz":"qux"}`, "",
		},
		"A.12 adding to a nonexistent target": {
			`{"foo":"bar"}`, `[{"op":"add","path":"/baz/bat","value":"qux"}]`, "", "conflict /0/path exists",
		},
		"A.13 invalid JSON Patch document": {
			`{"foo":"bar"}`, `[{"op":"add","path":"/baz","value":"qux","op":"remove"}]`, "", "bad-request /0/op duplicate",
		},
		"A.14 escape ordering": {
			`{"/":9,"~1":10}`, `[{"op":"test","path":"/~01","value":10}]`, `{"/":9,"~1":10}`, "",
		},
		"A.15 comparing strings and numbers": {
			`{"/":9,"~1":10}`, `[{"op":"test","path":"/~01","value":"10"}]`, "", "conflict /0/value test",
		},
		"A.16 adding an array value": {
			`{"foo":["bar"]}`, `[{"op":"add","path":"/foo/-","value":["abc","def"]}]`, `{"foo":["bar",["abc","def"]]}`, "",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.run(t)
		})
	}
}

func TestJSONPatchOperations(t *testing.T) {
	t.Parallel()
	const noPath = "conflict /0/path exists"
	tests := map[string]patchCase{
		"test of a missing value is not null":     {`{}`, `[{"op":"test","path":"/a","value":null}]`, "", noPath},
		"test of null":                            {`{"a":null}`, `[{"op":"test","path":"/a","value":null}]`, `{"a":null}`, ""},
		"test of null differs from a value":       {`{"a":1}`, `[{"op":"test","path":"/a","value":null}]`, "", "conflict /0/value test"},
		"test ignores the order of properties":    {`{"a":{"b":1,"c":[2,{}]}}`, `[{"op":"test","path":"/a","value":{"c":[2,{}],"b":1}}]`, `{"a":{"b":1,"c":[2,{}]}}`, ""},
		"test compares arrays in order":           {`{"a":[1,2]}`, `[{"op":"test","path":"/a","value":[2,1]}]`, "", "conflict /0/value test"},
		"test compares numbers by value":          {`{"a":100}`, `[{"op":"test","path":"/a","value":1.00e2}]`, `{"a":100}`, ""},
		"test compares numbers beyond float64":    {`{"a":9007199254740993}`, `[{"op":"test","path":"/a","value":9007199254740992}]`, "", "conflict /0/value test"},
		"test of true differs from 1":             {`{"a":true}`, `[{"op":"test","path":"/a","value":1}]`, "", "conflict /0/value test"},
		"test of an object differs from an array": {`{"a":{}}`, `[{"op":"test","path":"/a","value":[]}]`, "", "conflict /0/value test"},
		"test of text differs from an array":      {`{"a":""}`, `[{"op":"test","path":"/a","value":[]}]`, "", "conflict /0/value test"},
		"test of the whole document":              {`{"a":1}`, `[{"op":"test","path":"","value":{"a":1}}]`, `{"a":1}`, ""},
		"test without value":                      {`{"a":1}`, `[{"op":"test","path":""}]`, "", "bad-request /0/value required"},
		"add replaces an existing value":          {`{"a":1}`, `[{"op":"add","path":"/a","value":null}]`, `{"a":null}`, ""},
		"add of the whole document":               {`{"a":1}`, `[{"op":"add","path":"","value":[1]}]`, `[1]`, ""},
		"add below text":                          {`{"a":"b"}`, `[{"op":"add","path":"/a/b","value":1}]`, "", noPath},
		"add at the end by index":                 {`{"a":[1]}`, `[{"op":"add","path":"/a/1","value":2}]`, `{"a":[1,2]}`, ""},
		"add beyond the end":                      {`{"a":[1]}`, `[{"op":"add","path":"/a/2","value":2}]`, "", noPath},
		"add into an element":                     {`{"a":[{"b":1}]}`, `[{"op":"add","path":"/a/0/c","value":2}]`, `{"a":[{"b":1,"c":2}]}`, ""},
		"an index with a leading zero":            {`{"a":[1,2]}`, `[{"op":"test","path":"/a/01","value":2}]`, "", noPath},
		"an index with a sign":                    {`{"a":[1,2]}`, `[{"op":"remove","path":"/a/+1"}]`, "", noPath},
		"a negative index":                        {`{"a":[1,2]}`, `[{"op":"remove","path":"/a/-1"}]`, "", noPath},
		"the end has no value":                    {`{"a":[1,2]}`, `[{"op":"remove","path":"/a/-"}]`, "", noPath},
		"remove of a missing value":               {`{"a":1}`, `[{"op":"remove","path":"/b"}]`, "", noPath},
		"remove of the whole document":            {`{"a":1}`, `[{"op":"remove","path":""}]`, `null`, ""},
		"replace of a missing value":              {`{"a":1}`, `[{"op":"replace","path":"/b","value":1}]`, "", noPath},
		"replace of an element keeps its index":   {`{"a":[1,2,3]}`, `[{"op":"replace","path":"/a/1","value":9}]`, `{"a":[1,9,3]}`, ""},
		"replace of the whole document":           {`{"a":1}`, `[{"op":"replace","path":"","value":"b"}]`, `"b"`, ""},
		"replace of an existing null":             {`{"a":null}`, `[{"op":"replace","path":"/a","value":1}]`, `{"a":1}`, ""},
		"move to itself":                          {`{"a":1}`, `[{"op":"move","from":"/a","path":"/a"}]`, `{"a":1}`, ""},
		"move of a missing value":                 {`{"a":1}`, `[{"op":"move","from":"/b","path":"/c"}]`, "", "conflict /0/from exists"},
		"move into a missing container":           {`{"a":1}`, `[{"op":"move","from":"/a","path":"/b/c"}]`, "", noPath},
		"move into itself":                        {`{"a":{"b":1}}`, `[{"op":"move","from":"/a","path":"/a/b"}]`, "", "bad-request /0/path format"},
		"move of the document into itself":        {`{"a":1}`, `[{"op":"move","from":"","path":"/a"}]`, "", "bad-request /0/path format"},
		"move to a name with the same prefix":     {`{"a":1}`, `[{"op":"move","from":"/a","path":"/ab"}]`, `{"ab":1}`, ""},
		"move out of an object replaces it":       {`{"a":{"b":1}}`, `[{"op":"move","from":"/a/b","path":"/a"}]`, `{"a":1}`, ""},
		"copy into itself":                        {`{"a":{"b":1}}`, `[{"op":"copy","from":"/a","path":"/a/c"}]`, `{"a":{"b":1,"c":{"b":1}}}`, ""},
		"copy of the current document":            {`{"a":1}`, `[{"op":"replace","path":"/a","value":2},{"op":"copy","from":"","path":"/b"}]`, `{"a":2,"b":{"a":2}}`, ""},
		"a copy is independent":                   {`{"a":{"b":1}}`, `[{"op":"copy","from":"/a","path":"/c"},{"op":"add","path":"/c/b","value":2}]`, `{"a":{"b":1},"c":{"b":2}}`, ""},
		"an empty name":                           {`{"":1,"a":{"":2}}`, `[{"op":"replace","path":"/","value":3},{"op":"remove","path":"/a/"}]`, `{"":3,"a":{}}`, ""},
		"names are escaped":                       {`{"a/b":1,"m~n":2}`, `[{"op":"remove","path":"/a~1b"},{"op":"replace","path":"/m~0n","value":3}]`, `{"m~n":3}`, ""},
		"digits are a property name":              {`{"a":{"0":1}}`, `[{"op":"remove","path":"/a/0"}]`, `{"a":{}}`, ""},
		"a pointer without a slash":               {`{"a":1}`, `[{"op":"remove","path":"a"}]`, "", "bad-request /0/path format"},
		"a pointer with text before the slash":    {`{"a":1}`, `[{"op":"remove","path":"x/a"}]`, "", "bad-request /0/path format"},
		"a pointer with an open escape":           {`{"a":1}`, `[{"op":"remove","path":"/~"}]`, "", "bad-request /0/path format"},
		"no path":                                 {`{"a":1}`, `[{"op":"remove"}]`, "", "bad-request /0/path required"},
		"operations in order":                     {`{"a":[]}`, `[{"op":"add","path":"/a/0","value":1},{"op":"add","path":"/a/0","value":2},{"op":"test","path":"/a","value":[2,1]}]`, `{"a":[2,1]}`, ""},
		"the second of two operations fails":      {`{"a":1}`, `[{"op":"remove","path":"/a"},{"op":"remove","path":"/a"}]`, "", "conflict /1/path exists"},
		"no operations":                           {`{"a":1}`, `[]`, `{"a":1}`, ""},
		"operation names are case-sensitive":      {`{"a":1}`, `[{"op":"Remove","path":"/a"}]`, "", "bad-request /0/op format"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.run(t)
		})
	}
}

// The store may run an edit more than once.
func TestOperationsCanBeAppliedAgain(t *testing.T) {
	t.Parallel()
	ops, err := parseOperations([]byte(`[{"op":"add","path":"/a","value":{"b":[]}},{"op":"add","path":"/a/b/-","value":1}]`))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := applyAll(ops, map[string]any{})
		if want := map[string]any{"a": map[string]any{"b": []any{number("1")}}}; err != nil || !equal(got, want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
}

func TestCopiesAreBounded(t *testing.T) {
	t.Parallel()
	doubling := strings.Repeat(`,{"op":"copy","from":"/a","path":"/a/-"}`, 20)
	_, failure := applyPatch(t, `{}`, `[{"op":"add","path":"/a","value":["a"]}`+doubling+`]`)
	if failure != string(fault.TooLarge) {
		t.Errorf("copies of copies: got %q, want %q", failure, fault.TooLarge)
	}
}

func TestNumbersAreComparedByValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.StringMatching(`-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,4})?([eE][+-]?[0-9]{1,2})?`)
		a, b := numbers.Draw(t, "a"), numbers.Draw(t, "b")
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		if got, want := equal(number(a), number(b)), x.Cmp(y) == 0; got != want {
			t.Errorf("%s and %s: equal is %v, want %v", a, b, got, want)
		}
		value, isInteger := number(a).integer()
		if isInteger != x.IsInt() {
			t.Fatalf("%s: isInteger is %v, want %v", a, isInteger, x.IsInt())
		}
		if isInteger && x.Num().IsInt64() && value != x.Num().Int64() {
			t.Errorf("%s: got %d", a, value)
		}
	})
}
