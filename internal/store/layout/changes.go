package layout

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"kartotek/internal/customer"
)

// EncodeFields returns {"email":[before,after],…} in the order of the record.
func EncodeFields(diff []customer.FieldChange) ([]byte, error) {
	out := []byte{'{'}
	for i, f := range diff {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = appendValue(out, f.Path); err != nil {
			return nil, err
		}
		if out, err = appendValue(append(out, ':', '['), f.Before); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		if out, err = appendValue(append(out, ','), f.After); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		out = append(out, ']')
	}
	return append(out, '}'), nil
}

// EncodeChange returns the values of the columns fields and snapshot.
func EncodeChange(diff, snapshot []customer.FieldChange) (fields string, snapshotOrNil any, err error) {
	encoded, err := EncodeFields(diff)
	if err != nil || snapshot == nil {
		return string(encoded), nil, err
	}
	all, err := EncodeFields(snapshot)
	return string(encoded), string(all), err
}

func appendValue(out []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(out, "null"...), nil
	case string:
		return jsontext.AppendQuote(out, v)
	case bool:
		return strconv.AppendBool(out, v), nil
	case int64:
		return strconv.AppendInt(out, v, 10), nil
	case time.Time:
		return v.UTC().AppendFormat(out, `"2006-01-02T15:04:05.000000Z"`), nil
	}
	return nil, fmt.Errorf("no JSON for a %T", v)
}

// DecodeFields is the inverse of EncodeFields.
func DecodeFields(text string) ([]customer.FieldChange, error) {
	dec := jsontext.NewDecoder(strings.NewReader(text))
	if err := expect(dec, '{'); err != nil {
		return nil, err
	}
	var fields []customer.FieldChange
	for dec.PeekKind() == '"' {
		path, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		f := customer.FieldChange{Path: path.String()}
		if f.Before, f.After, err = readPair(dec, f.Path); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		fields = append(fields, f)
	}
	return fields, expect(dec, '}')
}

func readPair(dec *jsontext.Decoder, path string) (before, after any, err error) {
	if err := expect(dec, '['); err != nil {
		return nil, nil, err
	}
	if before, err = readValue(dec, path); err != nil {
		return nil, nil, err
	}
	if after, err = readValue(dec, path); err != nil {
		return nil, nil, err
	}
	return before, after, expect(dec, ']')
}

func expect(dec *jsontext.Decoder, kind jsontext.Kind) error {
	token, err := dec.ReadToken()
	if err != nil {
		return err
	}
	if token.Kind() != kind {
		return fmt.Errorf("got %v, want %v", token.Kind(), kind)
	}
	return nil
}

// readValue is the inverse of appendValue. JSON has no type for times: the table of fields tells
// which strings are times.
func readValue(dec *jsontext.Decoder, path string) (any, error) {
	token, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case 'n':
		return nil, nil
	case 't', 'f':
		return token.Bool(), nil
	case '0':
		return token.Int()
	case '"':
		if f, ok := customer.FieldByPath(path); ok && f.Type == customer.TypeTime {
			return time.Parse(time.RFC3339Nano, token.String())
		}
		return token.String(), nil
	}
	return nil, fmt.Errorf("got %v, want a value", token.Kind())
}
