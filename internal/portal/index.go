package portal

import (
	_ "embed"
	"strings"
	text "text/template"

	"kartotek/internal/web/page"
)

//go:embed pages/start.html
var startHTML string

//go:embed pages/index.html
var indexHTML string

//go:embed pages/llms.txt
var llmsText string

// Anchor returns the operation's place in the reference: Scalar's slug of the tag, as in
// ui/src/reference.ts.
func (op operation) Anchor() string {
	return "tag/" + strings.ToLower(op.tag()) + "/" + op.Spec.Text("operationId")
}

// contents is the data of the lists.
type contents struct {
	Documents []document
	Guides    []guide
}

func (s Settings) contents(guides []guide) contents {
	all := contents{Guides: guides}
	for _, c := range s.Contracts {
		all.Documents = append(all.Documents, readDocument(c))
	}
	return all
}

// start returns the page /.
func (s Settings) start() []byte {
	about := struct {
		Settings
		Commands []Command
	}{Settings: s}
	if s.Demo.Commands != nil {
		about.Commands = s.Demo.Commands(base)
	}
	return must(page.Render(page.Parse(startHTML), about))
}

// index returns the page /docs.
func (s Settings) index(guides []guide) []byte {
	return must(page.Render(page.Parse(indexHTML), s.contents(guides)))
}

// llms returns llms.txt, in the format of https://llmstxt.org.
func (s Settings) llms(guides []guide) []byte {
	var b strings.Builder
	if err := text.Must(text.New("llms").Parse(llmsText)).Execute(&b, s.contents(guides)); err != nil {
		panic(err)
	}
	return []byte(b.String())
}
