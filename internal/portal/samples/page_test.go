//go:build unix

package samples_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"kartotek/internal/portal/samples"
)

const page = "../../../docs/samples.md"

const pageHead = `# Code samples

The documentation shows every operation as a program in each of these languages. All read the credential from the
environment, print the body of the answer, and end with an exit code other than 0 when it is an error.

A test runs them: each sends both documented PATCHes, of elw with a password and of lochting with a token, and a GET with
an API key, to a server, with texts full of quotes, backslashes, dollars, braces and letters outside ASCII; then the record
must hold them to the letter. Where neither Debian nor a package registry has the tools, the sample is parsed instead: what it
sends has not been seen. Where a tool is missing, ` + "`go test -v ./internal/portal/samples`" + ` says what to install.

` + "`go test ./internal/portal/samples -update`" + ` writes this page.

| sample | is | with |
|---|---|---|
`

// updating is contracttest's flag: "go test -update" writes what was seen.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// comparePage holds the page to what the test does; the versions on it are those
// of the machine that wrote it.
func comparePage(t *testing.T, versions map[string]string) {
	t.Helper()
	old, err := os.ReadFile(page)
	if err != nil && !updating() {
		t.Fatal(err)
	}
	var want strings.Builder
	want.WriteString(pageHead)
	for _, s := range samples.All(samples.Request{Method: "GET", URL: "http://127.0.0.1/"}) {
		row := fmt.Sprintf("| %s | %s | ", s.Label, tools[s.Label].way())
		_, rest, _ := strings.Cut(string(old), row)
		with, _, _ := strings.Cut(rest, " |\n")
		if seen := versions[s.Label]; updating() && seen != "" {
			with = seen
		}
		want.WriteString(row + with + " |\n")
	}
	if want.String() == string(old) {
		return
	}
	if !updating() {
		t.Errorf("%s differs; go test -update writes it\n--- got\n%s\n--- want\n%s", page, old, want.String())
		return
	}
	if !t.Failed() {
		err = os.WriteFile(page, []byte(want.String()), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
