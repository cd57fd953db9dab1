package openapi

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

// JSON encodes a value as JSON, with its members in order.
func JSON(value any) ([]byte, error) { return json.Marshal(value) }

// MarshalJSONTo implements json.MarshalerTo.
func (o Object) MarshalJSONTo(out *jsontext.Encoder) error {
	if err := out.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, m := range o {
		if err := out.WriteToken(jsontext.String(m.Name)); err != nil {
			return err
		}
		if err := json.MarshalEncode(out, m.Value); err != nil {
			return err
		}
	}
	return out.WriteToken(jsontext.EndObject)
}

// FromJSON decodes a value from JSON.
func FromJSON(text []byte) (any, error) {
	in := jsontext.NewDecoder(bytes.NewReader(text))
	value, err := fromJSON(in)
	if err != nil {
		return nil, err
	}
	if _, err := in.ReadToken(); err != io.EOF {
		return nil, errors.Join(errors.New("more follows the value"), err)
	}
	return value, nil
}

func fromJSON(in *jsontext.Decoder) (any, error) {
	token, err := in.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case '{':
		return objectFrom(in)
	case '[':
		return listFrom(in)
	case '"':
		return token.String(), nil
	case '0':
		if i, err := strconv.ParseInt(token.String(), 10, 64); err == nil {
			return i, nil
		}
		return strconv.ParseFloat(token.String(), 64)
	case 't', 'f':
		return token.Bool(), nil
	}
	return nil, nil
}

// objectFrom decodes an object after its "{".
func objectFrom(in *jsontext.Decoder) (any, error) {
	object := Object{}
	for in.PeekKind() != '}' {
		name, err := fromJSON(in) // the decoder accepts only a string here
		if err != nil {
			return nil, err
		}
		value, err := fromJSON(in)
		if err != nil {
			return nil, err
		}
		object = append(object, Member{name.(string), value})
	}
	_, err := in.ReadToken()
	return object, err
}

// listFrom decodes an array after its "[".
func listFrom(in *jsontext.Decoder) (any, error) {
	list := List{}
	for in.PeekKind() != ']' {
		item, err := fromJSON(in)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	_, err := in.ReadToken()
	return list, err
}

// YAML encodes a value as YAML, with its members in order.
func YAML(value any) ([]byte, error) {
	node, err := nodeOf(value)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	out := yaml.NewEncoder(&b)
	out.SetIndent(2)
	if err := out.Encode(node); err != nil {
		return nil, err
	}
	err = out.Close()
	return b.Bytes(), err
}

func nodeOf(value any) (*yaml.Node, error) {
	node := &yaml.Node{}
	var parts []any
	switch v := value.(type) {
	case Object:
		node.Kind = yaml.MappingNode
		for _, m := range v {
			parts = append(parts, m.Name, m.Value)
		}
	case List:
		node.Kind = yaml.SequenceNode
		parts = v
	default:
		err := node.Encode(v)
		return node, err
	}
	for _, part := range parts {
		child, err := nodeOf(part)
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, child)
	}
	return node, nil
}
