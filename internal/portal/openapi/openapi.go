// Package openapi reads an OpenAPI document from YAML into values that keep the order of
// the document, and writes them as JSON or YAML. It knows no contract and validates
// nothing; the tests of the contracts do.
//
// Start with openapi.go for the values; write.go encodes them.
package openapi

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Object is an object of a document, with its members in order. A value is an
// Object, a List, a string, a bool, an int64, a float64, nil or a jsontext.Value.
type Object []Member

// Member is a name and its value.
type Member struct {
	Name  string
	Value any
}

// List is an array of a document.
type List []any

// Document is an OpenAPI document.
type Document struct{ Root Object }

// Parse parses a document. No two parts of the result share memory.
func Parse(spec []byte) (Document, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(spec, &node); err != nil {
		return Document{}, err
	}
	if len(node.Content) == 0 {
		return Document{}, fmt.Errorf("the document is empty")
	}
	value, err := valueOf(node.Content[0])
	if err != nil {
		return Document{}, err
	}
	root, ok := value.(Object)
	if !ok {
		return Document{}, fmt.Errorf("the document is no object")
	}
	return Document{root}, nil
}

// Operation is a method on a path.
type Operation struct {
	Method, Path string
	Parameters   List // includes those of the path
	Spec         Object
}

// Operations returns the operations in the order of the document.
func (d Document) Operations() (all []Operation) {
	for _, path := range d.Root.Object("paths") {
		item, _ := d.Resolve(path.Value)
		for _, m := range item {
			if spec, ok := m.Value.(Object); ok {
				parameters := slices.Concat(item.List("parameters"), spec.List("parameters"))
				all = append(all, Operation{strings.ToUpper(m.Name), path.Name, parameters, spec})
			}
		}
	}
	return all
}

func valueOf(node *yaml.Node) (any, error) {
	switch node.Kind {
	case yaml.AliasNode:
		return valueOf(node.Alias)
	case yaml.MappingNode:
		object := make(Object, 0, len(node.Content)/2)
		for i := 0; i < len(node.Content); i += 2 {
			value, err := valueOf(node.Content[i+1])
			if err != nil {
				return nil, err
			}
			object = append(object, Member{node.Content[i].Value, value})
		}
		return object, nil
	case yaml.SequenceNode:
		list := make(List, 0, len(node.Content))
		for _, item := range node.Content {
			value, err := valueOf(item)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	}
	return scalar(node)
}

// scalar returns a scalar as a JSON type. YAML has more types: an unquoted date becomes
// its text.
func scalar(node *yaml.Node) (any, error) {
	var err error
	switch node.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool":
		var b bool
		err = node.Decode(&b)
		return b, err
	case "!!int":
		var i int64
		err = node.Decode(&i)
		return i, err
	case "!!float":
		var f float64
		err = node.Decode(&f)
		return f, err
	}
	return node.Value, nil
}

// Get returns the value of a name, or nil.
func (o Object) Get(name string) any {
	for _, m := range o {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// Object returns the object of a name, or nil.
func (o Object) Object(name string) Object {
	object, _ := o.Get(name).(Object)
	return object
}

// List returns the array of a name, or nil.
func (o Object) List(name string) List {
	list, _ := o.Get(name).(List)
	return list
}

// Text returns the string of a name, or "".
func (o Object) Text(name string) string {
	text, _ := o.Get(name).(string)
	return text
}

// Bool returns the boolean of a name, or false.
func (o Object) Bool(name string) bool {
	b, _ := o.Get(name).(bool)
	return b
}

// Set replaces the value of a name, or appends it.
func (o *Object) Set(name string, value any) {
	for i, m := range *o {
		if m.Name == name {
			(*o)[i].Value = value
			return
		}
	}
	*o = append(*o, Member{name, value})
}

// Resolve returns the object that a value is or references with "$ref", and the last part
// of the reference: "ElwAddress" for "#/components/schemas/ElwAddress". It returns nil if
// there is no such object.
func (d Document) Resolve(value any) (object Object, name string) {
	object, _ = value.(Object)
	for range 100 { // references may be circular
		ref := object.Text("$ref")
		if ref == "" {
			return object, name
		}
		object = d.Root
		for segment := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			name = strings.NewReplacer("~1", "/", "~0", "~").Replace(segment)
			object = object.Object(name)
		}
	}
	return nil, name
}
