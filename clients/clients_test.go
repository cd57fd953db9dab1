//go:build unix

// Package clients tests that client generators can use the OpenAPI documents. Read README.md, then
// a folder of testdata: run.sh generates, compiles and runs the program beside it.
package clients_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const key = "kart_demo0000_thisKeyIsPublicAndOnlyForTheDemoOfKartotek02fBIhC"

// records are the customers that each program updates, one through each contract, and the history
// that it must leave: a phone is set, then another field is, then the phone is cleared. A client
// that sends more than the program has set leaves another history.
var records = map[string]struct {
	record  string
	history []string
}{
	"native": {
		`{"kind":"organisation","lastName":"Lys AS","organisationNumber":"974760673","email":"post@example.com","phone":"11223344",
			"mobile":"90000000","address":{"line":"Storgata 1","poBox":10,"city":"Oslo","editable":true},"services":{"grid":true}}`,
		[]string{`/phone "22334455" /address/city "Bergen"`, `/email "kari@example.com"`, `/phone null`},
	},
	"elw": {
		`{"lastName":"Nordmann","birthDate":"1968-03-05","email":"post@example.com","phone":"11223344","mobile":"90000000","address":{"city":"Oslo"}}`,
		[]string{`/phone "22334455"`, `/email "kari@example.com"`, `/phone null`},
	},
	"lochting": {
		`{"firstName":"John","lastName":"Doe","locale":"nl-BE","gender":"female","email":"johndoe@example.com","phone":"11223344",
			"nationalId":"ABC12345","address":{"line":"Markt 1","postalCode":"9000","city":"Gent","country":"BE"}}`,
		[]string{`/phone "22334455"`, `/address/city "Brugge"`, `/phone null`},
	},
}

// TestGeneratedClients generates clients from the served documents, compiles them, and runs them
// against a demo server. It installs the generators, so it runs only in "make test-clients".
func TestGeneratedClients(t *testing.T) {
	t.Parallel()
	if os.Getenv("KARTOTEK_TEST_CLIENTS") == "" {
		t.Skip("KARTOTEK_TEST_CLIENTS is not set")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache = filepath.Join(cache, "kartotek-clients")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	programs, err := filepath.Glob(filepath.Join(testdata, "*/run.sh"))
	if err != nil || len(programs) == 0 {
		t.Fatalf("no programs: %v", err)
	}
	s := start(t)
	for _, program := range programs {
		source := filepath.Dir(program)
		t.Run(filepath.Base(source), func(t *testing.T) {
			env := append(os.Environ(), "URL="+s.url, "KEY="+key, "LOGIN=service", "PASSWORD=demo-password", "CACHE="+cache, "TESTDATA="+testdata)
			numbers := map[string]string{}
			for contract, r := range records {
				created := s.send(t, http.MethodPost, "/v1/customers", r.record)
				numbers[contract] = fmt.Sprint(created["number"])
				env = append(env, strings.ToUpper(contract)+"="+numbers[contract])
				if contract == "lochting" {
					env = append(env, fmt.Sprintf("LOCHTING=customer-%s", created["id"]))
				}
			}
			s.run(t, source, env)
			for contract, r := range records {
				if diff := cmp.Diff(r.history, s.history(t, numbers[contract])); diff != "" {
					t.Errorf("%s: the history (-want +got):\n%s", contract, diff)
				}
			}
		})
	}
}

// server is a running demo.
type server struct{ url string }

func start(t *testing.T) server {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "kartotek")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "..").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	demo := exec.CommandContext(t.Context(), binary, "demo", "--listen", "127.0.0.1:0")
	demo.Cancel = func() error { return demo.Process.Signal(os.Interrupt) }
	demo.WaitDelay = 20 * time.Second
	output, err := demo.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = demo.Wait() }) // t.Context has stopped it
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if m := listening.FindSubmatch(lines.Bytes()); m != nil {
			go func() { _, _ = io.Copy(io.Discard, output) }() // ends with the server
			return server{string(m[1])}
		}
	}
	t.Fatal("the demo did not start")
	return server{}
}

var listening = regexp.MustCompile(`"msg":"listening","url":"([^"]+)"`)

// run runs a program in a directory of its own, beside the documents.
func (s server) run(t *testing.T, source string, env []string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	documents := filepath.Join(dir, "documents")
	if err := os.Mkdir(documents, 0o755); err != nil {
		t.Fatal(err)
	}
	for contract := range records {
		document := s.get(t, "/docs/"+contract+"/openapi.json")
		if err := os.WriteFile(filepath.Join(documents, contract+".json"), document, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	program := exec.CommandContext(ctx, "sh", "-eu", "run.sh")
	program.Dir = dir
	program.Env = env
	if out, err := program.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out[max(0, len(out)-4000):])
	}
}

// history returns the changes since the creation, oldest first: the fields and their new values.
func (s server) history(t *testing.T, number string) (all []string) {
	t.Helper()
	var page struct {
		Items []struct {
			Changes []struct {
				Pointer string
				After   json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(s.get(t, "/v1/customers/"+number+"/changes"), &page); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(page.Items)
	for _, item := range page.Items[1:] {
		var fields []string
		for _, c := range item.Changes {
			fields = append(fields, c.Pointer+" "+string(c.After))
		}
		all = append(all, strings.Join(fields, " "))
	}
	return all
}

func (s server) get(t *testing.T, path string) []byte {
	t.Helper()
	return s.exchange(t, http.MethodGet, path, "")
}

func (s server) send(t *testing.T, method, path, body string) (object map[string]any) {
	t.Helper()
	if err := json.Unmarshal(s.exchange(t, method, path, body), &object); err != nil {
		t.Fatal(err)
	}
	return object
}

func (s server) exchange(t *testing.T, method, path, body string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		t.Fatalf("%s %s: %s, %v, %s", method, path, response.Status, err, bytes.TrimSpace(text))
	}
	return text
}
