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

// errorBody is ASP.NET's HttpError. ModelState lists what is wrong with each
// property.
type errorBody struct {
	Message    string
	ModelState map[string][]string `json:",omitempty"`
}

var status = map[fault.Kind]int{
	fault.BadRequest:            http.StatusBadRequest,
	fault.Invalid:               http.StatusBadRequest,
	fault.Unauthenticated:       http.StatusUnauthorized,
	fault.Forbidden:             http.StatusForbidden,
	fault.NotFound:              http.StatusNotFound,
	fault.RouteNotFound:         http.StatusNotFound,
	fault.MethodNotAllowed:      http.StatusMethodNotAllowed,
	fault.Conflict:              http.StatusConflict,
	fault.PreconditionFailed:    http.StatusPreconditionFailed,
	fault.PreconditionRequired:  http.StatusPreconditionRequired,
	fault.IdempotencyInProgress: http.StatusConflict,
	fault.IdempotencyKeyReused:  http.StatusUnprocessableEntity,
	fault.RateLimited:           http.StatusTooManyRequests,
	fault.TooLarge:              http.StatusRequestEntityTooLarge,
	fault.UnsupportedMediaType:  http.StatusUnsupportedMediaType,
	fault.RequestTimeout:        http.StatusRequestTimeout,
	fault.Unavailable:           http.StatusServiceUnavailable,
	fault.StorageFull:           http.StatusServiceUnavailable, // the .NET of its clients has no name for 507
	fault.Internal:              http.StatusInternalServerError,
}

// fail writes f as this contract's error body.
func fail(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
	if f.Kind == fault.Unauthenticated {
		w.Header().Set("WWW-Authenticate", `Basic realm="Kartotek"`)
	}
	body := errorBody{Message: message(r, f.Kind)}
	for _, field := range f.Fields {
		if body.ModelState == nil {
			body.ModelState = map[string][]string{}
		}
		name := cmp.Or(wireName[field.Path], field.Path)
		key := "customer"
		switch name {
		case "":
		case "Idempotency-Key": // a header's, and no property
			key = name
		default:
			key += "." + name
		}
		body.ModelState[key] = append(body.ModelState[key], sentence(name, field))
	}
	_ = write(w, r, status[f.Kind], body) // strings and their map always encode
}

func message(r *http.Request, kind fault.Kind) string {
	switch kind {
	case fault.BadRequest, fault.Invalid:
		return "The request is invalid."
	case fault.Unauthenticated, fault.Forbidden:
		return "Authorization has been denied for this request."
	case fault.NotFound:
		return "Customer not found."
	case fault.RouteNotFound:
		return fmt.Sprintf("No HTTP resource was found that matches the request URI '%s'.", requestURI(r))
	case fault.MethodNotAllowed:
		return fmt.Sprintf("The requested resource does not support http method '%s'.", r.Method)
	case fault.Conflict:
		return "The customer is in conflict with another one."
	case fault.PreconditionFailed:
		return "The customer has been changed."
	case fault.PreconditionRequired:
		return "The If-Match header must name a version."
	case fault.IdempotencyInProgress:
		return "The first request with this Idempotency-Key is still running."
	case fault.IdempotencyKeyReused:
		return "This Idempotency-Key was used for another request."
	case fault.RateLimited:
		return "Too many requests."
	case fault.TooLarge:
		return "The request entity is too large."
	case fault.UnsupportedMediaType:
		return unsupported(r)
	case fault.RequestTimeout:
		return "The request took too long to arrive."
	case fault.Unavailable, fault.StorageFull:
		return "The service is unavailable."
	default:
		return "An error has occurred."
	}
}

// requestURI is what the client asked for, as it wrote it, but for the query.
func requestURI(r *http.Request) string {
	uri, _, _ := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(uri, "/") { // a proxy's client sends it whole
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

// wireName is a domain field's name in this contract. Faults of a body's shape
// name properties as the wire does already.
var wireName = map[string]string{
	"email":  "Email",
	"mobile": "MobileNumber",
	"phone":  "PhoneNumber",
}

// sentence says what is wrong with a property as ASP.NET's validation does.
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
	}
	return "An error has occurred."
}
