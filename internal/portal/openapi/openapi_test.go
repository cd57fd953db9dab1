package openapi_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"kartotek/internal/portal/openapi"
)

const spec = `
openapi: 3.1.0
paths:
  /things/{id}:
    get:
      responses:
        "200": {$ref: "#/components/responses/Thing"}
        "400": {$ref: "#/components/responses/Bad"}
        "404": {$ref: "#/paths/~1things~1{id}/get/responses/400"}
        "500": {$ref: "#/components/responses/Nowhere"}
components:
  responses:
    Thing: {description: A thing., content: &json {application/json: {example: [1, -2.5, true, null, "3", 2026-01-02, <&>]}}}
    Bad: {description: A bad thing., content: *json}
    Round: {$ref: "#/components/responses/About"}
    About: {$ref: "#/components/responses/Round"}
`

func parse(t *testing.T) openapi.Document {
	t.Helper()
	doc, err := openapi.Parse([]byte(spec))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestJSONKeepsOrder(t *testing.T) {
	t.Parallel()
	got, err := openapi.JSON(parse(t).Root.Object("components").Object("responses").Object("Bad"))
	want := `{"description":"A bad thing.","content":{"application/json":{"example":[1,-2.5,true,null,"3","2026-01-02","<&>"]}}}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestResolveFollowsReferences(t *testing.T) {
	t.Parallel()
	doc := parse(t)
	responses := doc.Root.Object("paths").Object("/things/{id}").Object("get").Object("responses")
	got := map[string]string{}
	for _, m := range responses {
		response, name := doc.Resolve(m.Value)
		got[m.Name] = name + ": " + response.Text("description")
	}
	want := map[string]string{"200": "Thing: A thing.", "400": "Bad: A bad thing.", "404": "Bad: A bad thing.", "500": "Nowhere: "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if round, _ := doc.Resolve(doc.Root.Object("components").Object("responses").Object("Round")); round != nil {
		t.Errorf("references in a circle: got %v", round)
	}
}

func TestAliasesAreCopied(t *testing.T) {
	t.Parallel()
	responses := parse(t).Root.Object("components").Object("responses")
	media := responses.Object("Thing").Object("content").Object("application/json")
	media.Set("example", "changed")
	media.Set("examples", openapi.Object{})
	if got := responses.Object("Thing").Object("content").Object("application/json").Text("example"); got != "changed" {
		t.Errorf("where it was changed: got %q", got)
	}
	if got := responses.Object("Bad").Object("content").Object("application/json").Text("example"); got != "" {
		t.Errorf("elsewhere: got %q", got)
	}
}

func TestParseRejectsOtherText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "[]", "text", "a: [", "a: 18446744073709551615"} {
		if doc, err := openapi.Parse([]byte(text)); err == nil {
			t.Errorf("%q: got %v, want an error", text, doc)
		}
	}
}

func TestYAMLHasTheSameContent(t *testing.T) {
	t.Parallel()
	doc := parse(t)
	doc.Root.Set("odd", openapi.Object{{Name: "200", Value: "two\nlines\n"}, {Name: "no", Value: "yes"}, {Name: "~", Value: " 1 "}, {Name: "empty", Value: openapi.List{}}})
	text, err := openapi.YAML(doc.Root)
	if err != nil {
		t.Fatal(err)
	}
	again, err := openapi.Parse(text)
	if diff := cmp.Diff(doc, again); err != nil || diff != "" {
		t.Errorf("%v, want -, got +:\n%s\n%s", err, diff, text)
	}
}

func TestRawJSONIsEncoded(t *testing.T) {
	t.Parallel()
	const text = `{"b":[1,-2.5,true,false,null,"ø\u0001",{},[]],"a":{"x":1e+300}}`
	root := openapi.Object{{Name: "raw", Value: jsontext.Value(text)}}
	want := `{"raw":` + text + "}"
	if got, err := openapi.JSON(root); err != nil || string(got) != want {
		t.Errorf("JSON: got %s, %v, want %s", got, err, want)
	}
	inYAML, err := openapi.YAML(root)
	if err != nil {
		t.Fatal(err)
	}
	again, err := openapi.Parse(inYAML)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := openapi.JSON(again.Root); err != nil || string(got) != want {
		t.Errorf("YAML: got %s, %v, want %s", inYAML, err, want)
	}
}

func TestInvalidJSONIsRejected(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{", "[1", "{}{}", `{"a":}`, `{"a":1,"a":2}`, "text"} {
		for name, encode := range map[string]func(any) ([]byte, error){"JSON": openapi.JSON, "YAML": openapi.YAML} {
			if got, err := encode(openapi.List{jsontext.Value(text)}); err == nil {
				t.Errorf("%s of %q: got %s, want an error", name, text, got)
			}
		}
	}
}
