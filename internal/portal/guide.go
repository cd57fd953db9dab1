package portal

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"kartotek/internal/web/page"
)

// guideFiles has the guides. Their names begin with a number, for the order. Their commands are for
// the demo.
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
	body    []byte // the source after the summary
}

// guides returns the guides, on a server that is not a demo without its credentials.
func (s Settings) guides() (all []guide) {
	for _, name := range must(fs.Glob(guideFiles, "guides/*.md")) {
		source := string(must(guideFiles.ReadFile(name)))
		if s.Demo.Credentials == (Credentials{}) {
			source = withoutDemo(source)
		}
		title, rest, _ := strings.Cut(strings.TrimPrefix(source, "# "), "\n\n")
		summary, body, _ := strings.Cut(rest, "\n\n")
		if body == "" {
			panic(name + ": a guide begins with a title and a summary")
		}
		_, slug, _ := strings.Cut(strings.TrimSuffix(path.Base(name), ".md"), "-") // without the number
		all = append(all, guide{
			Path:    home + "/guides/" + slug,
			Title:   title,
			Summary: strings.ReplaceAll(summary, "\n", " "),
			source:  []byte(source),
			body:    []byte(body),
		})
	}
	return all
}

var (
	demoAccount = regexp.MustCompile(`-u \S+`)
	demoKey     = regexp.MustCompile(`(?m)^KEY=.*$`)
)

// withoutDemo replaces the demo's credentials in a guide, and adds what else to replace.
func withoutDemo(source string) string {
	replaced := demoAccount.ReplaceAllString(source, "-u LOGIN:PASSWORD")
	replaced = demoKey.ReplaceAllString(replaced, "KEY=YOUR-KEY")
	if replaced == source {
		return source // its commands are not for the demo
	}
	return strings.Replace(replaced, "\n## ", "\n> The commands are for the demo, `kartotek demo`. On this server, put in your own login, password\n"+
		"> and key, and the number and id of a customer that you may change.\n\n## ", 1)
}

// guidePage returns the page of the guide with an index, with links to those before and after it.
func guidePage(guides []guide, i int) []byte {
	body, sections := guides[i].html()
	about := struct {
		guide
		Sections       []section
		Body           template.HTML
		Previous, Next *guide
	}{guide: guides[i], Sections: sections, Body: body}
	if i > 0 {
		about.Previous = &guides[i-1]
	}
	if i+1 < len(guides) {
		about.Next = &guides[i+1]
	}
	return must(page.Render(page.Parse(guideHTML), about))
}

// section is an entry of a guide's table of contents.
type section struct{ ID, Title string }

// html renders the body of the guide. Goldmark removes raw HTML, so all elements come from Markdown.
func (g guide) html() (template.HTML, []section) {
	markdown := goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	document := markdown.Parser().Parse(text.NewReader(g.body))
	var sections []section
	for n := document.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok && h.Level == 2 {
			id, _ := h.AttributeString("id")
			sections = append(sections, section{fmt.Sprintf("%s", id), string(h.Lines().Value(g.body))})
		}
	}
	var b strings.Builder
	if err := markdown.Renderer().Render(&b, g.body, document); err != nil {
		panic(err)
	}
	return template.HTML(finished(b.String())), sections
}

// finished returns rendered Markdown with tables that scroll in a narrow window, and with commands
// and their output marked.
func finished(html string) string {
	const begin, end = "<table>", "</table>"
	var out strings.Builder
	for i, part := range strings.Split(html, begin) {
		if i > 0 {
			fmt.Fprintf(&out, `<div class="wide" tabindex="0" role="region" aria-label="Table %d">`+begin, i)
			part = strings.Replace(part, end, end+"</div>", 1)
		}
		out.WriteString(part)
	}
	return strings.NewReplacer(
		"<th>", `<th scope="col">`,
		`<pre><code class="language-sh`, `<pre class="command"><code class="language-sh`,
		`<pre><code class="language-`, `<pre class="output"><code class="language-`,
	).Replace(out.String())
}
