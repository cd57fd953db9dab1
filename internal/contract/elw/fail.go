package elw

import (
	"cmp"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"kartotek/internal/fault"
	"kartotek/internal/web"
)

// errorBody is ASP.NET's HttpError. ModelState lists the errors of each property.
type errorBody struct {
	Message    string
	ModelState map[string][]string `json:",omitempty"`
}

// statusOf is web.Status, except that clients of this contract get 400 for broken rules, and 503
// for a full disk because the .NET Framework has no name for 507.
func statusOf(kind fault.Kind) int {
	switch kind {
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.StorageFull:
		return http.StatusServiceUnavailable
	}
	return web.Status(kind)
}

func fail(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
	if f.Kind == fault.Unauthenticated {
		w.Header().Set("WWW-Authenticate", `Basic realm="Kartotek", charset="UTF-8"`)
	}
	body := errorBody{Message: message(r, f.Kind)}
	for _, field := range f.Fields {
		if body.ModelState == nil {
			body.ModelState = map[string][]string{}
		}
		name := wireName(field.Path)
		key := "customer"
		switch name {
		case "":
		case "Idempotency-Key": // a header, not a property
			key = name
		default:
			key += "." + name
		}
		body.ModelState[key] = append(body.ModelState[key], sentence(name, field))
	}
	if f.Kind == fault.BadRequest && len(f.Fields) == 0 {
		body.ModelState = map[string][]string{"request": {strings.ToUpper(f.Text[:1]) + f.Text[1:] + "."}}
	}
	_ = write(w, r, statusOf(f.Kind), body) // a map of strings always encodes
}

// messages has the message of each kind of fault, apart from those that describe the request.
var messages = map[fault.Kind]string{
	fault.BadRequest:            "The request is invalid.",
	fault.Invalid:               "The request is invalid.",
	fault.Unauthenticated:       "Authorization has been denied for this request.",
	fault.Forbidden:             "Authorization has been denied for this request.",
	fault.NotFound:              "Customer not found.",
	fault.Conflict:              "The customer is in conflict with another one.",
	fault.PreconditionFailed:    "The customer has been changed.",
	fault.PreconditionRequired:  "The If-Match header must name a version.",
	fault.IdempotencyInProgress: "The first request with this Idempotency-Key is still running.",
	fault.IdempotencyKeyReused:  "This Idempotency-Key was used for another request.",
	fault.RateLimited:           "Too many requests.",
	fault.TooLarge:              "The request entity is too large.",
	fault.RequestTimeout:        "The request took too long to arrive.",
	fault.Unavailable:           "The service is unavailable.",
	fault.StorageFull:           "The service is unavailable.",
}

func message(r *http.Request, kind fault.Kind) string {
	switch kind {
	case fault.RouteNotFound:
		return fmt.Sprintf("No HTTP resource was found that matches the request URI '%s'.", requestURI(r))
	case fault.MethodNotAllowed:
		return fmt.Sprintf("The requested resource does not support http method '%s'.", r.Method)
	case fault.UnsupportedMediaType:
		return unsupported(r)
	}
	return cmp.Or(messages[kind], "An error has occurred.")
}

// requestURI is the request URI as the client sent it, without the query.
func requestURI(r *http.Request) string {
	uri, _, _ := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(uri, "/") { // absolute form, sent to proxies
		return uri
	}
	if r.TLS != nil {
		return "https://" + r.Host + uri
	}
	return "http://" + r.Host + uri
}

func unsupported(r *http.Request) string {
	if web.HasContentEncoding(r) {
		return "The request entity's content encoding is not supported for this resource."
	}
	sent := r.Header.Get("Content-Type")
	if sent == "" {
		return "The request contains an entity body but no Content-Type header. " +
			"The inferred media type 'application/octet-stream' is not supported for this resource."
	}
	if media, params, err := mime.ParseMediaType(sent); err == nil {
		sent = media
		if charset := params["charset"]; charset != "" {
			sent += "; charset=" + charset
		}
	}
	return fmt.Sprintf("The request entity's media type '%s' is not supported for this resource.", sent)
}

// sentence is the message of ASP.NET's validation for a broken rule, or our own where its message
// would name neither the property nor the rule.
func sentence(name string, f fault.Field) string {
	switch f.Path + ":" + f.Rule {
	case "email:" + fault.Format:
		return "The Email field is not a valid e-mail address."
	case "email:" + fault.Length:
		return "The field Email must be a string with a maximum length of 100."
	case "mobile:" + fault.Format, "phone:" + fault.Format:
		return fmt.Sprintf("The field %s must match the regular expression '^[0-9]{0,14}$'.", name)
	case "mobile:" + fault.Length, "phone:" + fault.Length:
		return fmt.Sprintf("The field %s must be a string with a minimum length of 3.", name)
	case "Idempotency-Key:" + fault.Format:
		return "The field Idempotency-Key must match the regular expression '^[!-~]{1,255}$'."
	case ":" + fault.Format:
		return "The request body " + f.Text + "."
	case ":" + fault.Duplicate: // {"": 1, "": 2}
		return "A field with an empty name " + f.Text + "."
	}
	return fmt.Sprintf("The %s field %s.", name, f.Text)
}
