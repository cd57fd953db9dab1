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

// faultPages are parsed when the first error page is needed.
var faultPages = sync.OnceValue(func() *template.Template { return page.Parse(faultHTML) })

// summary is a contract in the list of contracts.
type summary struct {
	Name, Title, Summary string
	Operations           []operationSummary
}

type operationSummary struct {
	Method, Path, Summary string
	Anchor                string // in the reference: Scalar's slug of the tag, as in ui/src/reference.ts
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

// contents lists the contracts and guides.
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

// index returns the page /docs.
func (s Settings) index(guides []guide) ([]byte, error) {
	all, err := s.contents(guides)
	if err != nil {
		return nil, err
	}
	return page.Render(page.Parse(indexHTML), all)
}

// llms returns llms.txt, in the format of https://llmstxt.org.
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

// fail responds with an error page that links to the documentation.
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
	_ = page.Send(w, r, status, body) // fails only if the client has disconnected
}
