// Package samples writes an HTTP request as a program in each language of the published
// lochting page. It knows nothing about the contracts.
//
// Start with samples.go; templates has the programs, and quote.go encodes text for them.
// docs/samples.md lists how the samples are tested.
package samples

import (
	"embed"
	"strings"
	"sync"
	"text/template"
)

// Request is the request that a sample sends.
type Request struct {
	Method     string
	URL        string   // whole: "http://127.0.0.1:8080/api/customers/42"
	Headers    []Header // with Content-Type, without Authorization
	Body       string   // JSON; empty for no body
	Credential Credential
}

// Header is one header of a request.
type Header struct{ Name, Value string }

// Credential is how a request authenticates. Samples read it from the environment, to
// keep secrets out of programs.
type Credential int

// The credentials and their environment variables.
const (
	None   Credential = iota
	Basic             // KARTOTEK_LOGIN and KARTOTEK_PASSWORD
	Token             // Authorization is KARTOTEK_TOKEN as it is (contract lochting)
	Bearer            // Authorization is "Bearer " and KARTOTEK_KEY (contract native)
)

// Sample is a request in one language: a complete program that prints the body of the
// response and exits with a status other than 0 on an error.
type Sample struct {
	Lang   string // as OpenAPI documents' x-codeSamples name it: "csharp"
	Label  string // for readers: "C# · HttpClient"
	Source string
}

// languages are the languages of the lochting page, in its order.
var languages = []struct{ lang, label, template string }{
	{"csharp", "C# · HttpClient", "csharp-httpclient.tmpl"},
	{"csharp", "C# · RestSharp", "csharp-restsharp.tmpl"},
	{"curl", "curl", "curl.tmpl"},
	{"dart", "Dart · http", "dart.tmpl"},
	{"go", "Go", "go.tmpl"},
	{"http", "HTTP", "http.tmpl"},
	{"java", "Java", "java.tmpl"},
	{"javascript", "JavaScript · fetch", "javascript.tmpl"},
	{"kotlin", "Kotlin", "kotlin.tmpl"},
	{"c", "C · libcurl", "c.tmpl"},
	{"nodejs", "Node.js", "nodejs.tmpl"},
	{"objective-c", "Objective-C", "objective-c.tmpl"},
	{"ocaml", "OCaml · Cohttp", "ocaml.tmpl"},
	{"php", "PHP · cURL", "php.tmpl"},
	{"powershell", "PowerShell", "powershell.tmpl"},
	{"python", "Python · requests", "python.tmpl"},
	{"r", "R · httr2", "r.tmpl"},
	{"ruby", "Ruby", "ruby.tmpl"},
	{"rust", "Rust · reqwest", "rust.tmpl"},
	{"shell", "Shell · wget", "shell.tmpl"},
	{"swift", "Swift", "swift.tmpl"},
}

//go:embed templates
var files embed.FS

// templates are parsed at the first use.
var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(functions).ParseFS(files, "templates/*.tmpl"))
})

// All returns the request in every language, in the order of the page. It panics if the
// body is not JSON.
func All(r Request) []Sample {
	seen := newView(r)
	all := make([]Sample, 0, len(languages))
	for _, l := range languages {
		var source strings.Builder
		if err := templates().ExecuteTemplate(&source, l.template, seen); err != nil {
			panic(err)
		}
		all = append(all, Sample{l.lang, l.label, source.String()})
	}
	return all
}

// view is the data of the templates.
type view struct {
	Request            // has a Content-Type if and only if it has a body
	ContentType string // the value of that header
	Others      []Header
}

func newView(r Request) view {
	v := view{Request: r}
	if r.Body != "" {
		v.ContentType = "application/json"
	}
	for _, h := range r.Headers {
		if !strings.EqualFold(h.Name, "Content-Type") {
			v.Others = append(v.Others, h)
		} else if r.Body != "" {
			v.ContentType = h.Value
		}
	}
	v.Headers = v.Others
	if r.Body != "" {
		v.Headers = append([]Header{{"Content-Type", v.ContentType}}, v.Others...)
	}
	return v
}

func (v view) Basic() bool  { return v.Credential == Basic }
func (v view) Token() bool  { return v.Credential == Token }
func (v view) Bearer() bool { return v.Credential == Bearer }
