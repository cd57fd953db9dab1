package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"kartotek/internal/store/pgtest"
)

const guidesDir = "../portal/guides/"

// TestGuideCommandsGiveTheShownOutput runs the commands of each guide in a shell, against a
// separate demo, and compares their output with the guide.
func TestGuideCommandsGiveTheShownOutput(t *testing.T) {
	t.Parallel()
	for _, name := range guides(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			runGuide(t, startDemo(t), name, func(output string) string { return output })
		})
	}
}

// TestGuidesDoNotDependOnEachOther runs the guides one after another against one demo, in both
// orders, also after the commands of the README. Only the versions may differ from those that the guides show.
func TestGuidesDoNotDependOnEachOther(t *testing.T) {
	t.Parallel()
	backward := guides(t)
	slices.Reverse(backward)
	version := regexp.MustCompile(`(?m)(^Etag: "|"version":|^")\d+`)
	forward := append([]string{"../../README.md"}, guides(t)...)
	for name, order := range map[string][]string{"forward": forward, "backward": backward} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			demo := startDemo(t)
			for _, guide := range order {
				runGuide(t, demo, guide, func(output string) string { return version.ReplaceAllString(output, "${1}N") })
			}
		})
	}
}

func guides(t *testing.T) []string {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("KARTOTEK_TEST_ALL") == "" {
		t.Skip(err)
	}
	names, err := filepath.Glob(guidesDir + "*.md")
	if err != nil || len(names) == 0 {
		t.Fatalf("no guides: %v", err)
	}
	return names
}

// runGuide runs the commands of a guide against a demo. It changes shown and real output with
// normalize before it compares them.
func runGuide(t *testing.T, demo, name string, normalize func(string) string) {
	t.Helper()
	steps := parseGuide(t, name)
	for i, output := range runSteps(t, demo, steps) {
		s := steps[i]
		s.output = normalize(s.output)
		if missing := s.missing(normalize(output)); missing != "" {
			t.Errorf("%s:%d: the output has no line %q in this position:\n%s", name, s.line, missing, output)
		}
	}
}

// step is a block of commands and the output that the guide shows.
type step struct {
	line     int
	commands string
	output   string // "…" matches any text; lines may be missing
}

// parseGuide returns the steps of a guide, without blocks marked "by hand": their commands do
// not end.
func parseGuide(t *testing.T, name string) (steps []step) {
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
		case (info == "http" || info == "json" || info == "text") && len(steps) > 0 && steps[len(steps)-1].output == "":
			steps[len(steps)-1].output = text
		default:
			t.Errorf("%s:%d: block %q is neither commands nor output", name, line, info)
		}
	}
	for _, s := range steps {
		if strings.Contains(s.commands, "curl") && s.output == "" {
			t.Errorf("%s:%d: the output of the commands is missing", name, s.line)
		}
	}
	return steps
}

// runSteps runs all steps in one shell, against a demo, and returns the output of each.
func runSteps(t *testing.T, demo string, steps []step) []string {
	t.Helper()
	const mark = "\n--- end of step ---\n"
	var script strings.Builder
	script.WriteString("exec 2>&1\ncreatedb() { :; }\n") // the database exists
	for _, s := range steps {
		script.WriteString(s.commands + "\nprintf '%s' '" + mark + "'\n")
	}
	text := strings.ReplaceAll(script.String(), "./kartotek ", "kartotek ")
	text = strings.ReplaceAll(text, "http://127.0.0.1:8080", demo)
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
	outputs := strings.Split(strings.ReplaceAll(string(out), "\r\n", "\n"), mark)
	if len(outputs) != len(steps)+1 {
		t.Fatalf("got %d outputs of %d steps:\n%s", len(outputs)-1, len(steps), out)
	}
	return outputs[:len(steps)]
}

// startDemo starts a demo that ends with the test and returns its base URL.
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
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have exited
		_ = cmd.Wait()
	})
	return url
}

// missing returns the first line of the shown output that the real output does not have, or
// has in another order.
func (s step) missing(output string) string {
	rest := strings.Split(output, "\n")
	for want := range strings.SplitSeq(strings.TrimSuffix(s.output, "\n"), "\n") {
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

func TestMissingFindsFirstAbsentLine(t *testing.T) {
	t.Parallel()
	const output = "HTTP/1.1 200 OK\nEtag: \"2\"\nX: y\n\n{\"a\":1,\"b\":[2]}"
	for guide, want := range map[string]string{
		"HTTP/1.1 200 OK\n\n{…,\"b\":…}":            "",
		"HTTP/1.1 200 OK\nEtag: \"2\"":              "",
		"HTTP/1.1 200 OK\nEtag: \"3\"":              `Etag: "3"`,
		"X: y\nEtag: \"2\"":                         `Etag: "2"`,
		"HTTP/1.1 200 OK\n\n{\"a\":1}":              `{"a":1}`,
		"HTTP/1.1 200 OK\n\nEtag: \"2\"":            `Etag: "2"`,
		"HTTP/1.1 200 OK\nX: y\n\n{\"a\":1,\"b\":…": "",
	} {
		if got := (step{output: guide}).missing(output); got != want {
			t.Errorf("%s: got %q, want %q", fmt.Sprintf("%q", guide), got, want)
		}
	}
}
