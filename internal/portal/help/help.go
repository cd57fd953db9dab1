// Package help serves the help pages of contract elw in the form of ASP.NET's: an index by
// controller, a page for each operation and one for each model. Their content comes from a
// contract's OpenAPI document and its transcripts.
//
// Start with help.go for the paths, site.go for the pages, schema.go for the tables of a
// schema.
package help

import (
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"kartotek/internal/contract"
	"kartotek/internal/fault"
	"kartotek/internal/web"
	"kartotek/internal/web/page"
)

const (
	root      = "/Help"
	modelRoot = root + "/ResourceModel"
)

// Mount returns the help pages of a contract. They are rendered at the first request.
func Mount(c contract.Contract) web.Mount {
	pages := sync.OnceValues(func() (map[string][]byte, error) { return render(c) })
	send := web.Handle(func(w http.ResponseWriter, r *http.Request) error {
		if !web.AllowReadOnly(w, r) {
			return fault.New(fault.MethodNotAllowed, "help can be read, and no more")
		}
		all, err := pages()
		if err != nil {
			return fmt.Errorf("make the help pages: %w", err)
		}
		body, known := all[address(r.URL)]
		if !known {
			return fault.New(fault.RouteNotFound, "no such help page")
		}
		return page.Send(w, r, http.StatusOK, body)
	}, fail)
	return web.Mount{Prefix: root, FoldCase: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.SetOperation(r, c.Name, "help")
		send.ServeHTTP(w, r)
	})}
}

// address returns the key of the page for a URL, in any case, with or without a trailing
// slash.
func address(u *url.URL) string {
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

// operationLink joins method and path: PATCH-api-customers-customerId.
func operationLink(method, path string) string {
	return root + "/Api/" + method + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path)
}

//go:embed pages
var files embed.FS

// parse parses the template of a kind of page.
func parse(name string) (*template.Template, error) {
	var text strings.Builder
	for _, file := range []string{"parts.html", name} {
		b, err := files.ReadFile("pages/" + file)
		if err != nil {
			return nil, err
		}
		text.Write(b)
	}
	return page.Parse(text.String()), nil
}

// render returns all pages by the key of their links.
func render(c contract.Contract) (map[string][]byte, error) {
	s, err := newSite(c)
	if err != nil {
		return nil, err
	}
	all := map[string][]byte{}
	for name, views := range map[string]map[string]any{
		"index.html":     {root: s.index()},
		"operation.html": s.operations(),
		"model.html":     s.models(),
	} {
		t, err := parse(name)
		if err != nil {
			return nil, err
		}
		for link, view := range views {
			if all[key(link)], err = page.Render(t, view); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

//go:embed pages/refusal.html
var refusalHTML string

var refusalPage = page.Parse(refusalHTML)

// refusal is the data of an error page.
type refusal struct {
	Title, Text, Index string
}

func fail(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
	status, about := http.StatusInternalServerError, refusal{"An error has occurred", "This page cannot be shown now.", root}
	switch f.Kind {
	case fault.RouteNotFound:
		status, about = http.StatusNotFound, refusal{"There is no such page", "The help has nothing at this address.", root}
	case fault.MethodNotAllowed:
		status, about = http.StatusMethodNotAllowed, refusal{"Help can be read, and no more", "Ask for a page with GET or HEAD.", root}
	}
	body, _ := page.Render(refusalPage, about) // cannot fail with strings
	_ = page.Send(w, r, status, body)          // fails only if the client has disconnected
}
