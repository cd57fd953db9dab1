package page_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kartotek/internal/web/page"
)

func render(t *testing.T, text string) []byte {
	t.Helper()
	body, err := page.Render(page.Parse(`{{define "title"}}A{{end}}{{define "main"}}{{prose .}}{{end}}`), text)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func send(t *testing.T, status int, body []byte, etag string) *httptest.ResponseRecorder {
	t.Helper()
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
	if etag != "" {
		r.Header.Set("If-None-Match", etag)
	}
	if err := page.Send(w, r, status, body); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestPolicyAllowsInlineStyleAndScript checks that the policy has the hashes of the texts in a page.
func TestPolicyAllowsInlineStyleAndScript(t *testing.T) {
	t.Parallel()
	body, err := page.Render(page.Parse(`{{define "title"}}A{{end}}{{define "main"}}{{end}}{{define "script"}}{{template "copy"}}{{end}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	w := send(t, http.StatusOK, body, "")
	for _, element := range []string{"style", "script"} {
		_, rest, _ := strings.Cut(w.Body.String(), "<"+element+">")
		text, _, _ := strings.Cut(rest, "</"+element+">")
		sum := sha256.Sum256([]byte(text))
		want := element + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
		got := w.Header().Get("Content-Security-Policy")
		if len(text) < 100 || !strings.Contains(got, want) || !strings.HasPrefix(got, "default-src 'none'") {
			t.Errorf("got %q for a %s of %d bytes, want %q", got, element, len(text), want)
		}
	}
}

func TestProseEscapesHTML(t *testing.T) {
	t.Parallel()
	got := string(render(t, "A `<b>` & <i>.\n\nAnd `more`\n"))
	want := "<p>A <code>&lt;b&gt;</code> &amp; &lt;i&gt;.</p>\n<p>And <code>more</code></p>"
	if !strings.Contains(got, want) {
		t.Errorf("got %s, want %s in it", got, want)
	}
}

func TestPageIsRevalidatedByETag(t *testing.T) {
	t.Parallel()
	body := render(t, "x")
	first := send(t, http.StatusOK, body, "")
	tag := first.Header().Get("ETag")
	again := send(t, http.StatusOK, body, tag)
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("the same page: got status %d and %d bytes", again.Code, again.Body.Len())
	}
	changed := send(t, http.StatusOK, render(t, "y"), tag)
	if changed.Code != http.StatusOK || changed.Header().Get("ETag") == tag {
		t.Errorf("another page: got status %d and %s", changed.Code, changed.Header().Get("ETag"))
	}
	missing := send(t, http.StatusNotFound, body, tag)
	if missing.Code != http.StatusNotFound || missing.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("status 404: got status %d and %v", missing.Code, missing.Header())
	}
}
