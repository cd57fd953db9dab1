package help_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/html"

	"kartotek/internal/contract/elw"
	"kartotek/internal/portal"
	"kartotek/internal/portal/help"
	"kartotek/internal/web"
)

const (
	patchPage = "/Help/Api/PATCH-api-customers-customerId"
	getPage   = "/Help/Api/GET-api-customers-customerId"
	modelPage = "/Help/ResourceModel?modelName=CustomerResponse"
)

// mount serves the help pages.
var mount = sync.OnceValue(func() web.Mount {
	mounts := portal.Mounts(portal.Settings{Help: elw.New(elw.Settings{})})
	return mounts[slices.IndexFunc(mounts, func(m web.Mount) bool { return m.Prefix == help.Root })]
})

func send(method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	mount().Handler.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}

func TestPathsMatchInAnyCase(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"/Help":           "Self-service API",
		"/help/":          "Self-service API",
		patchPage:         "PATCH api/customers/{customerId}",
		patchPage + "/":   "PATCH api/customers/{customerId}",
		getPage + "?x=%z": "GET api/customers/{customerId}",
		"/HELP/API/patch-API-customers-CUSTOMERID": "PATCH api/customers/{customerId}",
		modelPage: "CustomerResponse",
		"/help/resourcemodel/?x=1&MODELNAME=elwaddress":      "ElwAddress",
		"/Help/ResourceModel?modelName=%45lwAddress":         "ElwAddress",
		"/Help/ResourceModel?modelName=HttpError&modelName=": "HttpError",
	} {
		w := send(http.MethodGet, target)
		if got := heading(t, w); w.Code != http.StatusOK || !strings.HasPrefix(got, want) {
			t.Errorf("%s: got status %d and %q, want %q", target, w.Code, got, want)
		}
	}
}

func TestErrorPagesLinkToIndex(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		method, target string
		status         int
	}{
		{http.MethodGet, "/Helpers", http.StatusNotFound},
		{http.MethodGet, "/Help//", http.StatusNotFound},
		{http.MethodGet, "/Help/Api", http.StatusNotFound},
		{http.MethodGet, "/Help/Api/PUT-api-customers-customerId", http.StatusNotFound},
		{http.MethodGet, "/Help/ResourceModel", http.StatusNotFound},
		{http.MethodGet, "/Help/ResourceModel?modelName=<script>", http.StatusNotFound},
		{http.MethodGet, "/Help/ResourceModel?modelName=%zz", http.StatusNotFound},
		{http.MethodPost, "/Help", http.StatusMethodNotAllowed},
		{http.MethodOptions, patchPage, http.StatusMethodNotAllowed},
	} {
		w := send(tt.method, tt.target)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), `href="/Help"`) || strings.Contains(w.Body.String(), "<script>") {
			t.Errorf("%s %s: got status %d, want %d:\n%s", tt.method, tt.target, w.Code, tt.status, w.Body)
		}
		if got := w.Header().Get("Allow"); (got == "GET, HEAD") != (tt.status == http.StatusMethodNotAllowed) {
			t.Errorf("%s %s: got Allow %q", tt.method, tt.target, got)
		}
	}
}

func TestPagesHaveHeaders(t *testing.T) {
	t.Parallel()
	w := send(http.MethodHead, patchPage)
	for name, want := range map[string]string{
		"Content-Type":            "text/html; charset=utf-8",
		"Content-Security-Policy": "default-src 'none'; style-src 'sha256-",
		"Cache-Control":           "max-age=",
		"Etag":                    `"`,
	} {
		if got := w.Header().Get(name); w.Code != http.StatusOK || !strings.HasPrefix(got, want) {
			t.Errorf("%s: got status %d and %q, want %q", name, w.Code, got, want)
		}
	}
}

// TestLinksLeadToPages follows every link from the index. No page may load another file.
func TestLinksLeadToPages(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{"/Help": true, "/docs": true, "/": true} // the last two are other mounts
	for queue := []string{"/Help"}; len(queue) > 0; queue = queue[1:] {
		w := send(http.MethodGet, queue[0])
		if w.Code != http.StatusOK {
			t.Errorf("%s: got status %d", queue[0], w.Code)
		}
		for node := range parse(t, w).Descendants() {
			switch {
			case attribute(node, "src") != "" || node.Data == "script":
				t.Errorf("%s loads a %s", queue[0], node.Data)
			case node.Data == "link" && !strings.HasPrefix(attribute(node, "href"), "data:"):
				t.Errorf("%s loads %s", queue[0], attribute(node, "href"))
			case node.Data == "a" && !strings.HasPrefix(attribute(node, "href"), "#"):
				if to := attribute(node, "href"); !seen[to] {
					seen[to] = true
					queue = append(queue, to)
				}
			}
		}
	}
	for _, want := range []string{patchPage, getPage, modelPage, "/Help/ResourceModel?modelName=ElwAddress"} {
		if !seen[want] {
			t.Errorf("no link leads to %s", want)
		}
	}
}

func parse(t *testing.T, w *httptest.ResponseRecorder) *html.Node {
	t.Helper()
	root, err := html.Parse(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if node.Type == html.ElementNode && a.Key == name {
			return a.Val
		}
	}
	return ""
}

// text returns the visible text of a node.
func text(node *html.Node) string {
	var out strings.Builder
	for n := range node.Descendants() {
		if n.Type == html.TextNode {
			out.WriteString(n.Data)
		}
	}
	return strings.TrimSpace(out.String())
}

func heading(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	for node := range parse(t, w).Descendants() {
		if node.Data == "h1" {
			return text(node)
		}
	}
	return ""
}

// blocks returns the content of a page from top to bottom: headings, paragraphs, samples,
// and rows of tables with "|" between the cells.
func blocks(t *testing.T, link string) []string {
	t.Helper()
	var all []string
	for node := range parse(t, send(http.MethodGet, link)).Descendants() {
		switch node.Data {
		case "h1", "h2", "h3", "h4", "p", "pre", "figcaption":
			if node.Parent.Data != "td" && node.Parent.Data != "th" {
				all = append(all, text(node))
			}
		case "tr":
			var cells []string
			for cell := range node.ChildNodes() {
				if cell.Type == html.ElementNode {
					cells = append(cells, text(cell))
				}
			}
			all = append(all, strings.Join(cells, "|"))
		}
	}
	return all
}
