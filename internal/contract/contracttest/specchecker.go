package contracttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"kartotek/internal/contract"
)

// judge holds exchanges to the contract's OpenAPI document, and remembers which
// of its answers it has seen.
type specChecker struct {
	contract contract.Contract
	doc      *openapi3.T
	mu       sync.Mutex
	covered  map[string]bool // "updateCustomer 200"
}

func newSpecChecker(t *testing.T, c contract.Contract) *specChecker {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(c.Spec)
	if err != nil {
		t.Fatalf("spec.yaml: %v", err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatalf("spec.yaml: %v", err)
	}
	if !doc.IsOpenAPI31OrLater() {
		t.Fatalf("spec.yaml: got OpenAPI %s, want 3.1", doc.OpenAPI)
	}
	registerDecoders.Do(func() {
		openapi3filter.RegisterBodyDecoder("text/json", openapi3filter.JSONBodyDecoder)
		openapi3filter.RegisterBodyDecoder("text/html", openapi3filter.JSONBodyDecoder)
	})
	return &specChecker{contract: c, doc: doc, covered: map[string]bool{}}
}

// otherNames has the judge read the other media types under which contracts carry
// JSON.
var registerDecoders sync.Once

// exchange judges one request and its answer. Requests of no operation are
// outside the document.
func (j *specChecker) checkExchange(t *testing.T, req request, w *httptest.ResponseRecorder) {
	t.Helper()
	route, params := j.route(req)
	if route == nil {
		return
	}
	line := req.method + " " + req.target
	status := fmt.Sprint(w.Code)
	if route.Operation.Responses.Value(status) == nil {
		t.Errorf("%s: status %s is not documented for %s", line, status, route.Operation.OperationID)
		return
	}
	j.mu.Lock()
	j.covered[route.Operation.OperationID+" "+status] = true
	j.mu.Unlock()

	input := j.input(req, route, params)
	if w.Code < 300 {
		if err := openapi3filter.ValidateRequest(t.Context(), input); err != nil {
			t.Errorf("%s: accepted, but the document does not take it: %v", line, err)
		}
	}
	answer := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: j.input(req, route, params),
		Status:                 w.Code,
		Header:                 w.Header(),
		Body:                   io.NopCloser(bytes.NewReader(w.Body.Bytes())),
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true,
			ExcludeResponseBody:   w.Body.Len() == 0 && w.Header().Get("Content-Type") == "",
		},
	}
	if err := openapi3filter.ValidateResponse(t.Context(), answer); err != nil {
		t.Errorf("%s: the document does not allow the answer: %v", line, err)
	}
}

func (j *specChecker) input(req request, route *routers.Route, params map[string]string) *openapi3filter.RequestValidationInput {
	req.body = bytes.TrimPrefix(req.body, []byte("\xef\xbb\xbf"))
	return &openapi3filter.RequestValidationInput{
		Request:    req.build(),
		PathParams: params,
		Route:      route,
		Options:    &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
}

// route finds the operation of a request, as the contract and the document have it.
func (j *specChecker) route(req request) (*routers.Route, map[string]string) {
	r, params, ok := j.contract.MatchRoute(req.method, req.target)
	if !ok {
		return nil, nil
	}
	item := j.doc.Paths.Find(r.Path)
	return &routers.Route{Spec: j.doc, Path: r.Path, PathItem: item, Method: r.Method, Operation: item.GetOperation(r.Method)}, params
}

// verdict fails for what the document and the contract's routes do not have in
// common, and for every documented answer that no transcript has shown.
func (j *specChecker) checkCoverage(t *testing.T) {
	t.Helper()
	routed := map[string]bool{}
	for _, r := range j.contract.Routes {
		routed[r.Method+" "+r.Path+" "+r.Operation] = true
	}
	for path, item := range j.doc.Paths.Map() {
		for method, operation := range item.Operations() {
			key := method + " " + path + " " + operation.OperationID
			if !routed[key] {
				t.Errorf("%s is documented, but not routed", key)
			}
			delete(routed, key)
			for status := range operation.Responses.Map() {
				if !j.covered[operation.OperationID+" "+status] {
					t.Errorf("%s %s is documented, but no transcript shows it", operation.OperationID, status)
				}
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(routed)) {
		t.Errorf("%s is routed, but not documented", key)
	}
}

// errorBody holds an error's body to the schema with this name. An empty body
// says no more than its status.
func (j *specChecker) checkErrorBody(t *testing.T, schema string, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Body.Len() == 0 && w.Header().Get("Content-Type") == "" {
		return
	}
	var body any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("%s: %v", http.StatusText(w.Code), err)
	}
	if err := j.doc.Components.Schemas[schema].Value.VisitJSON(body, openapi3.EnableJSONSchema2020()); err != nil {
		t.Errorf("%s: %v", http.StatusText(w.Code), err)
	}
}
