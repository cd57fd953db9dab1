package openapi

import (
	"bytes"

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

// YAML encodes a value as YAML, with its members in order. It reads the JSON of the value,
// which is YAML as well, and changes its style.
func YAML(value any) ([]byte, error) {
	text, err := JSON(value)
	if err != nil {
		return nil, err
	}
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		return nil, err
	}
	if err := useBlockStyle(&node); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	out := yaml.NewEncoder(&b)
	out.SetIndent(2)
	if err := out.Encode(&node); err != nil {
		return nil, err
	}
	err = out.Close()
	return b.Bytes(), err
}

// useBlockStyle replaces braces and quotes by indentation, except around strings that
// YAML needs to have in quotes.
func useBlockStyle(node *yaml.Node) error {
	node.Style = 0
	if node.ShortTag() == "!!str" {
		return node.Encode(node.Value)
	}
	for _, child := range node.Content {
		if err := useBlockStyle(child); err != nil {
			return err
		}
	}
	return nil
}
