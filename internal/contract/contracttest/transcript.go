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

// request is one request of a transcript, which can be built as often as it is
// looked at.
type request struct {
	method, target string
	header         http.Header
	body           []byte
	bodyError      error // how reading the body ends, when not well
}

func parseRequest(t *testing.T, lines []string, world Fixture) request {
	t.Helper()
	written := transcript.ParseRequest(lines)
	req := request{
		method:    written.Method,
		target:    world.expand(written.Target),
		header:    http.Header{"X-Request-Id": {"transcript"}},
		bodyError: world.takeBodyError(),
	}
	for _, h := range written.Header {
		if h.Name == "X-Request-Id" {
			req.header.Del(h.Name)
		}
		value := world.expand(h.Value)
		if name := textName.FindString(value); name != "" {
			t.Fatalf("the world has no %s", name)
		}
		req.header.Add(h.Name, value)
	}
	body := strings.Split(written.Body, "\n")
	for i, line := range body {
		body[i] = unquote(t, world.expand(line))
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

// fillIn puts texts in the place of their names. A name that the world does not
// know stays.
func (w Fixture) expand(s string) string {
	return textName.ReplaceAllStringFunc(s, func(name string) string {
		if text, ok := w.texts[name[1:]]; ok {
			return text
		}
		return name
	})
}

// keeping is what to keep of an answer: the text of a member of its body.
type capture struct{ name, member string }

// keep keeps what the transcript asked for.
func (w Fixture) captureValues(t *testing.T, body []byte) {
	t.Helper()
	for _, k := range *w.captures {
		var members map[string]any
		if err := json.Unmarshal(body, &members); err != nil {
			t.Fatalf("keep %s: %v", k.name, err)
		}
		text, ok := members[k.member].(string)
		if !ok || text == "" {
			t.Fatalf("keep %s: the answer has no text in %s", k.name, k.member)
		}
		w.texts[k.name] = text
	}
	*w.captures = nil
}

// nameKept writes the names of what was kept in its place, the longest text first.
func (w Fixture) replaceCaptured(answer string) string {
	kept := slices.DeleteFunc(slices.Collect(maps.Keys(w.texts)), func(name string) bool { return keyTexts[name] != "" })
	slices.SortFunc(kept, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(w.texts[b]), len(w.texts[a])), cmp.Compare(a, b))
	})
	for _, name := range kept {
		answer = strings.ReplaceAll(answer, w.texts[name], "$"+name)
	}
	return answer
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

// formatAnswer writes an answer as transcripts hold it. The length of a body
// that is there to see is left out.
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
