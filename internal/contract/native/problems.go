package native

import (
	_ "embed"
	"net/http"
	"strings"

	"kartotek/internal/fault"
	"kartotek/internal/web"
	"kartotek/internal/web/page"
)

// problem has the texts for one kind of fault.
type problem struct {
	title   string
	advice  string // what the client can do; part of every response
	meaning string // only on the page about the problem
}

var problems = map[fault.Kind]problem{
	fault.BadRequest:            {"Malformed request", "Correct the errors and send the request again.", "The server could not read the request: the body is not valid JSON, a parameter or a header is invalid, or a JSON Patch is malformed. errors has the location of each error; in the body it is a JSON Pointer."},
	fault.Invalid:               {"Validation failed", "Nothing was changed. Correct the errors and send the request again.", "The request is well-formed, but it would break a rule or change a read-only field. errors lists all errors at once, each with the JSON Pointer of the field, the rule and an explanation."},
	fault.Unauthenticated:       {"Authentication required", "Send a valid key: Authorization: Bearer kart_…", "The request has no API key, or the key does not exist, is mistyped or was revoked."},
	fault.Forbidden:             {"Insufficient scope", "Use a key with the required scope. GET /v1/me returns the scopes of a key.", "The key is valid, but it lacks the scope that the operation requires: customers:read, customers:write or admin. No scope includes another."},
	fault.NotFound:              {"Not found", "Check the path and the parameters. A key can access only its own tenant.", "The tenant of the key has no such customer, version, key or account. Resources of other tenants get the same response."},
	fault.RouteNotFound:         {"Unknown path", "Compare the path with the OpenAPI document.", "No operation of the API has this path."},
	fault.MethodNotAllowed:      {"Method not allowed", "Use a method that the Allow header lists.", "The path exists, but it does not support this method."},
	fault.Conflict:              {"Conflict", "Nothing was changed. Read the current state and decide again.", "The request conflicts with the current state: an id, a number or a login is already in use, a field has changed since the change to revert, or an operation of a JSON Patch cannot be applied."},
	fault.PreconditionFailed:    {"Version mismatch", "Nothing was changed. Read the customer again and retry with its current ETag in If-Match.", "The customer is not at a version that If-Match lists. The ETag header of the response has the current version."},
	fault.PreconditionRequired:  {"If-Match required", "Nothing was changed. Read the customer and send its ETag in If-Match.", "The key was created with requireIfMatch: every change must name the version that it applies to."},
	fault.IdempotencyInProgress: {"Request in progress", "Wait as long as Retry-After says, then retry with the same Idempotency-Key.", "The server is still processing an earlier request with the same Idempotency-Key."},
	fault.IdempotencyKeyReused:  {"Idempotency-Key reused", "Use a new Idempotency-Key for each request.", "An Idempotency-Key identifies one request for 24 hours. This request differs from the first one with the key in its caller, method, path, query, Content-Type, If-Match or body."},
	fault.RateLimited:           {"Too many requests", "Wait as long as Retry-After says.", "The key has exceeded its rate limit: a burst, and a number of requests per second after it. RateLimit-Limit, RateLimit-Remaining and RateLimit-Reset in every response show the current state."},
	fault.TooLarge:              {"Request too large", "Send a smaller request.", "The body is larger than the server accepts, or a JSON Patch has too many operations or copies too much."},
	fault.UnsupportedMediaType:  {"Unsupported media type", "Use a media type that Accept-Patch or Accept-Post lists.", "The Content-Type is missing or not supported by the operation, the charset is not UTF-8, or the body is compressed."},
	fault.RequestTimeout:        {"Request timeout", "Send the request again.", "The body did not arrive within the read timeout of the server."},
	fault.Unavailable:           {"Service unavailable", "Wait as long as Retry-After says, then retry, with the same Idempotency-Key if the request changes something.", "The server is overloaded, or its disk fails or stalls. The change may or may not have been made."},
	fault.StorageFull:           {"Storage full", "Nothing was changed. Wait at least as long as Retry-After says, then retry, with the same Idempotency-Key if the request has one.", "The disk of the server is full. Reads still work. Changes are rejected until an operator frees space."},
	fault.Internal:              {"Internal error", "The server log has the cause under the id in instance.", "The request met a defect of the server. The server has logged it."},
}

//go:embed problems.html
var problemsHTML string

var problemPages = page.Parse(problemsHTML)

// Problems serves a page about each problem, at the path in its type.
func Problems() web.Mount {
	const prefix = "/problems/"
	return web.Mount{Prefix: prefix, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.SetOperation(r, name, "problem")
		if !web.AllowReadOnly(w, r) {
			sendPage(w, r, http.StatusMethodNotAllowed, newProblemPage(""))
			return
		}
		kind := fault.Kind(strings.TrimPrefix(r.URL.Path, prefix))
		status := http.StatusOK
		if _, known := problems[kind]; !known && kind != "" {
			status = http.StatusNotFound
		}
		sendPage(w, r, status, newProblemPage(kind))
	})}
}

// problemPage is the data of a page. A page without a type lists all problems.
type problemPage struct {
	Type, Title, Meaning, Advice string
	Status                       int
	Rules                        []ruleText
	Others                       []problemPage // only type, status and title
}

type ruleText struct{ Rule, Meaning string }

// newProblemPage returns the list of all problems for an unknown kind.
func newProblemPage(kind fault.Kind) problemPage {
	var data problemPage
	if p, known := problems[kind]; known {
		data = problemPage{Type: string(kind), Title: p.title, Meaning: p.meaning, Advice: p.advice, Status: web.Status(kind), Rules: rules[kind]}
	}
	for _, other := range fault.Kinds() {
		if other != kind {
			data.Others = append(data.Others, problemPage{Type: string(other), Status: web.Status(other), Title: problems[other].title})
		}
	}
	return data
}

func sendPage(w http.ResponseWriter, r *http.Request, status int, data problemPage) {
	body, err := page.Render(problemPages, data)
	if err != nil {
		panic(err) // a defect of the template
	}
	_ = page.Send(w, r, status, body) // fails only when the client has disconnected
}

// rules explains the rules in the errors of a problem.
var rules = map[fault.Kind][]ruleText{
	fault.BadRequest: {
		{fault.Format, "The value has the wrong format, or the body is not JSON."},
		{fault.Type, "The value has the wrong type."},
		{fault.Required, "The value is missing."},
		{fault.Range, "The value is outside the limits in the detail."},
		{fault.Length, "The value is too long."},
		{fault.Duplicate, "A name, a parameter or a header occurs more than once."},
		{fault.Unknown, "The operation does not have this parameter."},
	},
	fault.Invalid: {
		{fault.Type, "The value has the wrong type."},
		{fault.Required, "A customer must have this field."},
		{fault.Length, "The text is too long, in characters."},
		{fault.Format, "The value has the wrong format or is not one of the allowed values."},
		{fault.Range, "The value is outside the limits in the detail."},
		{fault.Immutable, "The field is read-only. Leave it out or send its current value."},
		{fault.Unknown, "A customer has no such field. The name may be misspelt."},
		{fault.Duplicate, "An element occurs more than once."},
	},
	fault.Conflict: {
		{fault.Unique, "Another customer, account or key has this value."},
		{fault.ChangedSince, "The field has changed since the change to revert."},
		{ruleExists, "The path of a JSON Patch operation does not exist in the record."},
		{ruleTest, "A JSON Patch test found another value."},
	},
}
