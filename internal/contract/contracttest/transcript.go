package contracttest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kartotek/internal/contract/transcript"
)

// request is a request of a transcript. build can be called more than once.
type request struct {
	method, target string
	header         http.Header
	body           []byte
	bodyError      error // returned at the end of the body
}

func parseRequest(t *testing.T, lines []string, fixture Fixture) request {
	t.Helper()
	written := transcript.ParseRequest(lines)
	req := request{
		method:    written.Method,
		target:    fixture.expand(written.Target),
		header:    http.Header{"X-Request-Id": {"transcript"}},
		bodyError: fixture.takeBodyError(),
	}
	for _, h := range written.Header {
		if h.Name == "X-Request-Id" {
			req.header.Del(h.Name)
		}
		value := fixture.expand(h.Value)
		if name := textName.FindString(value); name != "" {
			t.Fatalf("unknown variable %s", name)
		}
		req.header.Add(h.Name, value)
	}
	body := strings.Split(written.Body, "\n")
	for i, line := range body {
		body[i] = unquote(t, fixture.expand(line))
	}
	req.body = []byte(strings.Join(body, "\n"))
	return req
}

func (r request) build() *http.Request {
	body := io.Reader(bytes.NewReader(r.body))
	if r.bodyError != nil {
		body = io.MultiReader(body, errorReader{r.bodyError})
	}
	req := httptest.NewRequest(r.method, r.target, body)
	req.Header = r.header.Clone()
	req.ContentLength = int64(len(r.body))
	return req
}

type errorReader struct{ err error }

func (f errorReader) Read([]byte) (int, error) { return 0, f.err }

var textName = regexp.MustCompile(`\$[a-z]+`)

// expand replaces the names of texts by the texts. Unknown names are captured.
func (f Fixture) expand(s string) string {
	return textName.ReplaceAllStringFunc(s, func(name string) string {
		if text, ok := f.texts[name[1:]]; ok {
			return text
		}
		return name
	})
}

// capture is a property of the response body to store as a text.
type capture struct{ name, property string }

// captureValues stores the properties that the transcript asked for.
func (f Fixture) captureValues(t *testing.T, body []byte) {
	t.Helper()
	for _, c := range *f.captures {
		var properties map[string]any
		if err := json.Unmarshal(body, &properties); err != nil {
			t.Fatalf("keep %s: %v", c.name, err)
		}
		text, ok := properties[c.property].(string)
		if !ok || text == "" {
			t.Fatalf("keep %s: the response has no text in %s", c.name, c.property)
		}
		f.texts[c.name] = text
	}
	*f.captures = nil
}

// replaceCaptured replaces captured texts by their names, the longest first.
func (f Fixture) replaceCaptured(response string) string {
	captured := slices.DeleteFunc(slices.Collect(maps.Keys(f.texts)), func(name string) bool { return keyTexts[name] != "" })
	slices.SortFunc(captured, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(f.texts[b]), len(f.texts[a])), cmp.Compare(a, b))
	})
	for _, name := range captured {
		response = strings.ReplaceAll(response, f.texts[name], "$"+name)
	}
	return response
}

var quoted = regexp.MustCompile(`^~(".*?[^\\]")(?: x ([0-9]+))?$`)

func unquote(t *testing.T, line string) string {
	m := quoted.FindStringSubmatch(line)
	if m == nil {
		return line
	}
	text, err := strconv.Unquote(m[1])
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	if m[2] == "" {
		return text
	}
	n, err := strconv.Atoi(m[2])
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return strings.Repeat(text, n)
}

// formatResponse formats a response for a transcript. Content-Length is omitted if there is a body.
func formatResponse(w *httptest.ResponseRecorder) string {
	var out strings.Builder
	fmt.Fprintf(&out, "< %d\n", w.Code)
	for _, name := range slices.Sorted(maps.Keys(w.Header())) {
		for _, value := range w.Header().Values(name) {
			if name == "X-Request-Id" || name == "Content-Length" && value != "0" {
				continue
			}
			fmt.Fprintf(&out, "< %s: %s\n", name, value)
		}
	}
	for line := range strings.Lines(w.Body.String()) {
		fmt.Fprintf(&out, "< %s\n", strings.TrimSuffix(line, "\n"))
	}
	return out.String()
}
