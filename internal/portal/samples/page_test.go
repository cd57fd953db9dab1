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

The documentation shows every operation as a program in each of these languages. Every sample reads the credential from
the environment, prints the body of the response, and exits with a status other than 0 on an error.

A test runs the samples. Each one sends both documented PATCHes (elw with a password, lochting with a token) and a GET
with an API key to a server. The values are full of quotes, backslashes, dollars, braces and letters outside ASCII, and
the stored record must hold exactly the same text. A sample is only parsed if neither Debian nor a package registry has
the tools of its language: such a sample has never been run.

` + "`make test`" + ` runs the samples whose tools most machines have. ` + "`make test-samples`" + ` runs all of them: it needs
every tool below, and names the package of each missing one.

` + "`go test ./internal/portal/samples -update`" + ` writes this page.

| sample | is | by | with |
|---|---|---|---|
`

// updating reports whether the test runs with contracttest's flag -update.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// comparePage checks that the page lists how each sample is tested, or writes it with
// -update. The versions are those of the machine that wrote the page.
func comparePage(t *testing.T, versions map[string]string) {
	t.Helper()
	old, err := os.ReadFile(page)
	if err != nil && !updating() {
		t.Fatal(err)
	}
	var want strings.Builder
	want.WriteString(pageHead)
	for _, s := range samples.All(samples.Request{Method: "GET", URL: "http://127.0.0.1/"}) {
		row := fmt.Sprintf("| %s | %s | `%s` | ", s.Label, tools[s.Label].way(), target(s.Label))
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
