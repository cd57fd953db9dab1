package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"
)

const (
	demoKey   = "kart_demo0000_thisKeyIsPublicAndOnlyForTheDemoOfKartotek02fBIhC"
	guidePath = guidesDir + "2-partial-updates.md"
)

// TestGuideTablesMatchResponses sends a PATCH for each cell of the guide's tables of elw and
// lochting. It changes one property of a customer that has a value for every property.
func TestGuideTablesMatchResponses(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(guidePath)
	if err != nil {
		t.Fatal(err)
	}
	url := startDemo(t)
	for _, d := range contractCases {
		_, section, _ := strings.Cut(string(text), "\n## "+d.name+":")
		section, _, _ = strings.Cut(section, "\n## ")
		rows := 0
		for line := range strings.Lines(section) {
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
			property, isProperty := strings.CutPrefix(strings.TrimSpace(cells[0]), "`")
			if !isProperty || len(cells) != 8 {
				continue
			}
			property, _, _ = strings.Cut(property, "`")
			rows++
			for i, cell := range cells[1:] {
				want := strings.TrimSpace(cell)
				value, possible := d.value(property, columns[i])
				if (want != "") != possible {
					t.Errorf("%s %s, %s: the guide says %q", d.name, property, columns[i], want)
				} else if got := ""; possible {
					if got = d.outcome(t, url, property, value); got != want {
						t.Errorf("%s %s, %s (%v): got %q, the guide says %q", d.name, property, columns[i], value, got, want)
					}
				}
			}
		}
		if rows != len(d.values) {
			t.Errorf("%s: the guide has %d rows, want %d", d.name, rows, len(d.values))
		}
	}
}

// TestGuideAndReadmeShowSameTableOfNative compares the guide's table with the table in the
// contract's README, which the contract's own test checks.
func TestGuideAndReadmeShowSameTableOfNative(t *testing.T) {
	t.Parallel()
	var tables [2]string
	for i, name := range []string{guidePath, "../contract/native/README.md"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), "\n| text `/nationalId`")
		tables[i], _, _ = strings.Cut(rest, "\n\n")
	}
	if tables[0] == "" || tables[0] != tables[1] {
		t.Errorf("got the table\n%s\nwant\n%s", tables[0], tables[1])
	}
}

// columns are the columns of the tables.
var columns = []string{"absent", "null", "empty", "own", "another", "broken", "type"}

// contractCase has the values for the tables of one contract.
type contractCase struct {
	name, path    string
	authorization string
	required      map[string]any            // properties that every PATCH needs
	values        map[string]map[string]any // by property and column
}

var contractCases = []contractCase{
	{
		name: "elw", path: "/api/customers/42", authorization: "Basic c2VydmljZTpkZW1vLXBhc3N3b3Jk",
		values: map[string]map[string]any{
			"PhoneNumber":  {"another": "99887766", "broken": "+47 1", "type": true},
			"MobileNumber": {"another": "99887766", "broken": "123456789012345", "type": true},
			"Email":        {"another": "another@example.com", "broken": "nope", "type": 1},
			"FirstName":    {"another": "Another", "type": 1},
			"BirthDate":    {"another": "1971-02-03T00:00:00", "broken": "yesterday", "type": 1},
			"Nickname":     {"another": "Another"},
		},
	},
	{
		name: "lochting", path: "/public/v1/customer/customer-c7d932c1-84e8-410c-a9b2-18bf739d6b8b", authorization: demoKey,
		required: map[string]any{"firstName": "Ada", "lastName": "Doe", "locale": "nl_BE", "emailAddress": "ada@example.com", "gender": "female", "country": "BE"},
		values: map[string]map[string]any{
			"firstName":    {"another": "Another", "broken": strings.Repeat("x", 101), "type": 1},
			"lastName":     {"another": "Another", "broken": " ", "type": 1},
			"locale":       {"another": "fr_BE", "broken": "nb_NO", "type": 1},
			"emailAddress": {"another": "another@example.com", "broken": "nope", "type": 1},
			"gender":       {"another": "nonBinary", "broken": "Female", "type": 1},
			"country":      {"another": "FR", "broken": "NO", "type": 1},
			"nationalId":   {"another": "2", "broken": strings.Repeat("1", 33), "type": 1},
			"phoneNumber":  {"another": "99887766", "broken": "phone", "type": 1},
			"address":      {"another": "Another 1", "broken": strings.Repeat("x", 201), "type": 1},
			"zipCode":      {"another": "8000", "broken": strings.Repeat("1", 21), "type": 1},
			"city":         {"another": "Brugge", "broken": strings.Repeat("x", 101), "type": 1},
			"nickname":     {"another": "Another", "type": 1},
		},
	},
}

// fullRecord is the record before each PATCH, in contract native.
const fullRecord = `{"firstName":"Ada","lastName":"Doe","birthDate":"1970-01-02","locale":"nl-BE","email":"ada@example.com","gender":"female",
"nationalId":"1","phone":"11223344","mobile":"55667788","address":{"line":"Street 1","postalCode":"9000","city":"Gent","country":"BE"}}`

// value returns the value of the property in a PATCH for this column, if there is one.
func (d contractCase) value(property, column string) (value any, possible bool) {
	switch column {
	case "absent":
		return column, true
	case "own":
		return column, !strings.EqualFold(property, "nickname") // which is no field of the record
	case "null":
		return nil, true
	case "empty":
		return "", true
	}
	value, possible = d.values[property][column]
	return value, possible
}

// outcome sends the PATCH and returns the guide's word for its effect on the property.
func (d contractCase) outcome(t *testing.T, url, property string, value any) string {
	t.Helper()
	sendJSON(t, http.MethodPatch, url+"/v1/customers/42", "Bearer "+demoKey, fullRecord)
	before := d.read(t, url)
	body := maps.Clone(d.required)
	if body == nil {
		body = map[string]any{}
	}
	body[property] = value
	switch value {
	case "absent":
		delete(body, property)
	case "own":
		body[property] = before[property]
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	resp, _ := sendJSON(t, http.MethodPatch, url+d.path, d.authorization, string(text))
	if resp.StatusCode != http.StatusOK {
		return fmt.Sprint(resp.StatusCode)
	}
	after := d.read(t, url)
	_, ignored, _ := strings.Cut(resp.Header.Get("Field-Outcome"), "ignored=(")
	switch {
	case strings.Contains(ignored, `"`+property+`"`):
		return "ignored"
	case after[property] == before[property]:
		return "unchanged"
	case after[property] == nil:
		return "cleared"
	case after[property] == value:
		return "set"
	}
	return fmt.Sprint(after[property])
}

func (d contractCase) read(t *testing.T, url string) map[string]any {
	t.Helper()
	resp, body := sendJSON(t, http.MethodGet, url+d.path, d.authorization, "")
	var record map[string]any
	if err := json.Unmarshal(body, &record); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: got %s %s, %v", d.path, resp.Status, body, err)
	}
	return record
}

// sendJSON sends a request with a JSON body and reads the response.
func sendJSON(t *testing.T, method, url, authorization, body string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", authorization)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp, b.Bytes()
}
