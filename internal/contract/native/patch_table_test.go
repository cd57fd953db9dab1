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

// client sends requests to a contract with a key that may read and write customers.
type client struct {
	t       testing.TB
	handler http.Handler
	key     string
}

func newClient(t testing.TB) client {
	t.Helper()
	fixture := contracttest.NewFixture(t)
	return client{t, fixture.Handler(start(fixture)), fixture.Key("writer")}
}

// send returns the status, header and JSON of the response. headers has alternating names and values.
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
	var object map[string]any
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &object); err != nil {
			c.t.Fatalf("%s %s: %v in %s", method, target, err, w.Body)
		}
	}
	return w.Code, w.Header(), object
}

func (c client) patch(ref, body string) (int, map[string]any) {
	c.t.Helper()
	status, _, object := c.send(http.MethodPatch, "/v1/customers/"+ref, "application/merge-patch+json", body)
	return status, object
}

// newCustomer is the record that each cell of the table starts with.
const newCustomer = `{"kind":"person","lastName":"Nordmann","birthDate":"1968-03-05","gender":"female","nationalId":"05036812345",
	"email":"kari@example.com","phone":"22334455","confirmedAt":"2026-01-01T12:00:00Z",
	"address":{"line":"Storgata 1","houseNumber":"1","poBox":10,"city":"Gent","editable":true},"services":{"grid":true}}`

// samples has the values of the last three columns of the table, by property.
var samples = map[string]struct{ different, invalid, wrongType string }{
	"/nationalId":           {`"1"`, `"` + strings.Repeat("1", 33) + `"`, `7`},
	"/lastName":             {`"Hansen"`, `"` + strings.Repeat("x", 101) + `"`, `true`},
	"/email":                {`"kari@example.org"`, `"kari"`, `[]`},
	"/phone":                {`"+47 55443322"`, `"none"`, `22334455`},
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

func TestPatchTable(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	table := readTable(t)
	if got, want := slices.Sorted(maps.Keys(table)), slices.Sorted(maps.Keys(samples)); !slices.Equal(got, want) {
		t.Fatalf("the table has the properties %v, want %v", got, want)
	}
	for pointer, row := range table {
		for column, cell := range row {
			status, _, before := c.send(http.MethodPost, "/v1/customers", "application/json", newCustomer)
			if status != http.StatusCreated {
				t.Fatalf("create: got %d %v", status, before)
			}
			value, sent := sample(t, pointer, column, before)
			if (cell == "") != !sent {
				t.Errorf("%s, %s: the table has %q, the sample is %q", pointer, column, cell, value)
				continue
			}
			if !sent {
				continue
			}
			c.checkCell(pointer, column, mergePatch(pointer, value), cell, before)
		}
	}
}

// readTable reads the table of the README: the cells of each property, by column.
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
		if cells[0] == "property" {
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

// sample returns the JSON value of a column; sent is false when there is none.
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
	case "the current value":
		if pointer == "/tenant" {
			return `"hafslund"`, true
		}
		v, ok := at(before, pointer)
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b), ok
	case "a different value":
		return s.different, true
	case "an invalid value":
		return s.invalid, s.invalid != ""
	case "another type":
		return s.wrongType, true
	}
	t.Fatalf("unknown column %q", column)
	return "", false
}

// mergePatch returns a merge patch that sets the property to the value; it is empty for "".
func mergePatch(pointer, value string) string {
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
		object, _ := v.(map[string]any)
		if v, ok = object[name]; !ok {
			return nil, false
		}
	}
	return v, true
}

// checkCell sends the patch and compares the resulting record with the cell.
func (c client) checkCell(pointer, column, body, cell string, before map[string]any) {
	c.t.Helper()
	status, response := c.patch(before["id"].(string), body)
	_, _, after := c.send(http.MethodGet, "/v1/customers/"+before["id"].(string), "", "")
	what := fmt.Sprintf("%s, %s: %s", pointer, column, body)
	if rule, fails := strings.CutPrefix(cell, "422 "); fails {
		errors, _ := response["errors"].([]any)
		first, _ := errors[0].(map[string]any)
		location, _ := first["pointer"].(string)
		if status != http.StatusUnprocessableEntity || len(errors) != 1 || first["rule"] != rule || !strings.HasPrefix(location, pointer) {
			c.t.Errorf("%s: got %d %v, want 422 %s", what, status, errors, rule)
		}
		cell = "unchanged"
	} else if status != http.StatusOK || !cmp.Equal(response, after) {
		c.t.Errorf("%s: got %d %v, want 200 and the record", what, status, response)
	}
	if want := expected(c.t, pointer, body, cell, before); !cmp.Equal(after, want) {
		c.t.Errorf("%s: the record (-got +want)\n%s", what, cmp.Diff(after, want))
	}
}

// expected returns the record that the cell requires.
func expected(t testing.TB, pointer, body, cell string, before map[string]any) map[string]any {
	t.Helper()
	if cell == "unchanged" {
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
	parentObject := want
	if nested {
		parentObject = want[parent].(map[string]any)
	} else {
		name = parent
	}
	object, isObject := parentObject[name].(map[string]any)
	switch {
	case cell == "set" && isObject:
		maps.Copy(object, value.(map[string]any))
	case cell == "set":
		parentObject[name] = value
	case cell == "cleared" && isObject:
		for part, v := range object {
			object[part] = nil
			if _, isFlag := v.(bool); isFlag {
				object[part] = false
			}
		}
	case cell == "cleared":
		parentObject[name] = nil
	case cell == "false" && isObject:
		for part := range object {
			object[part] = false
		}
	case cell == "false":
		parentObject[name] = false
	default:
		t.Fatalf("unknown cell %q", cell)
	}
	return want
}

func clone(t testing.TB, object map[string]any) (out map[string]any) {
	t.Helper()
	b, err := json.Marshal(object)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}
