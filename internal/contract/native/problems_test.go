package native_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"kartotek/internal/contract/contracttest"
	"kartotek/internal/contract/native"
	"kartotek/internal/fault"
)

func getProblem(method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	native.Problems().Handler.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestEveryProblemTypeHasAPage(t *testing.T) {
	t.Parallel()
	c := start(contracttest.Fixture{CursorSecret: make([]byte, 32)})
	index := getProblem(http.MethodGet, "/problems/")
	for _, kind := range fault.Kinds() {
		failed := httptest.NewRecorder()
		c.Fail(failed, httptest.NewRequest(http.MethodGet, "/v1/me", nil), fault.New(kind, "a text"))
		var problem struct{ Type, Title string }
		if err := json.Unmarshal(failed.Body.Bytes(), &problem, json.MatchCaseInsensitiveNames(true)); err != nil {
			t.Fatal(err)
		}
		page := getProblem(http.MethodGet, problem.Type)
		text := html.UnescapeString(page.Body.String())
		for _, want := range []string{problem.Title, problem.Type, fmt.Sprint(failed.Code), "What to do"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the page does not contain %q", problem.Type, want)
			}
		}
		if page.Code != http.StatusOK || !strings.HasPrefix(page.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: got status %d and headers %v", problem.Type, page.Code, page.Header())
		}
		if !strings.Contains(index.Body.String(), `href="`+problem.Type+`"`) {
			t.Errorf("the list has no link to %s", problem.Type)
		}
	}
}

func TestUnknownProblemsAreNotFound(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/problems/", http.StatusOK},
		{http.MethodHead, "/problems/precondition-failed", http.StatusOK},
		{http.MethodGet, "/problems/nonsense", http.StatusNotFound},
		{http.MethodGet, "/problems/precondition-failed/", http.StatusNotFound},
		{http.MethodGet, "/problems/<script>", http.StatusNotFound},
		{http.MethodPost, "/problems/precondition-failed", http.StatusMethodNotAllowed},
	} {
		w := getProblem(tt.method, tt.path)
		if w.Code != tt.status || strings.Contains(w.Body.String(), "<script>") {
			t.Errorf("%s %s: got status %d, want %d", tt.method, tt.path, w.Code, tt.status)
		}
		if (w.Header().Get("Allow") != "") != (tt.status == http.StatusMethodNotAllowed) {
			t.Errorf("%s %s: got Allow %q", tt.method, tt.path, w.Header().Get("Allow"))
		}
	}
}
