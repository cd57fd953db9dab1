package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"kartotek/internal/store/pgtest"
)

const guidesDir = "../portal/guides/"

// TestGuidesTellTheTruth runs the commands of each guide, in a shell, against a demo of
// its own, and compares what they answer.
func TestGuidesTellTheTruth(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("KARTOTEK_TEST_ALL") == "" {
		t.Skip(err)
	}
	guides, err := filepath.Glob(guidesDir + "*.md")
	if err != nil || len(guides) == 0 {
		t.Fatalf("no guides: %v", err)
	}
	for _, name := range guides {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".md"), func(t *testing.T) {
			t.Parallel()
			steps := stepsOf(t, name)
			for i, answer := range play(t, steps) {
				if missing := steps[i].missing(answer); missing != "" {
					t.Errorf("%s:%d: the answer has no line %q, in this order:\n%s", name, steps[i].line, missing, answer)
				}
			}
		})
	}
}

// showStep is what a guide tells to do, and what it says is answered.
type step struct {
	line     int
	commands string
	answer   string // "…" stands for anything; lines may be left out
}

// stepsOf are the blocks of commands in a guide. One that is marked "by hand" is for
// readers alone: it does not end.
func stepsOf(t *testing.T, name string) (steps []step) {
	t.Helper()
	guide, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split("\n"+string(guide), "\n```")
	line := 0
	for i, part := range parts {
		line += strings.Count(part, "\n") + 1
		info, text, _ := strings.Cut(part, "\n")
		switch {
		case i%2 == 0: // between blocks
		case info == "sh":
			steps = append(steps, step{line: line, commands: text})
		case info == "sh by hand" && !strings.Contains(text, "curl"):
		case (info == "http" || info == "json" || info == "text") && len(steps) > 0 && steps[len(steps)-1].answer == "":
			steps[len(steps)-1].answer = text
		default:
			t.Errorf("%s:%d: the block %q is neither commands nor what they answer", name, line, info)
		}
	}
	for _, s := range steps {
		if strings.Contains(s.commands, "curl") && s.answer == "" {
			t.Errorf("%s:%d: what do the commands answer?", name, s.line)
		}
	}
	return steps
}

// play runs the commands of all steps in one shell, and returns what each wrote.
func play(t *testing.T, steps []step) []string {
	t.Helper()
	const mark = "\n--- end of step ---\n"
	var script strings.Builder
	script.WriteString("exec 2>&1\ncreatedb() { :; }\n") // there is one already
	for _, s := range steps {
		script.WriteString(s.commands + "\nprintf '%s' '" + mark + "'\n")
	}
	text := strings.ReplaceAll(script.String(), "./kartotek ", "kartotek ")
	text = strings.ReplaceAll(text, "http://127.0.0.1:8080", startDemo(t))
	if address := "'postgres:///kartotek?host=/run/postgresql'"; strings.Contains(text, address) {
		text = strings.ReplaceAll(text, address, "'"+pgtest.New(t).DSN("postgres")+"'")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".curlrc"), []byte("silent\nshow-error\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", text)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	answers := strings.Split(strings.ReplaceAll(string(out), "\r\n", "\n"), mark)
	if len(answers) != len(steps)+1 {
		t.Fatalf("got %d answers to %d steps:\n%s", len(answers)-1, len(steps), out)
	}
	return answers[:len(steps)]
}

// startDemo starts a demo, which ends with the test, and returns where it serves.
func startDemo(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("kartotek")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "demo", "--listen", "127.0.0.1:0")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it removes its store
	url, err := startListening(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may be gone already
		_ = cmd.Wait()
	})
	return url
}

// missing is the first line of the step's answer that is not in the real one, or not
// where it should be.
func (s step) missing(answer string) string {
	rest := strings.Split(answer, "\n")
	for want := range strings.SplitSeq(strings.TrimSuffix(s.answer, "\n"), "\n") {
		pattern := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*") + "$")
		for len(rest) > 0 && !pattern.MatchString(rest[0]) {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return want
		}
		rest = rest[1:]
	}
	return ""
}

func TestAGuideThatLiesIsFoundOut(t *testing.T) {
	t.Parallel()
	const answer = "HTTP/1.1 200 OK\nEtag: \"2\"\nX: y\n\n{\"a\":1,\"b\":[2]}"
	for guide, want := range map[string]string{
		"HTTP/1.1 200 OK\n\n{…,\"b\":…}":            "",
		"HTTP/1.1 200 OK\nEtag: \"2\"":              "",
		"HTTP/1.1 200 OK\nEtag: \"3\"":              `Etag: "3"`,
		"X: y\nEtag: \"2\"":                         `Etag: "2"`,
		"HTTP/1.1 200 OK\n\n{\"a\":1}":              `{"a":1}`,
		"HTTP/1.1 200 OK\n\nEtag: \"2\"":            `Etag: "2"`,
		"HTTP/1.1 200 OK\nX: y\n\n{\"a\":1,\"b\":…": "",
	} {
		if got := (step{answer: guide}).missing(answer); got != want {
			t.Errorf("%s: got %q, want %q", fmt.Sprintf("%q", guide), got, want)
		}
	}
}
