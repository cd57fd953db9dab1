package native

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"kartotek/internal/fault"
)

// A JSON value has one of the types nil, bool, string, number, []any and map[string]any.

// number is the text of a JSON number.
type number string

// numbers decodes JSON numbers without loss.
var numbers = json.WithUnmarshalers(json.UnmarshalFromFunc(func(dec *jsontext.Decoder, v *any) error {
	if dec.PeekKind() != '0' {
		return errors.ErrUnsupported
	}
	text, err := dec.ReadValue()
	*v = number(text)
	return err
}))

// parseJSON parses one JSON value, strictly: valid UTF-8, no duplicate names. It skips a byte order
// mark. expected is what the error for an empty body asks for.
func parseJSON(body []byte, expected string) (v any, err error) {
	text := bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, malformed("", fault.Required, "the body is empty: send "+expected)
	}
	err = json.Unmarshal(text, &v, numbers)
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		if errors.Is(syntax, jsontext.ErrDuplicateName) {
			return nil, malformed(string(syntax.JSONPointer), fault.Duplicate, "must not be repeated")
		}
		valid := int64(len(body)-len(text)) + syntax.ByteOffset
		return nil, malformed(string(syntax.JSONPointer), fault.Format, fmt.Sprintf("must be valid JSON (RFC 8259) in UTF-8; it is not after byte %d", valid))
	}
	return v, err
}

// parseObject parses a body that is one JSON object.
func parseObject(body []byte) (map[string]any, error) {
	v, err := parseJSON(body, "a JSON object")
	if err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, malformed("", fault.Type, "must be a JSON object")
	}
	return object, nil
}

// malformed returns a BadRequest fault for one error.
func malformed(path, rule, text string) error {
	return fault.NewField(fault.BadRequest, malformedText, path, rule, text)
}

const malformedText = "the request is malformed"

// badRequest returns the errors as a BadRequest fault, or nil when there are none.
func badRequest(errs fault.Validator) error {
	err := errs.Err()
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		f.Kind, f.Text = fault.BadRequest, malformedText
	}
	return err
}

// equal is the equality of RFC 6902, section 4.6: it compares numbers by value and ignores the order
// of properties.
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
		case []any, map[string]any: // not comparable in Go
			return false
		}
		return a == b
	}
}

// clone returns a deep copy of v.
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

// size returns the approximate length of v as JSON, in bytes.
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

// canonical returns the same text for equal numbers: "-15e2" for "-1.50e3" and for "-1500".
func (n number) canonical() string {
	text, negative := strings.CutPrefix(strings.ToLower(string(n)), "-")
	mantissa, power, _ := strings.Cut(text, "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return "0e0"
	}
	short := strings.TrimRight(digits, "0")
	exponent, _ := new(big.Int).SetString("0"+strings.TrimLeft(power, "+-"), 10) // digits only, in a valid number
	if strings.HasPrefix(power, "-") {
		exponent.Neg(exponent)
	}
	exponent.Add(exponent, big.NewInt(int64(len(digits)-len(short)-len(fraction))))
	if negative {
		short = "-" + short
	}
	return short + "e" + exponent.String()
}

// integer returns the value of n, limited to the range of an int64. ok is false when n has a
// fraction.
func (n number) integer() (value int64, ok bool) {
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
