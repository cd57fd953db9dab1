package cli_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// postmanCollection is the part of Postman's format 2.1 that Kartotek's collections use.
type postmanCollection struct {
	Info struct {
		Name, Description, Schema string
	}
	Auth     map[string]any
	Variable []postmanPair
	Item     []struct {
		Name string
		Item []postmanItem
	}
}

type postmanItem struct {
	Name     string
	Request  postmanRequest
	Response []struct {
		Name, Status, Body string
		Code               int
		OriginalRequest    postmanRequest
		Header             []postmanPair
		Preview            string `json:"_postman_previewlanguage"`
	}
}

type postmanRequest struct {
	Method, Description string
	Header              []postmanPair
	Body                *struct{ Mode, Raw string }
	URL                 struct {
		Raw             string
		Host, Path      []string
		Query, Variable []postmanPair
	}
}

type postmanPair struct{ Key, Value, Type, Description string }

// TestPostmanCollectionsWork parses each collection strictly and sends its requests to a demo,
// in order, as Postman does.
func TestPostmanCollectionsWork(t *testing.T) {
	t.Parallel()
	for name, operations := range map[string]int{"elw": 2, "lochting": 2, "native": 14} {
		url := startDemo(t)
		_, text := sendJSON(t, http.MethodGet, url+"/docs/"+name+"/postman.json", "", "")
		var c postmanCollection
		err := json.Unmarshal(text, &c, json.MatchCaseInsensitiveNames(true), json.RejectUnknownMembers(true))
		if err != nil || c.Info.Schema != "https://schema.getpostman.com/json/collection/v2.1.0/collection.json" || c.Info.Name == "" {
			t.Fatalf("%s: %v, %+v", name, err, c.Info)
		}
		sent := 0
		for _, folder := range c.Item {
			for _, item := range folder.Item {
				sent++
				c.send(t, url, item)
			}
		}
		if sent != operations {
			t.Errorf("%s: got %d requests, want %d", name, sent, operations)
		}
	}
}

func (c postmanCollection) send(t *testing.T, url string, item postmanItem) {
	t.Helper()
	r := item.Request
	target := strings.Join(append(r.URL.Host, r.URL.Path...), "/")
	for _, v := range r.URL.Variable {
		target = strings.ReplaceAll(target, ":"+v.Key, v.Value)
	}
	for i, q := range r.URL.Query {
		target += map[bool]string{true: "?", false: "&"}[i == 0] + q.Key + "=" + q.Value
	}
	target = c.expand(target)
	body := ""
	if r.Body != nil {
		body = r.Body.Raw
	}
	req, err := http.NewRequestWithContext(t.Context(), r.Method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range r.Header {
		req.Header.Set(h.Key, h.Value)
	}
	c.authenticate(t, req)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	absent := r.Method == http.MethodDelete // the demo has no such key or account
	if (resp.StatusCode/100 == 2) == absent || absent && resp.StatusCode != http.StatusNotFound || !strings.HasPrefix(target, url) {
		t.Errorf("%s: %s %s: got %s", item.Name, r.Method, target, resp.Status)
	}
	if len(item.Response) == 0 || r.Description == "" {
		t.Errorf("%s: no example responses, or no description", item.Name)
	}
}

// expand replaces the collection's variables in a text.
func (c postmanCollection) expand(text string) string {
	for _, v := range c.Variable {
		text = strings.ReplaceAll(text, "{{"+v.Key+"}}", v.Value)
	}
	return text
}

func (c postmanCollection) authenticate(t *testing.T, req *http.Request) {
	t.Helper()
	kind, _ := c.Auth["type"].(string)
	list, _ := c.Auth[kind].([]any)
	parameters := map[string]string{}
	for _, item := range list {
		pair, _ := item.(map[string]any)
		key, _ := pair["key"].(string)
		value, _ := pair["value"].(string)
		parameters[key] = c.expand(value)
	}
	switch kind {
	case "basic":
		req.SetBasicAuth(parameters["username"], parameters["password"])
	case "bearer":
		req.Header.Set("Authorization", "Bearer "+parameters["token"])
	case "apikey":
		req.Header.Set(parameters["key"], parameters["value"])
	default:
		t.Fatalf("unexpected authentication %v", c.Auth)
	}
}
