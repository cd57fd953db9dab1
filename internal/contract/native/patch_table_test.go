package native_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"kartotek/internal/contract/contracttest"
)

// client sends requests to a contract, with the key of one who may do all with
// customers.
type client struct {
	t       testing.TB
	handler http.Handler
	key     string
}

func newClient(t testing.TB) client {
	t.Helper()
	world := contracttest.NewFixture(t)
	return client{t, world.Handler(start(world)), world.Key("writer")}
}

// send returns the status, the header and the JSON of the answer. headers are
// names and values in turn.
func (c client) send(method, target, contentType, body string, headers ...string) (int, http.Header, map[string]any) {
	c.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+c.key)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	var members map[string]any
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &members); err != nil {
			c.t.Fatalf("%s %s: %v in %s", method, target, err, w.Body)
		}
	}
	return w.Code, w.Header(), members
}

func (c client) patch(ref, body string) (int, map[string]any) {
	c.t.Helper()
	status, _, members := c.send(http.MethodPatch, "/v1/customers/"+ref, "application/merge-patch+json", body)
	return status, members
}

// fresh is the body of the record that each cell of the table begins with. Its
// last name is its only one.
const fresh = `{"kind":"person","lastName":"Nordmann","birthDate":"1968-03-05","gender":"female","nationalId":"05036812345",
	"email":"kari@example.com","phone":"22334455","confirmedAt":"2026-01-01T12:00:00Z",
	"address":{"line":"Storgata 1","houseNumber":"1","poBox":10,"city":"Gent","editable":true},"services":{"grid":true}}`

// samples are the values of the last three columns of the table, for each member.
var samples = map[string]struct{ another, broken, otherType string }{
	"/nationalId":           {`"1"`, `"` + strings.Repeat("1", 33) + `"`, `7`},
	"/lastName":             {`"Hansen"`, `"` + strings.Repeat("x", 101) + `"`, `true`},
	"/email":                {`"kari@example.org"`, `"kari"`, `[]`},
	"/phone":                {`"+47 55443322"`, `"12"`, `22334455`},
	"/birthDate":            {`"1970-01-01"`, `"1970-02-30"`, `19700101`},
	"/gender":               {`"male"`, `"Female"`, `0`},
	"/kind":                 {`"organisation"`, `"robot"`, `{}`},
	"/address/city":         {`"Oslo"`, `"` + strings.Repeat("x", 101) + `"`, `{}`},
	"/address/poBox":        {`11`, `-1`, `"10"`},
	"/address/editable":     {`false`, ``, `1`},
	"/services/grid":        {`false`, ``, `"true"`},
	"/address":              {`{"city":"Oslo"}`, `{"country":"Norway"}`, `"Storgata 1"`},
	"/services":             {`{"power":true}`, ``, `["grid"]`},
	"/id":                   {`"0195e3a0-0000-7000-8000-0000000000ff"`, ``, `7`},
	"/version":              {`2`, ``, `"1"`},
	"/confirmedAt":          {`"2026-01-02T12:00:00Z"`, `"yesterday"`, `7`},
	"/requiresConfirmation": {`true`, ``, `"no"`},
	"/tenant":               {`"other"`, ``, `7`},
	"/nickname":             {`"K"`, ``, `7`},
}

func TestTruthTable(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	table := readTable(t)
	if got, want := slices.Sorted(maps.Keys(table)), slices.Sorted(maps.Keys(samples)); !slices.Equal(got, want) {
		t.Fatalf("the table has the members %v, want %v", got, want)
	}
	for pointer, row := range table {
		for column, cell := range row {
			status, _, before := c.send(http.MethodPost, "/v1/customers", "application/json", fresh)
			if status != http.StatusCreated {
				t.Fatalf("a fresh record: got %d %v", status, before)
			}
			value, sent := sample(t, pointer, column, before)
			if (cell == "") != !sent {
				t.Errorf("%s, %s: the table says %q, and there is the value %q for it", pointer, column, cell, value)
				continue
			}
			if !sent {
				continue
			}
			c.play(pointer, column, document(pointer, value), cell, before)
		}
	}
}

// readTable is the truth table of the README: for each member, what each column
// says.
func readTable(t *testing.T) map[string]map[string]string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	pointer := regexp.MustCompile("`(/[A-Za-z/]+)`$")
	var columns []string
	table := map[string]map[string]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if cells[0] == "member" {
			columns = cells
			continue
		}
		m := pointer.FindStringSubmatch(cells[0])
		if m == nil || len(cells) != len(columns) {
			continue
		}
		row := map[string]string{}
		for i, cell := range cells[1:] {
			row[columns[1+i]] = cell
		}
		table[m[1]] = row
	}
	return table
}

// sample is the JSON that a column stands for; sent is false where there is none.
func sample(t *testing.T, pointer, column string, before map[string]any) (value string, sent bool) {
	t.Helper()
	s := samples[pointer]
	switch column {
	case "absent":
		return "", pointer != "/tenant" && pointer != "/nickname"
	case "`null`":
		return "null", true
	case "`\"\"`":
		return `""`, true
	case "its own value":
		if pointer == "/tenant" {
			return `"hafslund"`, true
		}
		v, ok := at(before, pointer)
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b), ok
	case "another value":
		return s.another, true
	case "against its rules":
		return s.broken, s.broken != ""
	case "of another type":
		return s.otherType, true
	}
	t.Fatalf("the table has a column %q", column)
	return "", false
}

// document is a merge patch that gives the member the value, or nothing for "".
func document(pointer, value string) string {
	if value == "" {
		return `{}`
	}
	parent, name, nested := strings.Cut(pointer[1:], "/")
	if nested {
		return fmt.Sprintf(`{%q:{%q:%s}}`, parent, name, value)
	}
	return fmt.Sprintf(`{%q:%s}`, parent, value)
}

func at(record map[string]any, pointer string) (v any, ok bool) {
	v = record
	for name := range strings.SplitSeq(pointer[1:], "/") {
		members, _ := v.(map[string]any)
		if v, ok = members[name]; !ok {
			return nil, false
		}
	}
	return v, true
}

// play sends the document and compares what becomes of the record with the cell.
func (c client) play(pointer, column, body, cell string, before map[string]any) {
	c.t.Helper()
	status, answer := c.patch(before["id"].(string), body)
	_, _, after := c.send(http.MethodGet, "/v1/customers/"+before["id"].(string), "", "")
	what := fmt.Sprintf("%s, %s: %s", pointer, column, body)
	if rule, refused := strings.CutPrefix(cell, "422 "); refused {
		errors, _ := answer["errors"].([]any)
		first, _ := errors[0].(map[string]any)
		told, _ := first["pointer"].(string)
		if status != http.StatusUnprocessableEntity || len(errors) != 1 || first["rule"] != rule || !strings.HasPrefix(told, pointer) {
			c.t.Errorf("%s: got %d %v, want 422 %s", what, status, errors, rule)
		}
		cell = "stays"
	} else if status != http.StatusOK || !cmp.Equal(answer, after) {
		c.t.Errorf("%s: got %d %v, want 200 and the record", what, status, answer)
	}
	if want := expected(c.t, pointer, body, cell, before); !cmp.Equal(after, want) {
		c.t.Errorf("%s: the record (-got +want)\n%s", what, cmp.Diff(after, want))
	}
}

// expected is the record when the cell is right.
func expected(t testing.TB, pointer, body, cell string, before map[string]any) map[string]any {
	t.Helper()
	if cell == "stays" {
		return before
	}
	want := clone(t, before)
	want["version"] = before["version"].(float64) + 1
	var sent map[string]any
	if err := json.Unmarshal([]byte(body), &sent); err != nil {
		t.Fatal(err)
	}
	value, _ := at(sent, pointer)
	parent, name, nested := strings.Cut(pointer[1:], "/")
	members := want
	if nested {
		members = want[parent].(map[string]any)
	} else {
		name = parent
	}
	object, isObject := members[name].(map[string]any)
	switch {
	case cell == "set" && isObject:
		maps.Copy(object, value.(map[string]any))
	case cell == "set":
		members[name] = value
	case cell == "cleared" && isObject:
		for part, v := range object {
			object[part] = nil
			if _, isFlag := v.(bool); isFlag {
				object[part] = false
			}
		}
	case cell == "cleared":
		members[name] = nil
	case cell == "false" && isObject:
		for part := range object {
			object[part] = false
		}
	case cell == "false":
		members[name] = false
	default:
		t.Fatalf("the table has a cell %q", cell)
	}
	return want
}

func clone(t testing.TB, members map[string]any) (out map[string]any) {
	t.Helper()
	b, err := json.Marshal(members)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}
