package native

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"kartotek/internal/fault"
)

// A JSON value is held as nil, bool, string, number, []any or map[string]any.

// number is a JSON number as it was written.
type number string

// parse reads one JSON value and nothing else, strictly: RFC 8259, valid UTF-8, no
// repeated names. A byte order mark before it is skipped. due is what to send
// instead of nothing.
func parse(body []byte, due string) (any, error) {
	text := bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, malformed(fault.Field{Rule: fault.Required, Text: "the body is empty: send " + due})
	}
	skipped := int64(len(body) - len(text))
	dec := jsontext.NewDecoder(bytes.NewReader(text))
	v, err := parseValue(dec)
	if err != nil {
		return nil, notJSON(err, skipped)
	}
	end := dec.InputOffset()
	if _, err := dec.ReadToken(); err != io.EOF {
		return nil, notJSON(&jsontext.SyntacticError{ByteOffset: end}, skipped)
	}
	return v, nil
}

func parseValue(dec *jsontext.Decoder) (any, error) {
	token, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case '{':
		return parseObject(dec)
	case '[':
		return parseArray(dec)
	case '"':
		return token.String(), nil
	case '0':
		return number(token.String()), nil
	case 't', 'f':
		return token.Bool(), nil
	default:
		return nil, nil
	}
}

func parseObject(dec *jsontext.Decoder) (any, error) {
	object := map[string]any{}
	for dec.PeekKind() != '}' {
		token, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		name := token.String() // the token is gone with the next one
		if object[name], err = parseValue(dec); err != nil {
			return nil, err
		}
	}
	_, err := dec.ReadToken()
	return object, err
}

func parseArray(dec *jsontext.Decoder) (any, error) {
	array := []any{}
	for dec.PeekKind() != ']' {
		v, err := parseValue(dec)
		if err != nil {
			return nil, err
		}
		array = append(array, v)
	}
	_, err := dec.ReadToken()
	return array, err
}

// notJSON tells where a body stops to be JSON. So many bytes of it were skipped.
func notJSON(err error, skipped int64) error {
	field := fault.Field{Rule: fault.Format, Text: "must be valid JSON (RFC 8259), in UTF-8"}
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		field.Path = string(s.JSONPointer)
		field.Text += fmt.Sprintf(": it is not after byte %d of the body", skipped+s.ByteOffset)
		if errors.Is(s, jsontext.ErrDuplicateName) {
			field.Rule, field.Text = fault.Duplicate, "must not be repeated"
		}
	}
	return malformed(field)
}

func malformed(fields ...fault.Field) error {
	return &fault.Fault{Kind: fault.BadRequest, Text: "the request is malformed", Fields: fields}
}

// equal is the equality of RFC 6902, section 4.6: numbers by their value, members
// of objects in any order.
func equal(a, b any) bool {
	switch a := a.(type) {
	case number:
		b, ok := b.(number)
		return ok && a.canonical() == b.canonical()
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, equal)
	default:
		switch b.(type) {
		case []any, map[string]any: // which Go cannot compare
			return false
		}
		return a == b
	}
}

// clone is a value that shares nothing with v that can be changed.
func clone(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = clone(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name := range v {
			out[name] = clone(v[name])
		}
		return out
	}
	return v
}

// size is about how many bytes v takes in JSON.
func size(v any) int {
	n := 4
	switch v := v.(type) {
	case string:
		n += len(v)
	case number:
		n += len(v)
	case []any:
		for i := range v {
			n += size(v[i])
		}
	case map[string]any:
		for name := range v {
			n += len(name) + size(v[name])
		}
	}
	return n
}

// canonical writes equal numbers alike: "-1.50e3" and "-1500" are both "-15e2".
func (n number) canonical() string {
	text, negative := strings.CutPrefix(strings.ToLower(string(n)), "-")
	mantissa, power, _ := strings.Cut(text, "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return "0e0"
	}
	short := strings.TrimRight(digits, "0")
	exponent, _ := new(big.Int).SetString("0"+strings.TrimLeft(power, "+-"), 10) // digits, in a number that was read
	if strings.HasPrefix(power, "-") {
		exponent.Neg(exponent)
	}
	exponent.Add(exponent, big.NewInt(int64(len(digits)-len(short)-len(fraction))))
	if negative {
		short = "-" + short
	}
	return short + "e" + exponent.String()
}

// integer is the value of n, in any notation; whole is false for a fraction. What
// an int64 cannot hold is its limit.
func (n number) integer() (value int64, whole bool) {
	digits, power, _ := strings.Cut(n.canonical(), "e")
	if strings.HasPrefix(power, "-") {
		return 0, false
	}
	zeros, err := strconv.Atoi(power)
	if err != nil || zeros > 18 {
		zeros = 19 // beyond any int64
	}
	value, err = strconv.ParseInt(digits+strings.Repeat("0", zeros), 10, 64)
	if err != nil && strings.HasPrefix(digits, "-") {
		return math.MinInt64, true
	}
	if err != nil {
		return math.MaxInt64, true
	}
	return value, true
}
