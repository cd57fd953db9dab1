package main_test

import (
	"go/ast"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

const maxDecision = 60 // lines

var markdownLink = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)\s]*)?\)`)

func TestLinksBetweenDocumentsWork(t *testing.T) {
	t.Parallel()
	for _, name := range files(t) {
		if !strings.HasSuffix(name, ".md") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range markdownLink.FindAllStringSubmatch(string(text), -1) {
			target := link[1]
			if strings.Contains(target, ":") || strings.HasPrefix(target, "/") {
				continue // a URL, or a path of the server
			}
			if _, err := os.Stat(path.Join(path.Dir(name), target)); err != nil {
				t.Errorf("%s links to %s, which does not exist", name, target)
			}
		}
	}
}

func TestSecurityPromisesHaveTests(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{}
	for _, src := range sources(t) {
		for _, decl := range src.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				tests[f.Name.Name] = true
			}
		}
	}
	text, err := os.ReadFile("SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`Test[A-Z]\w+`).FindAllString(string(text), -1) {
		if !tests[name] {
			t.Errorf("SECURITY.md names %s, which does not exist", name)
		}
	}
}

func TestDecisionsFitOnAPage(t *testing.T) {
	t.Parallel()
	for _, name := range files(t) {
		if path.Dir(name) != "docs/decisions" || path.Base(name) == "README.md" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(string(text), "\n"); lines > maxDecision {
			t.Errorf("%s has %d lines, want at most %d", name, lines, maxDecision)
		}
		for _, part := range []string{"**Context.**", "**Decision.**", "**Consequences.**"} {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s has no part %s", name, part)
			}
		}
	}
}
