// Package page renders and sends Kartotek's own HTML pages: one layout with an inline style, so
// that a browser needs no further request. It does not know the content of the pages.
package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"

	"kartotek/internal/web"
)

//go:embed layout.html
var layout string

//go:embed style.css
var style string

// copyScript adds a button to each command, which copies it.
//
//go:embed copy.js
var copyScript string

// policy allows the inline style and script and data images, and nothing else.
var policy = "default-src 'none'; style-src '" + hash(style) + "'; script-src '" + hash(copyScript) + "'; img-src data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// hash is the source expression of an inline text in a Content-Security-Policy.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Parse parses the templates of a kind of page, and panics when they are malformed. They define
// "title" and "main", and may define "trail", a nav of links to the parent pages, and "script"; the
// template "copy" is a script that adds a button to each pre of class command, which copies its text.
// The template function prose formats a description: paragraphs, and code between backticks.
func Parse(text string) *template.Template {
	functions := template.FuncMap{
		"style":      func() template.CSS { return template.CSS(style) },
		"copyScript": func() template.JS { return template.JS(copyScript) },
		"prose":      prose,
	}
	return template.Must(template.Must(template.New("page").Funcs(functions).Parse(layout)).Parse(text))
}

func prose(text string) template.HTML {
	var out strings.Builder
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		out.WriteString("<p>")
		for i, part := range strings.Split(paragraph, "`") {
			if i%2 == 1 {
				out.WriteString("<code>" + template.HTMLEscapeString(part) + "</code>")
			} else {
				out.WriteString(template.HTMLEscapeString(part))
			}
		}
		out.WriteString("</p>\n")
	}
	return template.HTML(out.String())
}

// Render executes a template from Parse with data.
func Render(t *template.Template, data any) ([]byte, error) {
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Send responds with a rendered page. Browsers cache a page with status 200 for five minutes, then
// revalidate it.
func Send(w http.ResponseWriter, r *http.Request, status int, body []byte) error {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	if status != http.StatusOK {
		h.Set("Cache-Control", "no-store")
	} else {
		sum := sha256.Sum256(body)
		tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
		h.Set("ETag", tag)
		h.Set("Cache-Control", "max-age=300")
		if web.NotModified(r, tag) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	return web.Write(w, status, body)
}
