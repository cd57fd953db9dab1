package help

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"kartotek/internal/contract"
	"kartotek/internal/contract/transcript"
	"kartotek/internal/portal/openapi"
)

// site is the data of the pages, and of the index.
type site struct {
	doc        openapi.Document
	operations []operation
	bodies     map[string]requestBody // by their model
}

// operation is an operation of the document.
type operation struct {
	openapi.Operation
	recorded []transcript.Exchange
}

// requestBody is the request body of an operation.
type requestBody struct {
	method string
	schema openapi.Object
}

func newSite(c contract.Contract) site {
	s := site{doc: must(openapi.Parse(c.Spec)), bodies: map[string]requestBody{}}
	recorded := must(c.Examples())
	for _, o := range s.doc.Operations() {
		s.operations = append(s.operations, operation{o, recorded[o.Spec.Text("operationId")]})
		request, _ := s.doc.Resolve(o.Spec.Get("requestBody"))
		if schema, _ := s.doc.Resolve(firstSchema(request)); schema != nil {
			s.bodies[s.modelOf(o)] = requestBody{o.Method, schema}
		}
	}
	return s
}

// modelOf returns the model of an operation's response. A request body is a part of it.
func (s site) modelOf(o openapi.Operation) string {
	response, _ := s.doc.Resolve(o.Spec.Object("responses").Object(success))
	_, name := s.doc.Resolve(firstSchema(response))
	return name
}

// success is the status of a successful response.
const success = "200"

// firstSchema returns the schema of the first media type; all media types have the same.
func firstSchema(body openapi.Object) any {
	for _, media := range body.Object("content") {
		content, _ := media.Value.(openapi.Object)
		return content.Get("schema")
	}
	return nil
}

func (s site) schemas() openapi.Object { return s.doc.Root.Object("components").Object("schemas") }

// linkTable links to pages of one kind.
type linkTable struct {
	Label, Of string
	Links     []link
}

type link struct{ Text, To, Description string }

// Root returns the document, for the index.
func (s site) Root() openapi.Object { return s.doc.Root }

// Operations returns the links to the operations of a tag, for the index.
func (s site) Operations(tag string) linkTable {
	t := linkTable{Label: "Operations of " + tag, Of: "API"}
	for _, o := range s.operations {
		if tags := o.Spec.List("tags"); len(tags) > 0 && tags[0] == tag {
			t.Links = append(t.Links, link{o.Title(), o.Link(), o.Spec.Text("summary") + "."})
		}
	}
	return t
}

// Models returns the links to the models, for the index.
func (s site) Models() linkTable {
	t := linkTable{Label: "Models", Of: "Name"}
	for _, m := range s.schemas() {
		schema, _ := s.doc.Resolve(m.Value)
		t.Links = append(t.Links, link{m.Name, modelLink(m.Name), schema.Text("description")})
	}
	return t
}

// Title returns the heading of the operation's page.
func (o operation) Title() string { return o.Method + " " + strings.TrimPrefix(o.Path, "/") }

// Link joins method and path: /Help/Api/PATCH-api-customers-customerId.
func (o operation) Link() string {
	return Root + "/Api/" + o.Method + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(o.Path)
}

// modelView is the data of a model's page.
type modelView struct {
	Name       string
	Schema     openapi.Object
	Properties table
}

// operationView is the data of an operation's page.
type operationView struct {
	operation
	URI, Headers table
	Body         *bodyView
	Result       responseView
	Errors       []responseView
}

// bodyView is a request body on the page.
type bodyView struct {
	Spec       openapi.Object
	Model      typeView
	Properties table
	Formats    []format
}

// format is a body in some media types.
type format struct{ Types, Sample string }

// responseView is a response on the page.
type responseView struct {
	Status, Reason, Types string
	Spec                  openapi.Object
	Model                 typeView
	Headers               table
	Examples              []transcript.Exchange
}

func (s site) operationView(o operation) operationView {
	view := operationView{
		operation: o,
		URI:       s.parameters(o, "URI Parameters", "path", "query"),
		Headers:   s.parameters(o, "Header Parameters", "header"),
		Body:      s.body(o),
	}
	view.Headers.Rows = append(s.credentials(), view.Headers.Rows...)
	for _, m := range o.Spec.Object("responses") {
		response := s.response(o, m)
		if m.Name == success {
			view.Result = response
		} else {
			view.Errors = append(view.Errors, response)
		}
	}
	return view
}

func (s site) body(o operation) *bodyView {
	request, _ := s.doc.Resolve(o.Spec.Get("requestBody"))
	if request == nil {
		return nil
	}
	model := s.modelOf(o.Operation)
	schema, _ := s.doc.Resolve(s.schemas().Get(model))
	view := &bodyView{Spec: request, Model: typeView{model, modelLink(model)}, Properties: s.updatable(model, schema)}
	whole := slices.MaxFunc(transcript.Examples(o.recorded, http.StatusOK), func(a, b transcript.Exchange) int {
		return cmp.Compare(len(a.Request.Body), len(b.Request.Body))
	})
	for _, media := range request.Object("content") {
		sample := indented(whole.Request.Body, media.Name)
		if last := len(view.Formats) - 1; last >= 0 && view.Formats[last].Sample == sample {
			view.Formats[last].Types += ", " + media.Name
			continue
		}
		view.Formats = append(view.Formats, format{media.Name, sample})
	}
	return view
}

// response returns the view of one of an operation's responses.
func (s site) response(o operation, m openapi.Member) responseView {
	spec, _ := s.doc.Resolve(m.Value)
	status, _ := strconv.Atoi(m.Name) // "default" would have no examples
	view := responseView{
		Status: m.Name, Reason: http.StatusText(status), Spec: spec,
		Model:   s.typeOf(firstSchema(spec)),
		Headers: s.headers(spec.Object("headers"), "Headers of status "+m.Name),
	}
	var types []string
	for _, media := range spec.Object("content") {
		types = append(types, media.Name)
	}
	view.Types = strings.Join(types, ", ")
	for _, e := range transcript.Examples(o.recorded, status) {
		if !e.Request.Verbatim() {
			e.Request.Body = "(body not shown: too long, or not text)"
		}
		e.Response.Body = indented(e.Response.Body, transcript.MediaType(e.Response.Header))
		view.Examples = append(view.Examples, e)
	}
	return view
}

// indented returns a JSON body indented, and any other body unchanged.
func indented(body, media string) string {
	value := jsontext.Value(body)
	if !strings.HasSuffix(media, "json") || value.Indent(jsontext.WithIndent("  ")) != nil {
		return body
	}
	return string(value)
}
