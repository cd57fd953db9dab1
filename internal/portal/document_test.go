package portal_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"kartotek/internal/portal"
	"kartotek/internal/portal/openapi"
)

func documentOf(t *testing.T, name, form string) []byte {
	t.Helper()
	got := send(t, portal.Settings{Contracts: contracts(), URL: "https://api.acme.test"}, http.MethodGet, "/docs/"+name+"/openapi."+form)
	if got.Code != http.StatusOK {
		t.Fatalf("got status %d", got.Code)
	}
	return got.Body.Bytes()
}

// TestDocumentsAreValidAndHaveRecordedExamples validates each document as OpenAPI, and its
// examples against its schemas.
func TestDocumentsAreValidAndHaveRecordedExamples(t *testing.T) {
	t.Parallel()
	for _, c := range contracts() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			doc, err := openapi3.NewLoader().LoadFromData(documentOf(t, c.Name, "json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := doc.Validate(t.Context()); err != nil {
				t.Error(err)
			}
			for _, route := range c.Routes {
				op := doc.Paths.Find(route.Path).GetOperation(route.Method)
				wantSamples(t, route.Operation, op)
				if op.RequestBody != nil {
					wantRecorded(t, route.Operation+" request", op.RequestBody.Value.Content)
				}
				for status, response := range op.Responses.Map() {
					wantRecorded(t, route.Operation+" "+status, response.Value.Content)
				}
			}
		})
	}
}

func wantSamples(t *testing.T, name string, op *openapi3.Operation) {
	t.Helper()
	list, _ := op.Extensions["x-codeSamples"].([]any)
	if len(list) < 21 {
		t.Errorf("%s: got %d code samples, want all", name, len(list))
	}
	for _, item := range list {
		sample, _ := item.(map[string]any)
		source, _ := sample["source"].(string)
		if !strings.Contains(source, "https://api.acme.test/") {
			t.Errorf("%s: the sample in %v has no URL: %s", name, sample["lang"], source)
		}
	}
}

// wantRecorded requires a recorded example in one of the media types of a body.
func wantRecorded(t *testing.T, name string, content openapi3.Content) {
	t.Helper()
	count := 0
	for _, media := range content {
		for key := range media.Examples {
			if strings.HasPrefix(key, "recorded-") {
				count++
			}
		}
	}
	if len(content) > 0 && count == 0 {
		t.Errorf("%s: got no recorded example", name)
	}
}

// TestFirstExampleIsSmallest checks the request that code samples send and readers try first.
func TestFirstExampleIsSmallest(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"elw":      `{"PhoneNumber":"22334455"}`,
		"lochting": `{"country":"BE","emailAddress":"kari@example.org","firstName":"Kari","gender":"female","lastName":"Nordmann","locale":"nl_BE"}`,
	} {
		doc, err := openapi3.NewLoader().LoadFromData(documentOf(t, name, "json"))
		if err != nil {
			t.Fatal(err)
		}
		for path, item := range doc.Paths.Map() {
			first := item.Patch.RequestBody.Value.Content["application/json"].Examples["recorded-1"]
			if got, err := json.Marshal(first.Value.Value); err != nil || string(got) != want {
				t.Errorf("%s: got the example %s, %v, want %s", path, got, err, want)
			}
			samples, _ := item.Patch.Extensions["x-codeSamples"].([]any)
			for _, s := range samples {
				text, _ := s.(map[string]any)["source"].(string)
				if strings.Contains(text, "BirthDate") || strings.Contains(text, "nationalId") {
					t.Errorf("%s: a code sample sends more than the first example: %s", path, text)
				}
			}
		}
	}
}

// TestPlaceholdersOfTranscriptsAreReplaced looks for names such as $id in the collections, which
// have all requests and responses of the documents.
func TestPlaceholdersOfTranscriptsAreReplaced(t *testing.T) {
	t.Parallel()
	placeholder := regexp.MustCompile(`.{0,40}\$[a-z]+`)
	for _, c := range contracts() {
		text := send(t, portal.Settings{Contracts: contracts()}, http.MethodGet, "/docs/"+c.Name+"/postman.json").Body.String()
		for _, found := range placeholder.FindAllString(text, -1) {
			t.Errorf("%s: %s", c.Name, found)
		}
	}
}

// TestOperationsHaveTheirOwnExamples compares two operations that share a response in
// spec.yaml.
func TestOperationsHaveTheirOwnExamples(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(documentOf(t, "native", "json"))
	if err != nil {
		t.Fatal(err)
	}
	path := doc.Paths.Find("/v1/customers/{ref}")
	shown := func(op *openapi3.Operation, status string) (values []any) {
		for _, e := range op.Responses.Value(status).Value.Content["application/problem+json"].Examples {
			values = append(values, e.Value.Value)
		}
		return values
	}
	if get, patch := shown(path.Get, "400"), shown(path.Patch, "400"); len(get) != 1 || reflect.DeepEqual(get, patch) {
		t.Errorf("GET has %v, PATCH has %v", get, patch)
	}
}

func TestYAMLAndJSONAreSameDocument(t *testing.T) {
	t.Parallel()
	for _, c := range contracts() {
		fromYAML, err := openapi.Parse(documentOf(t, c.Name, "yaml"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := openapi.JSON(fromYAML.Root)
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(documentOf(t, c.Name, "json"), &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: openapi.yaml and openapi.json differ", c.Name)
		}
	}
}

// TestDocumentsPassRedocly lints the documents by Redocly's recommended rules, if "make ui"
// has installed Redocly.
func TestDocumentsPassRedocly(t *testing.T) {
	t.Parallel()
	ui, err := filepath.Abs("../../ui")
	if err != nil {
		t.Fatal(err)
	}
	cli := filepath.Join(ui, "node_modules/@redocly/cli/bin/cli.js")
	if _, err := os.Stat(cli); err != nil && os.Getenv("KARTOTEK_TEST_ALL") == "" {
		t.Skip(err)
	}
	dir := t.TempDir()
	args := []string{cli, "lint", "--format", "json", "--config", filepath.Join(ui, "redocly.yaml")}
	for _, c := range contracts() {
		name := filepath.Join(dir, c.Name+".json")
		if err := os.WriteFile(name, documentOf(t, c.Name, "json"), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, name)
	}
	cmd := exec.CommandContext(t.Context(), "node", args...)
	cmd.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
	out, err := cmd.Output()
	if err != nil && len(out) == 0 {
		t.Fatal(err)
	}
	reports := json.NewDecoder(bytes.NewReader(out)) // one for each document
	for range contracts() {
		var report struct {
			Problems []struct{ Message, RuleID, Severity string }
		}
		if err := reports.Decode(&report); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for _, p := range report.Problems {
			t.Errorf("%s: %s (%s)", p.Severity, p.Message, p.RuleID)
		}
	}
}
