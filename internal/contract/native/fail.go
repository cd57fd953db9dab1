package native

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"kartotek/internal/fault"
	"kartotek/internal/web"
)

// problemBody is a problem of RFC 9457 with a list of errors.
type problemBody struct {
	Type     string      `json:"type"`
	Title    string      `json:"title"`
	Status   int         `json:"status"`
	Detail   string      `json:"detail"`
	Instance string      `json:"instance"`
	Errors   []errorBody `json:"errors,omitempty"`
}

// errorBody is one error. It is at a JSON Pointer, in a parameter or in a header.
type errorBody struct {
	Pointer   *string `json:"pointer,omitzero"`
	Parameter *string `json:"parameter,omitzero"`
	Header    *string `json:"header,omitzero"`
	Rule      string  `json:"rule"`
	Detail    string  `json:"detail"`
}

// The limits of a response: a body may have thousands of unknown properties with long names.
const (
	maxErrors   = 100
	maxLocation = 200 // bytes
)

// fail writes f as the error response of this contract.
func fail(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
	p, status := problems[f.Kind], web.Status(f.Kind)
	body := problemBody{
		Type:     "/problems/" + string(f.Kind),
		Title:    p.title,
		Status:   status,
		Detail:   p.advice,
		Instance: web.RequestID(r),
		Errors:   newErrors(r, f.Fields),
	}
	hasDetails := len(f.Fields) > 0 && (f.Kind == fault.Invalid || f.Kind == fault.BadRequest)
	if f.Kind != fault.Internal && !hasDetails {
		body.Detail = capitalize(f.Text) + ". " + p.advice
	}
	if len(f.Fields) > maxErrors {
		body.Detail += fmt.Sprintf(" These are the first %d of %d errors.", maxErrors, len(f.Fields))
	}
	h := w.Header()
	web.Protect(h)
	switch f.Kind {
	case fault.Unauthenticated:
		h.Set("WWW-Authenticate", challenge(r))
	case fault.IdempotencyInProgress:
		h.Set("Retry-After", "1")
	case fault.PreconditionFailed:
		h.Set("ETag", web.ETag(f.CurrentVersion))
	}
	b, _ := json.Marshal(body, jsontext.AllowInvalidUTF8(true)) // cannot fail with this option
	h.Set("Content-Type", "application/problem+json")
	_ = web.Write(w, status, b) // never fails
}

// challenge returns the WWW-Authenticate header. It has an error only when the request had a key
// (RFC 6750, section 3.1).
func challenge(r *http.Request) string {
	if bearer(r) == "" {
		return `Bearer realm="Kartotek"`
	}
	return `Bearer realm="Kartotek", error="invalid_token"`
}

func capitalize(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// newErrors returns the errors in the order of the properties; others come last.
func newErrors(r *http.Request, fields []fault.Field) []errorBody {
	var out []errorBody
	for _, field := range fields {
		e := errorBody{Rule: field.Rule, Detail: field.Text}
		e.setLocation(r, field.Path)
		out = append(out, e)
	}
	slices.SortStableFunc(out, func(a, b errorBody) int { return cmp.Compare(a.position(), b.position()) })
	return out[:min(len(out), maxErrors)]
}

// setLocation sets where the error is. path is a JSON Pointer, a parameter after a question mark, a
// header, which begins with a capital, or a path of package customer.
func (e *errorBody) setLocation(r *http.Request, path string) {
	path = truncate(path)
	name, isParameter := strings.CutPrefix(path, parameter)
	switch {
	case path == "" || path[0] == '/':
		e.Pointer = &path
	case isParameter:
		e.Parameter = &name
	case path == "after", path == "version" && r.PathValue("version") != "":
		e.Parameter = &path
	case 'A' <= path[0] && path[0] <= 'Z':
		e.Header = &path
	default:
		e.Pointer = new(pointerTo(path))
	}
}

// truncate shortens a location, which may contain a name from the client.
func truncate(text string) string {
	if len(text) <= maxLocation {
		return text
	}
	end := maxLocation
	for end > maxLocation-utf8.UTFMax && !utf8.RuneStart(text[end]) { // text may be invalid UTF-8
		end--
	}
	return text[:end] + "…"
}

func (e errorBody) position() int {
	if e.Pointer != nil {
		if i := slices.Index(pointerOrder, *e.Pointer); i >= 0 {
			return i
		}
	}
	return len(pointerOrder)
}
