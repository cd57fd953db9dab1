// Package help renders the help pages of contract elw in the form of ASP.NET's: an index by
// controller, a page for each operation and one for each model. Their content comes from a
// contract's OpenAPI document and its transcripts.
//
// Start with help.go for the paths, site.go for the pages, schema.go for the tables of a
// schema.
package help

import (
	"embed"
	"html/template"
	"net/url"
	"strings"

	"kartotek/internal/contract"
	"kartotek/internal/web/page"
)

// Root is the path of the index.
const Root = "/Help"

const modelRoot = Root + "/ResourceModel"

// Key returns the key of the page for a URL, in any case, with or without a trailing slash.
func Key(u *url.URL) string {
	at := key(strings.TrimSuffix(u.Path, "/"))
	if at != key(modelRoot) {
		return at
	}
	query, _ := url.ParseQuery(key(u.RawQuery)) // an invalid query names no model
	return key(modelLink(query.Get("modelname")))
}

// key returns the normal form of a link.
func key(link string) string { return strings.ToLower(link) }

func modelLink(name string) string { return modelRoot + "?modelName=" + url.QueryEscape(name) }

// Pages renders the pages of a contract, by their keys. It panics if the contract's
// embedded files are malformed.
func Pages(c contract.Contract) map[string][]byte {
	all := map[string][]byte{}
	add := func(link string, t *template.Template, view any) { all[key(link)] = must(page.Render(t, view)) }
	index, operation, model := parse("index.html"), parse("operation.html"), parse("model.html")
	s := newSite(c)
	add(Root, index, s)
	for _, o := range s.operations {
		add(o.Link(), operation, s.operationView(o))
	}
	for _, m := range s.schemas() {
		schema, _ := s.doc.Resolve(m.Value)
		add(modelLink(m.Name), model, modelView{m.Name, schema, s.properties(m.Name, schema)})
	}
	return all
}

//go:embed pages
var files embed.FS

// parse parses the template of a kind of page.
func parse(name string) *template.Template {
	parts := must(files.ReadFile("pages/parts.html"))
	return page.Parse(string(parts) + string(must(files.ReadFile("pages/"+name))))
}

// must panics if something embedded is malformed.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
