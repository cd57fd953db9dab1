package portal

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"kartotek/internal/fault"
	"kartotek/internal/web"
	"kartotek/internal/web/page"
)

// resource is what a path serves to clients that reach the server at an address.
type resource struct {
	kind  string // in the log and the metrics
	serve func(w http.ResponseWriter, r *http.Request, address string) error
}

// rendered is an HTML page that is rendered at its first request.
func rendered(kind string, render func() []byte) resource {
	body := sync.OnceValue(render)
	return resource{kind, func(w http.ResponseWriter, r *http.Request, address string) error {
		return page.Send(w, r, http.StatusOK, withAddress(body(), address))
	}}
}

// made is a file that is made at its first request. It is kept compressed for a few addresses.
func made(kind, mediaType, policy string, content func() []byte) resource {
	once := sync.OnceValue(content)
	files := must(lru.New[string, file](4))
	return resource{kind, func(w http.ResponseWriter, r *http.Request, address string) error {
		f, ok := files.Get(address)
		if !ok {
			f = compress(withAddress(once(), address), mediaType, policy)
			files.Add(address, f)
		}
		f.send(w, r)
		return nil
	}}
}

// loaded is a file that is loaded at its first request.
func loaded(kind string, load func() file) resource {
	f := sync.OnceValue(load)
	return resource{kind, func(w http.ResponseWriter, r *http.Request, _ string) error {
		f().send(w, r)
		return nil
	}}
}

// file is a response body, compressed with gzip, with its headers.
type file struct {
	mediaType  string
	policy     string // Content-Security-Policy
	caching    string // Cache-Control
	tag        string // changes with the content
	compressed []byte
}

// filePolicy is for files that are not pages.
const filePolicy = "default-src 'none'; frame-ancestors 'none'"

func compress(content []byte, mediaType, policy string) file {
	var b bytes.Buffer
	gz := gzip.NewWriter(&b)
	_, _ = gz.Write(content) // never fails on a buffer
	_ = gz.Close()           // never fails on a buffer
	sum := sha256.Sum256(content)
	tag := base64.RawURLEncoding.EncodeToString(sum[:12])
	return file{mediaType, policy, "no-cache", tag, bytes.Clone(b.Bytes())}
}

// send sends the file, decompressed for a client that does not accept gzip.
func (f file) send(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", f.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", f.caching)
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", `W/"`+f.tag+`"`) // weak, because both encodings have the same tag
	h.Set("Content-Type", f.mediaType)
	content := f.compressed
	if acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(len(content)))
	} else {
		content = must(io.ReadAll(must(gzip.NewReader(bytes.NewReader(content)))))
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// acceptsGzip reports whether the client accepts gzip (RFC 9110, section 12.5.3).
func acceptsGzip(r *http.Request) bool {
	for item := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		coding, weight, _ := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		_, q, weighted := strings.Cut(weight, "=")
		value, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
		return !weighted || err == nil && value > 0
	}
	return false
}

//go:embed pages/error.html
var errorHTML string

// fail returns a function that responds with an error page, which links to the index.
func fail(index string) web.Fail {
	parsed := sync.OnceValue(func() *template.Template { return page.Parse(errorHTML) })
	return func(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
		status := web.Status(f.Kind)
		about := struct{ Title, Text, Index string }{http.StatusText(status), f.Text, index}
		body := must(page.Render(parsed(), about))
		_ = page.Send(w, r, status, body) // fails only if the client has disconnected
	}
}
