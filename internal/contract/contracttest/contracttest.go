// Package contracttest replays transcripts against a contract and checks every exchange against its
// OpenAPI document, in both directions: every response must be documented, and every documented
// response must occur in a transcript.
//
// Package transcript describes the format. "{login:password}" is replaced by its base64 encoding
// and "$writer" by the text of the key with that name; fixture.go lists the customers, accounts and
// keys. The default request id is "transcript". A body line of Go-quoted text after "~" is
// unquoted, and repeated with "x N": ~"[" x 10000.
//
// The events are:
//
//	@ clock +9000h      advance the clock
//	@ store down        the store fails; also "busy", "full" (writes fail) and
//	                    "concurrent" (another server is processing the same request)
//	@ store up          the store works again
//	@ body slow         the body of the next request times out; also "cut"
//	@ restart           restart the server
//	@ rate 2 3          restart with rate limits: requests per second, and burst
//	@ keep page next    "$page" is the property "next" of the next response, also in later responses
//
// "go test -update" writes the responses of the contract into the transcripts.
package contracttest

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kartotek/internal/contract"
	"kartotek/internal/fault"
)

var update = flag.Bool("update", false, "write the responses into the transcripts")

// Replay runs every testdata/*.txt against the contract that start builds with a new fixture, and
// checks each exchange against the contract's OpenAPI document. Every response must have the
// headers in always; transcripts omit them.
func Replay(t *testing.T, always http.Header, start func(Fixture) contract.Contract) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts in testdata (%v)", err)
	}
	checker := newSpecChecker(t, start(NewFixture(t)))
	t.Run("transcripts", func(t *testing.T) {
		for _, file := range files {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
				t.Parallel()
				fixture := NewFixture(t)
				p := &player{t: t, fixture: fixture, start: start, checker: checker, always: always}
				p.restart()
				p.compare(file)
			})
		}
	})
	checker.checkCoverage(t)
}

// player replays one transcript.
type player struct {
	t       *testing.T
	fixture Fixture
	start   func(Fixture) contract.Contract
	handler http.Handler // of the contract that start returned
	checker *specChecker
	always  http.Header
}

func (p *player) restart() { p.handler = p.fixture.Handler(p.start(p.fixture)) }

func (p *player) compare(file string) {
	want, err := os.ReadFile(file)
	if err != nil {
		p.t.Fatal(err)
	}
	got := p.replay(string(want))
	if got == string(want) {
		return
	}
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			p.t.Fatal(err)
		}
		return
	}
	p.t.Errorf("%s differs.\n--- got\n%s\n--- want\n%s", file, got, want)
}

// replay returns the transcript with the responses of the contract.
func (p *player) replay(transcript string) string {
	var out strings.Builder
	var request []string
	respond := func() {
		if len(request) > 0 {
			out.WriteString(p.exchange(request))
			request = nil
		}
	}
	for line := range strings.Lines(transcript) {
		switch {
		case strings.HasPrefix(line, ">"):
			request = append(request, strings.TrimSuffix(strings.TrimPrefix(line[1:], " "), "\n"))
			out.WriteString(line)
		case strings.HasPrefix(line, "<"): // replaced by the response
		default:
			respond()
			if event, ok := strings.CutPrefix(line, "@ "); ok {
				p.applyEvent(strings.TrimSpace(event))
			}
			out.WriteString(line)
		}
	}
	respond()
	return out.String()
}

func (p *player) applyEvent(event string) {
	p.fixture.applyEvent(p.t, event)
	if event == "restart" || strings.HasPrefix(event, "rate ") {
		p.restart()
	}
}

func (p *player) exchange(lines []string) string {
	request := parseRequest(p.t, lines, p.fixture)
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, request.build())
	if request.method == http.MethodHead {
		w.Body.Reset() // as net/http does
	}
	p.checker.checkExchange(p.t, request, w)
	for name, values := range p.always {
		if got := w.Header().Values(name); fmt.Sprint(got) != fmt.Sprint(values) {
			p.t.Errorf("%s: %s: got %q, want %q", lines[0], name, got, values)
		}
		w.Header().Del(name)
	}
	p.fixture.captureValues(p.t, w.Body.Bytes())
	return p.fixture.replaceCaptured(formatResponse(w))
}

// CheckErrors passes every kind of fault to fail: each response must have an
// error status, a body that the schema of the contract's errors accepts, and no internal
// error text.
func CheckErrors(t *testing.T, c contract.Contract, errorSchema string) {
	checker := newSpecChecker(t, c)
	for _, kind := range fault.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			f := &fault.Fault{Kind: kind, Text: "the text of the fault"}
			if kind == fault.Invalid || kind == fault.BadRequest {
				f.Fields = []fault.Field{{Path: "email", Rule: fault.Format, Text: "must be a valid e-mail address"}}
			}
			w := httptest.NewRecorder()
			c.Fail(w, httptest.NewRequest(http.MethodPatch, c.Prefix, nil), f)
			if w.Code < 400 || w.Code > 599 {
				t.Errorf("status: got %d, want 4xx or 5xx", w.Code)
			}
			if (kind == fault.Internal) != (w.Code == http.StatusInternalServerError) {
				t.Errorf("status: got %d; only an internal error has 500", w.Code)
			}
			if kind == fault.Internal && strings.Contains(w.Body.String(), f.Text) {
				t.Errorf("the response reveals an internal error: %s", w.Body)
			}
			checker.checkErrorBody(t, errorSchema, w)
		})
	}
}
