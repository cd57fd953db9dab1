package web

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"kartotek/internal/fault"
)

// RequestType is the media type of the body, in lower case, without parameters. It returns an
// UnsupportedMediaType fault when the type is not accepted, the charset is not UTF-8, or the body
// has a content encoding.
func RequestType(r *http.Request, accepted ...string) (string, error) {
	if HasContentEncoding(r) {
		return "", fault.New(fault.UnsupportedMediaType, "the body must be sent as it is, without Content-Encoding")
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(accepted, media) {
		return "", fault.New(fault.UnsupportedMediaType, "the Content-Type must be %s", strings.Join(accepted, ", "))
	}
	if charset, ok := params["charset"]; ok && !slices.Contains(utf8Charsets, strings.ToLower(charset)) {
		return "", fault.New(fault.UnsupportedMediaType, "the charset must be utf-8")
	}
	return media, nil
}

// utf8Charsets are the names of UTF-8 and of its part US-ASCII.
var utf8Charsets = []string{"utf-8", "utf8", "us-ascii"}

// HasContentEncoding reports whether Content-Encoding names a coding other than identity.
func HasContentEncoding(r *http.Request) bool {
	for _, header := range r.Header.Values("Content-Encoding") {
		for coding := range strings.SplitSeq(header, ",") {
			coding = strings.TrimSpace(coding)
			if coding != "" && !strings.EqualFold(coding, "identity") {
				return true
			}
		}
	}
	return false
}

// maxDrain is how many bytes of an oversized body are read and discarded. A client that may finish
// sending sees the response; otherwise it may see only a closed connection.
const maxDrain = 16 << 20

// ReadBody reads the whole body. It returns a TooLarge fault for a body over the server's limit, a
// RequestTimeout fault for one that arrives too slowly, and a BadRequest fault for one that ends
// early.
func ReadBody(r *http.Request) ([]byte, error) {
	limit := cmp.Or(requestInfoFrom(r).maxBody, math.MaxInt64)
	tooLarge := func() error {
		return fault.New(fault.TooLarge, "the body has more than %d bytes, which is the limit of this server", limit)
	}
	if r.ContentLength > limit && r.Header.Get("Expect") != "" { // the client waits for 100 Continue
		return nil, tooLarge()
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, limit))
	switch _, isTooLarge := errors.AsType[*http.MaxBytesError](err); {
	case err == nil:
		return body, nil
	case isTooLarge:
		_, _ = io.CopyN(io.Discard, r.Body, maxDrain)
		return nil, tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fault.New(fault.RequestTimeout, "the body took too long to arrive")
	default:
		return nil, fault.New(fault.BadRequest, "the body ended early")
	}
}

// Member is one member of a JSON object.
type Member struct {
	Name  string
	Value jsontext.Value
}

// Null reports whether the value is null.
func (m Member) Null() bool { return m.Value.Kind() == 'n' }

// Text is the value as text; ok is false when it is not a string.
func (m Member) Text() (text string, ok bool) {
	if m.Value.Kind() != '"' {
		return "", false
	}
	b, err := jsontext.AppendUnquote(nil, m.Value)
	return string(b), err == nil
}

// Object parses body as a single JSON object and returns its members in order. It is strict (RFC
// 8259, valid UTF-8, no repeated names, at most 10,000 levels) but skips a byte order mark.
//
// It returns a BadRequest fault: without fields when the body is not an object, with one field with
// an empty path when it is not JSON, or with the path of the repeated name.
func Object(body []byte) ([]Member, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))))
	object, err := dec.ReadValue()
	switch {
	case err != nil && err != io.EOF:
		return nil, errNotJSON(err, 0)
	case object.Kind() != '{':
		return nil, fault.New(fault.BadRequest, "the body must be a JSON object")
	}
	object = object.Clone() // the decoder reuses its buffer
	end := dec.InputOffset()
	if _, err := dec.ReadToken(); err != io.EOF {
		return nil, errNotJSON(err, end)
	}
	var members []Member
	dec = jsontext.NewDecoder(bytes.NewReader(object)) // returns no error: the syntax is checked
	_, _ = dec.ReadToken()
	for dec.PeekKind() != '}' {
		name, _ := dec.ReadToken()
		m := Member{Name: name.String()}
		value, _ := dec.ReadValue()
		m.Value = value.Clone()
		members = append(members, m)
	}
	return members, nil
}

// Properties is a JSON object with its properties in this order.
type Properties []Property

// Property is one property of Properties. A nil value is null.
type Property struct {
	Name  string
	Value any
}

// MarshalJSONTo implements json.MarshalerTo.
func (p Properties) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, property := range p {
		if err := enc.WriteToken(jsontext.String(property.Name)); err != nil {
			return err
		}
		if err := writeValue(enc, property.Value); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndObject)
}

// writeValue writes texts as tokens, which takes less time.
func writeValue(enc *jsontext.Encoder, value any) error {
	if text, ok := value.(string); ok {
		return enc.WriteToken(jsontext.String(text))
	}
	return json.MarshalEncode(enc, value)
}

// errNotJSON returns the fault of a body that the decoder rejects with err or, when err is nil, that
// has more than one value. The first value ends at end.
func errNotJSON(err error, end int64) error {
	s, ok := errors.AsType[*jsontext.SyntacticError](err)
	if ok {
		end = s.ByteOffset
	}
	field := fault.Field{Rule: fault.Format, Text: fmt.Sprintf("must be valid JSON (RFC 8259) in UTF-8; it is not after byte %d", end)}
	if ok && errors.Is(s, jsontext.ErrDuplicateName) {
		path := strings.Join(slices.Collect(s.JSONPointer.Tokens()), ".")
		field = fault.Field{Path: path, Rule: fault.Duplicate, Text: "must not be repeated"}
	}
	return &fault.Fault{Kind: fault.BadRequest, Text: "the body is malformed", Fields: []fault.Field{field}}
}
