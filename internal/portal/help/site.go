package help

import (
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"kartotek/internal/contract"
	"kartotek/internal/contract/transcript"
	"kartotek/internal/portal/openapi"
)

// site is the data of the pages.
type site struct {
	doc      openapi.Document
	recorded map[string][]transcript.Exchange // by operation
	all      []operation
	bodies   map[string]bodyOf // by their model
}

// operation is an operation of the document.
type operation struct{ openapi.Operation }

// bodyOf is the request body of an operation.
type bodyOf struct {
	method string
	schema openapi.Object
}

func newSite(c contract.Contract) (site, error) {
	doc, err := openapi.Parse(c.Spec)
	if err != nil {
		return site{}, err
	}
	recorded, err := c.Examples()
	if err != nil {
		return site{}, err
	}
	s := site{doc: doc, recorded: recorded, bodies: map[string]bodyOf{}}
	for _, o := range doc.Operations() {
		s.all = append(s.all, operation{o})
	}
	for _, o := range s.all {
		request, _ := doc.Resolve(o.Spec.Get("requestBody"))
		if schema, _ := doc.Resolve(firstSchema(request)); schema != nil {
			s.bodies[s.modelOf(o)] = bodyOf{o.Method, schema}
		}
	}
	return s, nil
}

// modelOf returns the model of an operation's response. A request body is a part of it.
func (s site) modelOf(o operation) string {
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

// indexView is the data of the index.
type indexView struct {
	Title, Summary, Description string
	Controllers                 []controller
	Models                      linkTable
}

// controller is a group of operations.
type controller struct {
	Name, Description string
	Operations        linkTable
}

// linkTable links to pages of one kind.
type linkTable struct {
	Label, Of string
	Links     []link
}

type link struct{ Text, To, Description string }

func (s site) index() indexView {
	info := s.doc.Root.Object("info")
	view := indexView{Title: info.Text("title"), Summary: info.Text("summary"), Description: info.Text("description")}
	for _, value := range s.doc.Root.List("tags") {
		tag, _ := value.(openapi.Object)
		c := controller{Name: tag.Text("name"), Description: tag.Text("description")}
		c.Operations = linkTable{Label: "Operations of " + c.Name, Of: "API"}
		for _, o := range s.all {
			if tags := o.Spec.List("tags"); len(tags) > 0 && tags[0] == c.Name {
				c.Operations.Links = append(c.Operations.Links, link{o.title(), operationLink(o.Method, o.Path), o.Spec.Text("summary") + "."})
			}
		}
		view.Controllers = append(view.Controllers, c)
	}
	view.Models = linkTable{Label: "Models", Of: "Name"}
	for _, m := range s.schemas() {
		schema, _ := s.doc.Resolve(m.Value)
		view.Models.Links = append(view.Models.Links, link{m.Name, modelLink(m.Name), schema.Text("description")})
	}
	return view
}

func (o operation) title() string { return o.Method + " " + strings.TrimPrefix(o.Path, "/") }

func (s site) schemas() openapi.Object { return s.doc.Root.Object("components").Object("schemas") }

// modelView is the data of a model's page.
type modelView struct {
	Index, Name, Description string
	Properties               table
}

func (s site) models() map[string]any {
	pages := map[string]any{}
	for _, m := range s.schemas() {
		schema, _ := s.doc.Resolve(m.Value)
		pages[modelLink(m.Name)] = modelView{root, m.Name, schema.Text("description"), s.properties(m.Name, schema)}
	}
	return pages
}

// operationView is the data of an operation's page.
type operationView struct {
	Index, Title, Summary, Description string
	URI, Headers                       table
	Body                               *bodyView
	Result                             answerView
	Errors                             []answerView
}

// bodyView is a request body on the page.
type bodyView struct {
	Description string
	Model       typeView
	Properties  table
	Formats     []format
}

// format is a body in some media types.
type format struct{ Types, Sample string }

// answerView is a response on the page.
type answerView struct {
	Status      string
	Reason      string
	Description string
	Model       typeView
	Headers     table
	Types       string
	Examples    []example
}

// example is a recorded exchange, as text.
type example struct{ Comment, Request, Answer string }

func (s site) operations() map[string]any {
	pages := map[string]any{}
	for _, o := range s.all {
		view := operationView{
			Index: root, Title: o.title(), Summary: o.Spec.Text("summary") + ".", Description: o.Spec.Text("description"),
			URI: s.parameters(o, "URI Parameters", "path", "query"), Headers: s.parameters(o, "Header Parameters", "header"),
			Body: s.body(o),
		}
		view.Headers.Rows = append(s.credentials(), view.Headers.Rows...)
		for _, m := range o.Spec.Object("responses") {
			answer := s.answer(o, m)
			if m.Name == success {
				view.Result = answer
			} else {
				view.Errors = append(view.Errors, answer)
			}
		}
		pages[operationLink(o.Method, o.Path)] = view
	}
	return pages
}

func (s site) body(o operation) *bodyView {
	request, _ := s.doc.Resolve(o.Spec.Get("requestBody"))
	if request == nil {
		return nil
	}
	model := s.modelOf(o)
	schema, _ := s.doc.Resolve(s.schemas().Get(model))
	view := &bodyView{
		Description: request.Text("description"),
		Model:       typeView{model, modelLink(model)},
		Properties:  s.updatable(model, schema),
	}
	for _, media := range request.Object("content") {
		sample := s.sample(o, media.Name)
		if last := len(view.Formats) - 1; last >= 0 && view.Formats[last].Sample == sample {
			view.Formats[last].Types += ", " + media.Name
			continue
		}
		view.Formats = append(view.Formats, format{media.Name, sample})
	}
	return view
}

// sample returns the body of a recorded request, indented for the media type.
func (s site) sample(o operation, media string) string {
	shown := transcript.Examples(s.recorded[o.Spec.Text("operationId")], http.StatusOK)
	if len(shown) == 0 {
		return ""
	}
	return indented(shown[0].Request.Body, media)
}

// answer returns the view of one of an operation's responses.
func (s site) answer(o operation, m openapi.Member) answerView {
	response, _ := s.doc.Resolve(m.Value)
	status, _ := strconv.Atoi(m.Name) // "default" would have no examples
	view := answerView{
		Status: m.Name, Reason: http.StatusText(status), Description: response.Text("description"),
		Model:   s.typeOf(firstSchema(response)),
		Headers: s.headers(response.Object("headers"), "Headers of status "+m.Name),
	}
	var types []string
	for _, media := range response.Object("content") {
		types = append(types, media.Name)
	}
	view.Types = strings.Join(types, ", ")
	for _, e := range transcript.Examples(s.recorded[o.Spec.Text("operationId")], status) {
		view.Examples = append(view.Examples, told(e))
	}
	return view
}

func told(e transcript.Exchange) example {
	body := e.Request.Body
	if !e.Request.Verbatim() {
		body = "(a body that is too long, or too odd, to be shown)"
	}
	status := fmt.Sprint(e.Response.Status, " ", http.StatusText(e.Response.Status))
	return example{
		Comment: e.Comment,
		Request: message(e.Request.Method+" "+e.Request.Target, e.Request.Header, body),
		Answer:  message(status, e.Response.Header, indented(e.Response.Body, mediaType(e.Response.Header))),
	}
}

func message(first string, header []transcript.Header, body string) string {
	var out strings.Builder
	out.WriteString(first)
	for _, h := range header {
		fmt.Fprintf(&out, "\n%s: %s", h.Name, h.Value)
	}
	if body != "" {
		out.WriteString("\n\n" + body)
	}
	return out.String()
}

func mediaType(header []transcript.Header) string {
	for _, h := range header {
		if h.Name == "Content-Type" {
			media, _, _ := mime.ParseMediaType(h.Value) // transcripts also send invalid types
			return media
		}
	}
	return ""
}

// indented returns a JSON body indented, and any other body unchanged.
func indented(body, media string) string {
	value := jsontext.Value(body)
	if !strings.HasSuffix(media, "json") || value.Indent(jsontext.WithIndent("  ")) != nil {
		return body
	}
	return string(value)
}
