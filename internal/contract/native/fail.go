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

// problemBody is RFC 9457's problem, with what is wrong where.
type problemBody struct {
	Type     string      `json:"type"`
	Title    string      `json:"title"`
	Status   int         `json:"status"`
	Detail   string      `json:"detail"`
	Instance string      `json:"instance"`
	Errors   []errorBody `json:"errors,omitempty"`
}

// errorBody is one thing that is wrong: in the body or the record at a pointer, or
// in a parameter, or in a header.
type errorBody struct {
	Pointer   *string `json:"pointer,omitzero"`
	Parameter *string `json:"parameter,omitzero"`
	Header    *string `json:"header,omitzero"`
	Rule      string  `json:"rule"`
	Detail    string  `json:"detail"`
}

// kind is how faults of one kind are answered.
type kind struct {
	title  string
	advice string // what the caller can do
	// meaning is what a page about the kind says beside that.
	meaning string
}

var kinds = map[fault.Kind]kind{
	fault.BadRequest:            {"The request cannot be read", "Correct what is wrong, and send it again.", "The server could not make sense of the request before it looked at any record: the body is not JSON, a parameter or a header is not what the operation takes, or a JSON Patch is none. errors names each place, in the body by a JSON Pointer."},
	fault.Invalid:               {"Rules are broken", "Nothing was changed. Correct what errors names, and send it again.", "The request could be read, but the record would break rules, or a member was sent that cannot be changed. Everything that is wrong is told at once, each with a JSON Pointer to the member, the rule and what to do."},
	fault.Unauthenticated:       {"No valid API key", "Send a key that works as: Authorization: Bearer kart_…", "The request carries no API key, or one that does not exist, is mistyped or was revoked."},
	fault.Forbidden:             {"The key may not do this", "Use a key with the scope that this needs; GET /v1/me tells the scopes of a key.", "The key works, but lacks the scope that the operation needs: customers:read, customers:write or admin. None includes another."},
	fault.NotFound:              {"There is no such thing", "Check the path and the parameters; a key reaches its own tenant only.", "There is no customer, version, key or account under this path for the tenant of the key. What belongs to another tenant is answered in the same way."},
	fault.RouteNotFound:         {"There is no such path", "Compare it with the paths of the OpenAPI document.", "The path belongs to the API, but no operation has it."},
	fault.MethodNotAllowed:      {"The path does not know this method", "Use one that Allow names.", "The path exists, and takes other methods."},
	fault.Conflict:              {"The request conflicts with what is there", "Nothing was changed. Read again what is there, and decide anew.", "What the request asks for cannot be had beside what is there: an id, a number or a login is taken; the fields of a change that was to be undone have been changed again; or an operation of a JSON Patch does not apply."},
	fault.PreconditionFailed:    {"The customer is at another version", "None of the tags in If-Match is its ETag. Nothing was changed. Read the customer again, and send the change with the ETag that it has now.", "The request was meant for a certain version of the customer, named in If-Match, and the customer is at another one. The header ETag of the answer tells which."},
	fault.PreconditionRequired:  {"If-Match is required", "Nothing was changed. Read the customer, and send the change with its ETag in If-Match.", "This key was made with the demand that each change of a customer names the version that it is meant for."},
	fault.IdempotencyInProgress: {"The same request is being answered", "Wait, then send it again with the same Idempotency-Key.", "A request with the same Idempotency-Key arrived before this one and has not been answered yet. The two must not both be carried out."},
	fault.IdempotencyKeyReused:  {"The Idempotency-Key belongs to another request", "Give each request a key of its own.", "An Idempotency-Key names one request for 24 hours. This request differs from the one that it was first sent with: in its caller, method, path, query, Content-Type, If-Match or body."},
	fault.RateLimited:           {"Too many requests", "Wait as long as Retry-After says.", "The key has sent more requests than its share: so many at once, and so many a second after that. RateLimit-Limit, RateLimit-Remaining and RateLimit-Reset tell on each answer how much is left."},
	fault.TooLarge:              {"The request is too large", "Send it in smaller parts.", "The body has more bytes than the server takes, or a JSON Patch has too many operations or copies too much."},
	fault.UnsupportedMediaType:  {"The form of the body is not taken here", "Accept-Patch or Accept-Post names the media types that are taken.", "The Content-Type is missing or is not one that the operation takes, the charset is not UTF-8, or the body is compressed."},
	fault.RequestTimeout:        {"The request took too long to arrive", "Send it again.", "The body did not arrive within the time that the server waits for one."},
	fault.Unavailable:           {"The server is busy", "Wait as long as Retry-After says, then send the request again, with the same Idempotency-Key if it changes something.", "The server has more to do than it can answer in time, or its disk fails or hangs at the moment. It may or may not have made the change."},
	fault.StorageFull:           {"The server has no room", "Nothing was changed. Wait as long as Retry-After says or longer, then send the request again, with the same Idempotency-Key if it has one.", "The disk of the server is full. It can be read, but changes are refused until an operator has made room; then they are taken again."},
	fault.Internal:              {"The server has failed", "The log tells why, under the id in instance.", "The request met a defect of the server. It was noted in the log."},
}

// maxErrors bounds the errors that are told: a body may have thousands.
const maxErrors = 100

// fail writes f as this contract's error body.
func fail(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
	k, status := kinds[f.Kind], web.Status(f.Kind)
	body := problemBody{
		Type:     "/problems/" + string(f.Kind),
		Title:    k.title,
		Status:   status,
		Detail:   k.advice,
		Instance: web.RequestID(r),
		Errors:   errorsOf(r, f),
	}
	told := f.Kind == fault.Invalid || f.Kind == fault.BadRequest // by errors, and better
	if f.Kind != fault.Internal && !(told && len(f.Fields) > 0) {
		body.Detail = sentence(f.Text) + ". " + k.advice
	}
	if len(f.Fields) > maxErrors {
		body.Detail += fmt.Sprintf(" These are the first %d of %d errors.", maxErrors, len(f.Fields))
	}
	h := w.Header()
	protect(h)
	switch f.Kind {
	case fault.Unauthenticated:
		h.Set("WWW-Authenticate", challenge(r))
	case fault.IdempotencyInProgress:
		h.Set("Retry-After", "1")
	case fault.PreconditionFailed:
		h.Set("ETag", web.ETag(f.CurrentVersion))
	}
	b, _ := json.Marshal(body, jsontext.AllowInvalidUTF8(true)) // a string then always encodes
	h.Set("Content-Type", "application/problem+json")
	_ = web.Write(w, status, b) // never fails
}

// protect keeps personal data out of caches, and browsers from guessing what it
// is.
func protect(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}

// challenge tells how to authenticate: with a word about the key, if there was
// one (RFC 6750, section 3.1).
func challenge(r *http.Request) string {
	if bearer(r) == "" {
		return `Bearer realm="Kartotek"`
	}
	return `Bearer realm="Kartotek", error="invalid_token"`
}

func sentence(text string) string {
	for i, first := range text {
		if i == 0 {
			return string(unicode.ToUpper(first)) + text[len(string(first)):]
		}
	}
	return text
}

// errorsOf is what is wrong where, in the order of the record.
func errorsOf(r *http.Request, f *fault.Fault) []errorBody {
	var out []errorBody
	for _, field := range f.Fields {
		e := errorBody{Rule: field.Rule, Detail: field.Text}
		e.locate(r, field.Path)
		out = append(out, e)
	}
	slices.SortStableFunc(out, func(a, b errorBody) int { return cmp.Compare(a.position(), b.position()) })
	return out[:min(len(out), maxErrors)]
}

// locate says where the path of a fault is: a pointer as it is, a parameter after
// a question mark, a header by its capital, or else a path in domain words.
func (e *errorBody) locate(r *http.Request, path string) {
	path = cut(path)
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

// maxPlace bounds the name of a place, which the client may have made up, in
// bytes.
const maxPlace = 200

// cut is a text that is not too long, or the first part of it.
func cut(text string) string {
	if len(text) <= maxPlace {
		return text
	}
	end := maxPlace
	for end > maxPlace-utf8.UTFMax && !utf8.RuneStart(text[end]) { // it may be no UTF-8
		end--
	}
	return text[:end] + "…"
}

// position is where the record has what is wrong; all else comes last.
func (e errorBody) position() int {
	if e.Pointer == nil {
		return len(order)
	}
	if i := slices.Index(order, *e.Pointer); i >= 0 {
		return i
	}
	return len(order)
}
