package web

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"kartotek/internal/fault"
)

// RequestType is the media type of the body, in lower case, without parameters.
// It is an Unsupported fault when it is none of those accepted, or names a
// charset other than UTF-8, or when the body is Encoded.
func RequestType(r *http.Request, accepted ...string) (string, error) {
	if HasContentEncoding(r) {
		return "", fault.New(fault.UnsupportedMediaType, "the body must be sent as it is, without Content-Encoding")
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(accepted, media) {
		return "", fault.New(fault.UnsupportedMediaType, "the Content-Type must be %s", strings.Join(accepted, ", "))
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return "", fault.New(fault.UnsupportedMediaType, "the charset must be utf-8")
	}
	return media, nil
}

// HasContentEncoding reports whether Content-Encoding says that the body is compressed or
// otherwise encoded.
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

// ReadBody reads the whole body. A body over the server's limit is a TooLarge
// fault, one that arrives too slowly a Slow one, one that ends early a Malformed
// one.
func ReadBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	tooLarge, isTooLarge := errors.AsType[tooLargeError](err)
	switch {
	case err == nil:
		return body, nil
	case isTooLarge:
		return nil, fault.New(fault.TooLarge, "the body has more than %d bytes, which is the limit of this server", tooLarge.limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fault.New(fault.RequestTimeout, "the body took too long to arrive")
	default:
		return nil, fault.New(fault.BadRequest, "the body ended early")
	}
}

// tooLargeError is for a body with more bytes than the limit.
type tooLargeError struct{ limit int64 }

// Error implements error.
func (e tooLargeError) Error() string { return "body too large" }

// drainMax is how much of a body over the limit is read and thrown away, in
// bytes. A sender that may finish sees the answer; one that is cut off may see a
// broken connection instead.
const maxDrain = 16 << 20

// limitedBody is a body that fails once it has given more than it may.
type limitedBody struct {
	io.ReadCloser
	limit          int64 // bytes
	remaining      int64 // of them; -1 once too many have come
	oversized      bool  // by its own Content-Length
	expectContinue bool  // the sender waits for leave to send it
}

// Read implements io.Reader.
func (b *limitedBody) Read(p []byte) (int, error) {
	if b.remaining < 0 || b.oversized && b.expectContinue {
		return 0, tooLargeError{b.limit}
	}
	if b.oversized {
		return 0, b.overflow()
	}
	if int64(len(p)) > b.remaining+1 {
		p = p[:b.remaining+1] // one byte more tells a body at the limit from one over it
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) > b.remaining {
		return 0, b.overflow()
	}
	b.remaining -= int64(n)
	return n, err
}

func (b *limitedBody) overflow() error {
	b.remaining = -1
	_, _ = io.CopyN(io.Discard, b.ReadCloser, maxDrain) // a sender that stops early needs no more
	return tooLargeError{b.limit}
}

// Member is one member of a JSON object.
type Member struct {
	Name  string
	Value jsontext.Value
}

// Null reports whether the member's value is null.
func (m Member) Null() bool { return m.Value.Kind() == 'n' }

// Text is the member's value, when it is a string.
func (m Member) Text() (text string, ok bool) {
	if m.Value.Kind() != '"' {
		return "", false
	}
	b, err := jsontext.AppendUnquote(nil, m.Value)
	return string(b), err == nil
}

// Object reads one JSON object and nothing else, strictly (RFC 8259, valid UTF-8,
// no repeated names, at most 10,000 levels), and returns its members in order. A
// byte order mark before it is skipped.
//
// Its BadRequest fault has no field when the body is no object; a field with an
// empty path when it is not JSON; and the field with the repeated name.
func Object(body []byte) ([]Member, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	dec := jsontext.NewDecoder(bytes.NewReader(body))
	switch dec.PeekKind() {
	case '{':
	case jsontext.KindInvalid:
		if len(bytes.TrimSpace(body)) > 0 {
			return nil, errNotJSON(nil)
		}
		fallthrough
	default:
		return nil, errNotObject(dec)
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, errNotJSON(err)
	}
	var members []Member
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, errNotJSON(err)
		}
		m := Member{Name: name.String()}
		value, err := dec.ReadValue()
		if err != nil {
			return nil, errNotJSON(err)
		}
		m.Value = value.Clone() // the decoder writes over it
		members = append(members, m)
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, errNotJSON(err)
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return nil, errNotJSON(nil)
	}
	return members, nil
}

// notObject tells a JSON value of another kind from one that is not JSON.
func errNotObject(dec *jsontext.Decoder) error {
	if _, err := dec.ReadValue(); err != nil && err != io.EOF {
		return errNotJSON(err)
	}
	return fault.New(fault.BadRequest, "the body must be a JSON object")
}

func errNotJSON(err error) error {
	field := fault.Field{Rule: fault.Format, Text: "must be valid JSON"}
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok && errors.Is(s, jsontext.ErrDuplicateName) {
		path := strings.Join(slices.Collect(s.JSONPointer.Tokens()), ".")
		field = fault.Field{Path: path, Rule: fault.Duplicate, Text: "must not be repeated"}
	}
	return &fault.Fault{Kind: fault.BadRequest, Text: "the body is malformed", Fields: []fault.Field{field}}
}
