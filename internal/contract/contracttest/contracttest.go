// Package contracttest replays recorded HTTP conversations against a contract and
// lets its OpenAPI document judge every exchange, in both directions: no answer
// that is not documented, nothing documented without a transcript.
//
// Package transcript tells how a transcript is written. "{login:password}" stands for
// its base64, and "$writer" for the text of the key with that name; world.go tells who
// there is. The id of a request that names none is "transcript". A body line in Go's
// quotes after a "~" is unquoted, and repeated with "x N": ~"[" x 10000.
//
// The events are "@ clock +9000h"; "@ store down", "@ store busy", "@ store full"
// (for writes), "@ store rival" (another server on it is answering the same request)
// and "@ store up"; for the next request "@ body slow" and "@ body cut"; "@ restart"
// of the server; and "@ rate 2 3", a restart with limits: so many requests a second,
// so many at once.
// After "@ keep page next", the text of the next answer's member "next" is "$page",
// also where later answers show it.
//
// "go test -update" writes what the contract answers into the transcripts.
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

var update = flag.Bool("update", false, "rewrite transcripts with the answers seen")

// Replay runs every testdata/*.txt against the contract that start builds in a
// fresh world, and lets the contract's OpenAPI document judge each exchange.
// Every answer carries the headers in always; transcripts leave them out.
func Replay(t *testing.T, always http.Header, start func(Fixture) contract.Contract) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts in testdata (%v)", err)
	}
	judge := newSpecChecker(t, start(NewFixture(t)))
	t.Run("transcripts", func(t *testing.T) {
		for _, file := range files {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
				t.Parallel()
				world := NewFixture(t)
				s := &player{t: t, fixture: world, start: start, checker: judge, always: always}
				s.restart()
				s.compare(file)
			})
		}
	})
	judge.checkCoverage(t)
}

// stage is where one transcript is played.
type player struct {
	t       *testing.T
	fixture Fixture
	start   func(Fixture) contract.Contract
	handler http.Handler // what start made of the world
	checker *specChecker
	always  http.Header
}

func (s *player) restart() { s.handler = s.fixture.Handler(s.start(s.fixture)) }

func (s *player) compare(file string) {
	want, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	got := s.replay(string(want))
	if got == string(want) {
		return
	}
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			s.t.Fatal(err)
		}
		return
	}
	s.t.Errorf("%s differs.\n--- got\n%s\n--- want\n%s", file, got, want)
}

// replay answers each request of the transcript and keeps everything else.
func (s *player) replay(transcript string) string {
	var out strings.Builder
	var request []string
	answer := func() {
		if len(request) > 0 {
			out.WriteString(s.exchange(request))
			request = nil
		}
	}
	for line := range strings.Lines(transcript) {
		switch {
		case strings.HasPrefix(line, ">"):
			request = append(request, strings.TrimSuffix(strings.TrimPrefix(line[1:], " "), "\n"))
			out.WriteString(line)
		case strings.HasPrefix(line, "<"): // replaced by the answer
		default:
			answer()
			if event, ok := strings.CutPrefix(line, "@ "); ok {
				s.applyEvent(strings.TrimSpace(event))
			}
			out.WriteString(line)
		}
	}
	answer()
	return out.String()
}

func (s *player) applyEvent(event string) {
	s.fixture.applyEvent(s.t, event)
	if event == "restart" || strings.HasPrefix(event, "rate ") {
		s.restart()
	}
}

func (s *player) exchange(lines []string) string {
	request := parseRequest(s.t, lines, s.fixture)
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, request.build())
	if request.method == http.MethodHead {
		w.Body.Reset() // as the server does on the wire
	}
	s.checker.checkExchange(s.t, request, w)
	for name, values := range s.always {
		if got := w.Header().Values(name); fmt.Sprint(got) != fmt.Sprint(values) {
			s.t.Errorf("%s: %s: got %q, want %q", lines[0], name, got, values)
		}
		w.Header().Del(name)
	}
	s.fixture.captureValues(s.t, w.Body.Bytes())
	return s.fixture.replaceCaptured(formatResponse(w))
}

// CheckErrors passes every kind of fault to fail: each response must have an
// error status, a body that the schema of the contract's errors accepts, and no internal
// error text.
func CheckErrors(t *testing.T, c contract.Contract, errorSchema string) {
	judge := newSpecChecker(t, c)
	for _, kind := range fault.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			f := &fault.Fault{Kind: kind, Text: "the text of the fault"}
			if kind == fault.Invalid || kind == fault.BadRequest {
				f.Fields = []fault.Field{{Path: "email", Rule: fault.Format, Text: "must be a valid e-mail address"}}
			}
			w := httptest.NewRecorder()
			c.Fail(w, httptest.NewRequest(http.MethodPatch, c.Prefix, nil), f)
			if w.Code < 400 || w.Code > 599 {
				t.Errorf("status: got %d, want one of an error", w.Code)
			}
			if (kind == fault.Internal) != (w.Code == http.StatusInternalServerError) {
				t.Errorf("status: got %d; 500 is for what is ours to fix", w.Code)
			}
			if kind == fault.Internal && strings.Contains(w.Body.String(), f.Text) {
				t.Errorf("the answer tells what is ours to fix: %s", w.Body)
			}
			judge.checkErrorBody(t, errorSchema, w)
		})
	}
}
