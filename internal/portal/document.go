package portal

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"kartotek/internal/contract"
	"kartotek/internal/contract/transcript"
	"kartotek/internal/portal/openapi"
	"kartotek/internal/portal/samples"
)

// document is a contract's OpenAPI document with the recorded examples of its operations.
type document struct {
	Contract   contract.Contract
	Operations []operation
	spec       openapi.Document
}

// Info returns a text about the document, such as its title.
func (d document) Info(name string) string { return d.spec.Root.Object("info").Text(name) }

// operation is an operation of a document.
type operation struct {
	openapi.Operation
	examples []example
}

const recordedName = "recorded-" // and a number: the name of an example

// example is a recorded exchange in the documentation. Its request and its response have
// the same name in the document.
type example struct {
	name string
	transcript.Exchange
}

// readDocument reads a contract's spec.yaml and transcripts. They are large, so callers
// keep only what they derive from them.
func readDocument(c contract.Contract) document {
	d := document{Contract: c, spec: must(openapi.Parse(c.Spec))}
	recorded := must(c.Examples())
	for _, op := range d.spec.Operations() {
		examples := examplesOf(op.Spec, recorded[op.Spec.Text("operationId")])
		d.Operations = append(d.Operations, operation{op, examples})
	}
	return d
}

// examplesOf returns the examples of an operation by status, those in the operation's
// first media type first.
func examplesOf(operation openapi.Object, recorded []transcript.Exchange) (all []example) {
	types := operation.Object("requestBody").Object("content")
	rank := func(e transcript.Exchange) int {
		i := slices.IndexFunc(types, func(m openapi.Member) bool { return m.Name == transcript.MediaType(e.Request.Header) })
		return cmp.Or(i+1, len(types)+1) // other media types come last
	}
	recorded = slices.Clone(recorded)
	slices.SortStableFunc(recorded, func(a, b transcript.Exchange) int { return cmp.Compare(rank(a), rank(b)) })
	for _, m := range operation.Object("responses") {
		status, err := strconv.Atoi(m.Name)
		if err != nil {
			continue // "default" and "4XX" match several
		}
		for _, e := range transcript.Examples(recorded, status) {
			all = append(all, example{recordedName + strconv.Itoa(len(all)+1), readable(e)})
		}
	}
	return all
}

// scheme returns the security scheme of the document. Each contract has exactly one.
func (d document) scheme() (name string, scheme openapi.Object) {
	for _, m := range d.spec.Root.Object("components").Object("securitySchemes") {
		scheme, _ = d.spec.Resolve(m.Value)
		return m.Name, scheme
	}
	return "", nil
}

// credential is the kind of credential in the Authorization header.
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

// enriched returns the document with examples and code samples. Each operation has its
// own copy of its responses, with its own examples.
func (d document) enriched() openapi.Object {
	paths := d.spec.Root.Object("paths")
	for _, op := range d.Operations {
		item := paths.Object(op.Path)
		item.Set(strings.ToLower(op.Method), op.enriched(d))
	}
	d.spec.Root.Set("servers", openapi.List{openapi.Object{{Name: "url", Value: base}}})
	components := slices.DeleteFunc(d.spec.Root.Object("components"), func(m openapi.Member) bool { return m.Name == "responses" })
	d.spec.Root.Set("components", components)
	return d.spec.Root
}

func (op operation) enriched(d document) openapi.Object {
	var responses openapi.Object
	for _, m := range op.Spec.Object("responses") {
		response, _ := d.spec.Resolve(m.Value)
		for _, e := range op.examples {
			if strconv.Itoa(e.Response.Status) == m.Name {
				response = withExample(response, e, e.Response.Header, e.Response.Body)
			}
		}
		responses.Set(m.Name, response)
	}
	whole := slices.Clone(op.Spec)
	whole.Set("responses", responses)
	if body := op.Spec.Object("requestBody"); body != nil {
		for _, e := range op.accepted() {
			body = withExample(body, e, e.Request.Header, e.Request.Body)
		}
		whole.Set("requestBody", body)
	}
	var list openapi.List
	for _, s := range samples.All(sampleOf(op.typical(), d.credential())) {
		list = append(list, openapi.Object{{Name: "lang", Value: s.Lang}, {Name: "label", Value: s.Label}, {Name: "source", Value: s.Source}})
	}
	whole.Set("x-codeSamples", list)
	return whole
}

// accepted returns the examples with a successful response.
func (op operation) accepted() []example {
	return slices.DeleteFunc(slices.Clone(op.examples), func(e example) bool { return e.Response.Status >= 300 })
}

// typical returns the simplest successful request: the first one with the fewest headers.
// It panics if there is none; each operation needs a transcript of one.
func (op operation) typical() transcript.Request {
	return slices.MinFunc(op.accepted(), func(a, b example) int {
		return cmp.Compare(len(a.Request.Header), len(b.Request.Header))
	}).Request
}

// placeholders are the transcripts' names of values that differ in each run, and values to show.
var placeholders = strings.NewReplacer("$secret", "kart_Ab3dE6gH_…", "$id", "key_Ab3dE6gH", "$page", "Zm9vYmFy",
	"$ase", "acc_Ab3dE6gH9jK2mN5p", "$robot", "acc_Qr8sT1uV4wX7yZ0a")

// readable returns the exchange with sample values in place of the transcript's placeholders.
func readable(e transcript.Exchange) transcript.Exchange {
	e.Request.Target = placeholders.Replace(e.Request.Target)
	e.Request.Body = placeholders.Replace(e.Request.Body)
	e.Response.Body = placeholders.Replace(e.Response.Body)
	e.Response.Header = slices.Clone(e.Response.Header)
	for i, h := range e.Response.Header {
		e.Response.Header[i].Value = placeholders.Replace(h.Value)
	}
	return e
}

// sampleOf returns a recorded request as a client would send it.
func sampleOf(r transcript.Request, credential samples.Credential) samples.Request {
	s := samples.Request{Method: r.Method, URL: base + r.Target, Body: r.Body, Credential: credential}
	for _, h := range ownHeader(r) {
		s.Headers = append(s.Headers, samples.Header(h))
	}
	return s
}

// ownHeader returns the headers of a request without its credential.
func ownHeader(r transcript.Request) []transcript.Header {
	return slices.DeleteFunc(slices.Clone(r.Header), func(h transcript.Header) bool {
		return h.Name == "Authorization" || h.Name == "X-Request-Id"
	})
}

// withExample returns a copy of the body of a request or response with the example, if
// its media type is documented. The first example replaces the one of spec.yaml.
func withExample(o openapi.Object, e example, header []transcript.Header, body string) openapi.Object {
	types := slices.Clone(o.Object("content"))
	media := slices.Clone(types.Object(transcript.MediaType(header)))
	value := jsontext.Value(body)
	if media == nil || !value.IsValid() {
		return o
	}
	examples := slices.DeleteFunc(slices.Clone(media.Object("examples")), func(m openapi.Member) bool {
		return !strings.HasPrefix(m.Name, recordedName)
	})
	examples.Set(e.name, openapi.Object{
		{Name: "summary", Value: cmp.Or(e.Comment, "As recorded")},
		{Name: "value", Value: value},
	})
	media = slices.DeleteFunc(media, func(m openapi.Member) bool { return m.Name == "example" })
	media.Set("examples", examples)
	types.Set(transcript.MediaType(header), media)
	changed := slices.Clone(o)
	changed.Set("content", types)
	return changed
}
