package portal

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"strings"
	"sync"
	text "text/template"

	"kartotek/internal/contract"
	"kartotek/internal/fault"
	"kartotek/internal/web/page"
)

//go:embed pages/index.html
var indexHTML string

//go:embed pages/llms.txt
var llmsText string

//go:embed pages/fault.html
var faultHTML string

// faultPages are parsed when the first fault is told.
var faultPages = sync.OnceValue(func() *template.Template { return page.Parse(faultHTML) })

// summary is a contract in a list.
type summary struct {
	Name, Title, Summary string
	Operations           []operationSummary
}

type operationSummary struct {
	Method, Path, Summary string
	Anchor                string // in the reference: Scalar's word for the tag, and what ui/src/reference.ts says
}

func (d document) summary(c contract.Contract) summary {
	info := d.Root.Object("info")
	s := summary{Name: c.Name, Title: info.Text("title"), Summary: info.Text("summary")}
	for _, op := range d.operations {
		anchor := "tag/" + strings.ToLower(op.tag()) + "/" + op.Spec.Text("operationId")
		s.Operations = append(s.Operations, operationSummary{op.Method, op.Path, op.Spec.Text("summary"), anchor})
	}
	return s
}

// contents is all that there is to read.
type contents struct {
	Contracts []summary
	Guides    []guide
}

func (s Settings) contents(guides []guide) (contents, error) {
	all := contents{Guides: guides}
	for _, c := range s.Contracts {
		d, err := readDocument(c)
		if err != nil {
			return contents{}, err
		}
		all.Contracts = append(all.Contracts, d.summary(c))
	}
	return all, nil
}

// index lists it for people.
func (s Settings) index(guides []guide) ([]byte, error) {
	all, err := s.contents(guides)
	if err != nil {
		return nil, err
	}
	return page.Render(page.Parse(indexHTML), all)
}

// llms lists it for programs that read, as https://llmstxt.org has it.
func (s Settings) llms(guides []guide) ([]byte, error) {
	all, err := s.contents(guides)
	if err != nil {
		return nil, err
	}
	t, err := text.New("llms").Parse(llmsText)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, all)
	return b.Bytes(), err
}

// fail answers with a page that says what there is instead.
func fail(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
	status, title := http.StatusInternalServerError, "The page cannot be shown"
	switch f.Kind {
	case fault.RouteNotFound:
		status, title = http.StatusNotFound, "There is no such page"
	case fault.MethodNotAllowed:
		status, title = http.StatusMethodNotAllowed, "Pages can only be read"
	}
	body, err := page.Render(faultPages(), title)
	if err != nil {
		body = []byte(title)
	}
	_ = page.Send(w, r, status, body) // the caller is gone if this fails
}
