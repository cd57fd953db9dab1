package help_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kartotek/internal/contract/elw"
	"kartotek/internal/contract/transcript"
)

// published has the blocks of the utility's own page about the PATCH, from top to bottom.
// Each one is the beginning of a block of our page.
var published = []string{
	"PATCH api/customers/{customerId}",
	"Partially update",
	"Can update PhoneNumber", // the rest is in TestDescriptionHasRules
	"Request Information",
	"URI Parameters",
	"Name|Description|Type|Additional information",
	"customerId|Customer ID.|integer|Required",
	"Body Parameters",
	"The properties to update",
	"CustomerResponse",
	"Name|Description|Type|Additional information",
	"Address|*|ElwAddress|",
	"BirthDate|*|date|",
	"CustomerId|*|integer|",
	"CustomerType|*|string|",
	"Email|*|string|",
	"FirstName|*|string|",
	"IsBroadbandCustomer|*|boolean|",
	"IsDistrictHeatingCustomer|*|boolean|",
	"IsNetCustomer|*|boolean|",
	"IsPowerCustomer|*|boolean|",
	"LastName|*|string|",
	"MobileNumber|*|string|",
	"OrganizationNo|*|string|",
	"PhoneNumber|*|string|",
	"Pin|*|string|",
	"RequiresProfileConfirmation|*|boolean|",
	"Request Formats",
	"application/json, text/json",
	"Sample:",
	"{\n  \"Address\": {\n    \"AddressText\": ",
	"text/html",
	"Sample:",
	`{"Address":{"AddressText":`,
	"Response Information",
	"Resource Description",
	"IHttpActionResult",
	"Response Formats",
	"application/json, text/json, text/html",
	"Sample:",
}

func TestPageHasEverythingOfPublishedPage(t *testing.T) {
	t.Parallel()
	ours := blocks(t, patchPage)
	for _, want := range published {
		pattern := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(want), `\*`, "[^|]+"))
		at := slices.IndexFunc(ours, pattern.MatchString)
		if at < 0 {
			t.Fatalf("%q is missing, or out of order, before\n%s", want, strings.Join(ours, "\n"))
		}
		ours = ours[at+1:]
	}
}

func TestDescriptionHasRules(t *testing.T) {
	t.Parallel()
	description := blocks(t, patchPage)[2]
	for _, want := range []string{"PhoneNumber", "MobileNumber", "digits only", "14", "Email", "valid address", "100 characters"} {
		if !strings.Contains(description, want) {
			t.Errorf("the description has no %q: %s", want, description)
		}
	}
}

// TestNoCellIsEmpty finds the empty cells and placeholders that the published page has.
func TestNoCellIsEmpty(t *testing.T) {
	t.Parallel()
	links := []string{patchPage, modelPage}
	for _, model := range []string{"ElwAddress", "CustomerUpdate", "HttpError"} {
		links = append(links, "/Help/ResourceModel?modelName="+model)
	}
	for _, link := range links {
		for _, block := range blocks(t, link) {
			empty := block == "" || block == "None." || strings.Contains(block, "not available") || strings.Contains(block, "sample string")
			if empty || strings.HasSuffix(block, "|") || strings.Contains(block, "||") {
				t.Errorf("%s: got %q", link, block)
			}
		}
	}
}

// TestTablesHaveOrderOfResponse compares the tables with a recorded response.
func TestTablesHaveOrderOfResponse(t *testing.T) {
	t.Parallel()
	body := shown(t, "getCustomer", 200)[0].Response.Body
	want := map[string][]string{patchPage: names(t, body, 1), modelPage: names(t, body, 1)}
	want["/Help/ResourceModel?modelName=CustomerUpdate"] = names(t, body, 1)
	want["/Help/ResourceModel?modelName=ElwAddress"] = names(t, body, 2)
	for link, want := range want {
		got := blocks(t, link)
		if at := slices.Index(got, "CustomerResponse"); link == patchPage {
			got = got[at+2 : at+2+len(want)]
		} else {
			got = got[len(got)-len(want):]
		}
		for i, row := range got {
			got[i], _, _ = strings.Cut(row, "|")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", link, diff)
		}
	}
}

// names returns the property names at a depth of a JSON object, in order.
func names(t *testing.T, text string, depth int) []string {
	t.Helper()
	var all []string
	dec, at, isName := json.NewDecoder(strings.NewReader(text)), 0, false
	for {
		token, err := dec.Token()
		if err != nil {
			return all
		}
		switch token {
		case json.Delim('{'):
			at, isName = at+1, true
			continue
		case json.Delim('}'):
			at, isName = at-1, true
			continue
		}
		if isName && at == depth {
			all = append(all, fmt.Sprint(token))
		}
		isName = !isName
	}
}

func shown(t *testing.T, operation string, status int) []transcript.Exchange {
	t.Helper()
	recorded, err := elw.New(elw.Settings{}).Examples()
	if err != nil {
		t.Fatal(err)
	}
	return transcript.Examples(recorded[operation], status)
}

// TestSamplesAreRecorded compares the samples with a recorded request.
func TestSamplesAreRecorded(t *testing.T) {
	t.Parallel()
	page := blocks(t, patchPage)
	var recorded []string
	for _, e := range shown(t, "updateCustomer", 200) {
		recorded = append(recorded, e.Request.Body)
	}
	for _, types := range []string{"application/json, text/json", "text/html"} {
		sample := page[slices.Index(page, types)+2]
		var compact strings.Builder
		for line := range strings.Lines(sample) {
			compact.WriteString(strings.TrimSpace(line))
		}
		if !slices.Contains(recorded, strings.ReplaceAll(compact.String(), `": `, `":`)) {
			t.Errorf("%s: no transcript sends\n%s", types, sample)
		}
		if (types == "text/html") != (strings.Count(sample, "\n") == 0) {
			t.Errorf("%s: got\n%s", types, sample)
		}
	}
}

// TestEveryStatusHasARecordedResponse checks the pages of both operations.
func TestEveryStatusHasARecordedResponse(t *testing.T) {
	t.Parallel()
	for link, operation := range map[string]string{patchPage: "updateCustomer", getPage: "getCustomer"} {
		page := blocks(t, link)
		for _, status := range []int{200, 400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 429, 500, 503} {
			examples := shown(t, operation, status)
			if len(examples) == 0 && operation == "updateCustomer" {
				t.Errorf("%s %d: no transcript shows it", operation, status)
			}
			for _, e := range examples {
				at := slices.Index(page, e.Comment)
				if e.Comment == "" || at < 0 {
					t.Errorf("%s: status %d is not shown: %q", link, status, e.Comment)
					continue
				}
				response := page[at+2]
				if !strings.HasPrefix(response, fmt.Sprint(status, " ")) || !strings.Contains(response, "\n\n{") {
					t.Errorf("%s: status %d: got %q", link, status, response)
				}
			}
		}
	}
}
