package portal

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"

	"kartotek/internal/web/page"
)

// guideFiles has the guides. Their names begin with a number, for the order.
//
//go:embed guides/*.md
var guideFiles embed.FS

//go:embed pages/guide.html
var guideHTML string

// guide is a page in Markdown: a title, a paragraph that summarizes it, and the rest.
type guide struct {
	Path    string
	Title   string
	Summary string
	source  []byte
}

func readGuides() (all []guide) {
	for _, name := range must(fs.Glob(guideFiles, "guides/*.md")) {
		source := must(guideFiles.ReadFile(name))
		title, rest, _ := strings.Cut(strings.TrimPrefix(string(source), "# "), "\n\n")
		summary, _, _ := strings.Cut(rest, "\n\n")
		if summary == "" {
			panic(name + ": a guide begins with a title and a summary")
		}
		_, slug, _ := strings.Cut(strings.TrimSuffix(path.Base(name), ".md"), "-") // without the number
		all = append(all, guide{
			Path:    home + "/guides/" + slug,
			Title:   title,
			Summary: strings.ReplaceAll(summary, "\n", " "),
			source:  source,
		})
	}
	return all
}

// render returns the guide's page.
func (g guide) render() []byte {
	return must(page.Render(page.Parse(guideHTML), struct {
		guide
		Body template.HTML
	}{g, g.html()}))
}

// html renders Markdown. Goldmark removes raw HTML, so all tables come from Markdown; they
// scroll in a narrow window.
func (g guide) html() template.HTML {
	markdown := goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	var b strings.Builder
	if err := markdown.Convert(g.source, &b); err != nil {
		panic(err)
	}
	const begin, end = "<table>", "</table>"
	var out strings.Builder
	for i, part := range strings.Split(b.String(), begin) {
		if i > 0 {
			fmt.Fprintf(&out, `<div class="wide" tabindex="0" role="region" aria-label="Table %d">`+begin, i)
			part = strings.Replace(part, end, end+"</div>", 1)
		}
		out.WriteString(part)
	}
	return template.HTML(strings.ReplaceAll(out.String(), "<th>", `<th scope="col">`))
}
