package portal_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestDocumentsSuitClientGenerators checks the rules of clients/README.md, each of which a client
// generator needs. "make test-clients" runs the generators.
func TestDocumentsSuitClientGenerators(t *testing.T) {
	t.Parallel()
	for _, c := range contracts() {
		var document map[string]any
		if err := json.Unmarshal(documentOf(t, c.Name, "json"), &document); err != nil {
			t.Fatal(err)
		}
		for _, broken := range brokenRules(document) {
			t.Errorf("%s: %s", c.Name, broken)
		}
	}
}

func TestBrokenRulesAreFound(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ document, want string }{
		"no contact":       {`{"info":{"license":{}}}`, "/info: no contact"},
		"no licence":       {`{"info":{"contact":{}}}`, "/info: no license"},
		"null alone":       {`{"a":{"type":"null"}}`, "/a: type null alone"},
		"several types":    {`{"a":{"type":["string","integer","null"]}}`, "/a: several types"},
		"pattern":          {`{"a":{"type":["string","null"],"format":"date-time","pattern":"Z$"}}`, "/a: pattern beside date-time"},
		"allOf":            {`{"a":{"allOf":[{"$ref":"#/b"}],"properties":{}}}`, "/a: allOf beside properties"},
		"unique":           {`{"a":{"oneOf":[{"type":"array","uniqueItems":true}]}}`, "/a/oneOf: uniqueItems"},
		"constructor":      {`{"components":{"schemas":{"Key":{},"NewKey":{}}}}`, "/components/schemas: NewKey beside Key"},
		"security scheme":  {`{"components":{"schemas":{"Key":{}},"securitySchemes":{"key":{}}}}`, "/components/schemas: Key is a security scheme"},
		"plain request id": {`{"a":{"name":"X-Request-Id","in":"header","description":"Your id."}}`, "/a: does not say what happens to an invalid id"},
	} {
		t.Run(name, func(t *testing.T) {
			var document map[string]any
			if err := json.Unmarshal([]byte(tt.document), &document); err != nil {
				t.Fatal(err)
			}
			if got := brokenRules(document); !slices.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// brokenRules returns the places of a document, and what generators fail on there.
func brokenRules(document map[string]any) (all []string) {
	info, _ := document["info"].(map[string]any)
	for _, name := range []string{"contact", "license"} {
		if info[name] == nil {
			all = append(all, "/info: no "+name)
		}
	}
	components, _ := document["components"].(map[string]any)
	schemas, _ := components["schemas"].(map[string]any)
	schemes, _ := components["securitySchemes"].(map[string]any)
	for name := range schemas {
		if other, isNew := strings.CutPrefix(name, "New"); isNew && schemas[other] != nil {
			all = append(all, "/components/schemas: "+name+" beside "+other)
		}
		for scheme := range schemes {
			if strings.EqualFold(scheme, name) {
				all = append(all, "/components/schemas: "+name+" is a security scheme")
			}
		}
	}
	return append(all, brokenBelow(document, "")...)
}

func brokenBelow(value any, at string) (all []string) {
	switch value := value.(type) {
	case []any:
		for _, v := range value {
			all = append(all, brokenBelow(v, at)...)
		}
	case map[string]any:
		for _, broken := range brokenObject(value, at) {
			all = append(all, at+": "+broken)
		}
		for name, v := range value {
			if name != "example" && name != "examples" {
				all = append(all, brokenBelow(v, at+"/"+name)...)
			}
		}
	}
	return all
}

func brokenObject(object map[string]any, at string) (all []string) {
	types, _ := object["type"].([]any)
	isNull := func(v any) bool { return v == "null" }
	description, _ := object["description"].(string)
	nullable := strings.HasSuffix(at, "/oneOf") // an alternative, or null
	for broken, found := range map[string]bool{
		"type null alone":                            object["type"] == "null" && !nullable,
		"several types":                              len(slices.DeleteFunc(slices.Clone(types), isNull)) > 1,
		"pattern beside date-time":                   object["format"] == "date-time" && object["pattern"] != nil,
		"allOf beside properties":                    object["allOf"] != nil && object["properties"] != nil,
		"uniqueItems":                                object["uniqueItems"] != nil && nullable,
		"does not say what happens to an invalid id": object["name"] == "X-Request-Id" && object["in"] == "header" && !strings.Contains(description, "invalid id"),
	} {
		if found {
			all = append(all, broken)
		}
	}
	return all
}
