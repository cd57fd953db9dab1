// Package page is how Kartotek's own pages look and are sent: one layout, and one
// small style that each page carries along, so that a browser asks for nothing
// more. It refuses to know what the pages say.
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

// policy lets a page show what it carries itself, and load and do nothing else.
var policy = "default-src 'none'; style-src '" + hash(style) + "'; img-src data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// hash is how a Content-Security-Policy names a text.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Parse reads the templates of a kind of page. They define "title" and "main", and
// may define "trail", a nav of links to the pages above. It panics when they cannot
// be read.
// The function prose writes the text of a description: paragraphs, and code between
// backticks.
func Parse(text string) *template.Template {
	functions := template.FuncMap{
		"style": func() template.CSS { return template.CSS(style) },
		"prose": prose,
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

// Render makes the page that data is about.
func Render(t *template.Template, data any) ([]byte, error) {
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Send answers with a rendered page. Browsers keep one that was found for five
// minutes, and then ask whether it has changed.
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
