package contract_test

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestRecordedExchangesAreSortedByOperation(t *testing.T) {
	t.Parallel()
	text := "> GET /api/things/1\n< 200\n> GET /api/things/1/part?deep=true\n< 200\n" +
		"> PATCH /API/Things/2/\n< 400\n> GET /api/nothing\n< 404\n> DELETE /api/things/1\n< 405\n" +
		"> GET /api/Things/3\n< 404\n"
	for fold, want := range map[bool]map[string][]string{
		true:  {"get": {"/api/things/1", "/api/Things/3"}, "part": {"/api/things/1/part?deep=true"}, "change": {"/API/Things/2/"}},
		false: {"get": {"/api/Things/3"}},
	} {
		c := example(fold)
		c.Transcripts = fstest.MapFS{"a.txt": {Data: []byte(text)}}
		recorded, err := c.Examples()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string][]string{}
		for operation, list := range recorded {
			for _, e := range list {
				got[operation] = append(got[operation], e.Request.Target)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("paths folded: %v: want -, got +:\n%s", fold, diff)
		}
	}
}

func TestRouteTellsWhatThePathSays(t *testing.T) {
	t.Parallel()
	route, params, ok := example(true).MatchRoute("GET", "/api/THINGS/A%20b/part?x=1")
	if !ok || route.Operation != "part" || params["id"] != "A b" {
		t.Errorf("got %v, %v, %v", route.Operation, params, ok)
	}
}
