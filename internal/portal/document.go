package portal

import (
	"cmp"
	"fmt"
	"mime"
	"slices"
	"strconv"
	"strings"

	"kartotek/internal/contract"
	"kartotek/internal/contract/transcript"
	"kartotek/internal/portal/openapi"
	"kartotek/internal/portal/samples"
)

// base is the server that code samples and collections name: the one that "make run"
// starts. The reference in a browser puts its own in the place of it.
const base = "http://127.0.0.1:8080"

// document is a contract's OpenAPI document, and what was recorded of its operations.
type document struct {
	openapi.Document
	operations []operation
}

// operation is one of a document.
type operation struct {
	Method, Path string
	node         openapi.Object
	exchanges    []transcript.Exchange // that asked for it
}

// readDocument reads a contract's spec.yaml and transcripts. They are large: callers
// keep what they make of them, and read them again for something else.
func readDocument(c contract.Contract) (document, error) {
	parsed, err := openapi.Parse(c.Spec)
	if err != nil {
		return document{}, fmt.Errorf("contract %s: spec.yaml: %w", c.Name, err)
	}
	recorded, err := c.Recorded()
	if err != nil {
		return document{}, fmt.Errorf("contract %s: %w", c.Name, err)
	}
	d := document{Document: parsed}
	for _, path := range parsed.Root.Object("paths") {
		item, _ := path.Value.(openapi.Object)
		for _, m := range item {
			if op, ok := m.Value.(openapi.Object); ok {
				exchanges := recorded[op.Text("operationId")]
				d.operations = append(d.operations, operation{strings.ToUpper(m.Name), path.Name, op, exchanges})
			}
		}
	}
	return d, nil
}

// scheme is how callers of the document's operations authenticate: each contract has
// one way.
func (d document) scheme() (name string, scheme openapi.Object) {
	for _, m := range d.Root.Object("components").Object("securitySchemes") {
		scheme, _ = d.Resolve(m.Value)
		return m.Name, scheme
	}
	return "", nil
}

// credential is what requests carry in Authorization.
func (d document) credential() samples.Credential {
	switch _, scheme := d.scheme(); scheme.Text("type") + " " + scheme.Text("scheme") {
	case "apiKey ":
		return samples.Token
	case "http basic":
		return samples.Basic
	case "http bearer":
		return samples.Bearer
	}
	return samples.None
}

// enriched is the document with what the transcripts show, and how to ask for it. The
// answers of each operation stand there in full, with its own examples.
func (d document) enriched() (openapi.Object, error) {
	paths := d.Root.Object("paths")
	for _, op := range d.operations {
		whole, err := op.enriched(d)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", op.Method, op.Path, err)
		}
		item := paths.Object(op.Path)
		item.Set(strings.ToLower(op.Method), whole)
	}
	components := slices.DeleteFunc(d.Root.Object("components"), func(m openapi.Member) bool { return m.Name == "responses" })
	d.Root.Set("components", components)
	return d.Root, nil
}

func (op operation) enriched(d document) (openapi.Object, error) {
	var answers openapi.Object
	for _, m := range op.node.Object("responses") {
		answer, _ := d.Resolve(m.Value)
		for _, e := range op.shown(m.Name) {
			e = readable(e)
			answer = withExample(answer, e.Answer.Header, e.Answer.Body, e.Comment)
		}
		answers.Set(m.Name, answer)
	}
	whole := slices.Clone(op.node)
	whole.Set("responses", answers)
	if body := op.node.Object("requestBody"); body != nil {
		for _, e := range op.accepted() {
			body = withExample(body, e.Request.Header, e.Request.Body, e.Comment)
		}
		whole.Set("requestBody", body)
	}
	typical, ok := op.typical()
	if !ok {
		return nil, fmt.Errorf("no transcript shows how to ask for it")
	}
	var list openapi.List
	for _, s := range samples.All(sampleOf(typical, d.credential())) {
		list = append(list, openapi.Object{{Name: "lang", Value: s.Lang}, {Name: "label", Value: s.Label}, {Name: "source", Value: s.Source}})
	}
	whole.Set("x-codeSamples", list)
	return whole, nil
}

// typical is the plainest request that is accepted: one of the first of the media types
// that the operation takes, with the fewest headers.
func (op operation) typical() (best transcript.Request, found bool) {
	want := ""
	for _, m := range op.node.Object("requestBody").Object("content") {
		want = m.Name
		break
	}
	for _, e := range op.accepted() {
		suits := e.Request.Body == "" || mediaType(e.Request.Header) == want
		if suits && (!found || len(e.Request.Header) < len(best.Header)) {
			best, found = e.Request, true
		}
	}
	return best, found
}

// accepted are the shown exchanges that end well.
func (op operation) accepted() (all []transcript.Exchange) {
	for _, m := range op.node.Object("responses") {
		if strings.HasPrefix(m.Name, "2") {
			for _, e := range op.shown(m.Name) {
				all = append(all, readable(e))
			}
		}
	}
	return all
}

// shown are the exchanges with this status for readers.
func (op operation) shown(status string) []transcript.Exchange {
	code, err := strconv.Atoi(status)
	if err != nil {
		return nil // "default" and "4XX" stand for many
	}
	return transcript.Shown(op.exchanges, code)
}

// readable is an exchange with texts in the place of the names that stand for those which
// are other each time.
func readable(e transcript.Exchange) transcript.Exchange {
	texts := strings.NewReplacer("$secret", "kart_Ab3dE6gH_…", "$id", "Ab3dE6gH", "$page", "Zm9vYmFy")
	e.Request.Target = texts.Replace(e.Request.Target)
	e.Request.Body = texts.Replace(e.Request.Body)
	e.Answer.Body = texts.Replace(e.Answer.Body)
	return e
}

// sampleOf is a recorded request as a reader would send it.
func sampleOf(r transcript.Request, credential samples.Credential) samples.Request {
	s := samples.Request{Method: r.Method, URL: base + r.Target, Body: r.Body, Credential: credential}
	for _, h := range ownHeader(r) {
		s.Headers = append(s.Headers, samples.Header(h))
	}
	return s
}

// ownHeader is what a request says of itself, beside who sends it.
func ownHeader(r transcript.Request) []transcript.Header {
	return slices.DeleteFunc(slices.Clone(r.Header), func(h transcript.Header) bool {
		return h.Name == "Authorization" || h.Name == "X-Request-Id"
	})
}

const exampleName = "recorded-" // and a number

// withExample is a request's or an answer's body that has one more recorded example,
// when its media type is among those that are described. The first takes the place of
// what the document made up. Operations share what o is made of: it stays as it is.
func withExample(o openapi.Object, header []transcript.Header, body, comment string) openapi.Object {
	name := mediaType(header)
	media := slices.Clone(o.Object("content").Object(name))
	value, err := openapi.FromJSON([]byte(body))
	if media == nil || err != nil {
		return o
	}
	examples := slices.Clone(media.Object("examples"))
	if len(examples) == 0 || !strings.HasPrefix(examples[0].Name, exampleName) {
		media = slices.DeleteFunc(media, func(m openapi.Member) bool { return m.Name == "example" })
		examples = nil
	}
	examples.Set(exampleName+strconv.Itoa(len(examples)+1), openapi.Object{
		{Name: "summary", Value: cmp.Or(comment, "As recorded")},
		{Name: "value", Value: value},
	})
	media.Set("examples", examples)
	types := slices.Clone(o.Object("content"))
	types.Set(name, media)
	changed := slices.Clone(o)
	changed.Set("content", types)
	return changed
}

func mediaType(header []transcript.Header) string {
	for _, h := range header {
		if h.Name == "Content-Type" {
			name, _, _ := mime.ParseMediaType(h.Value) // empty when it is none
			return name
		}
	}
	return ""
}
