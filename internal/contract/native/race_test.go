package native_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kartotek/internal/contract/contracttest"
	"kartotek/internal/contract/native"
)

func TestConcurrentUpdatesOfDifferentFieldsAreBothKept(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	const rounds = 25
	patches := map[string]func(i int) (contentType, body string){
		"/phone": func(i int) (string, string) {
			return "application/merge-patch+json", fmt.Sprintf(`{"phone":"111%d"}`, i)
		},
		"/mobile": func(i int) (string, string) {
			return "application/json-patch+json", fmt.Sprintf(`[{"op":"replace","path":"/mobile","value":"222%d"}]`, i)
		},
		"/address/city": func(i int) (string, string) {
			return "application/json", fmt.Sprintf(`{"address":{"city":"City %d"}}`, i)
		},
	}
	var wg sync.WaitGroup
	for _, newPatch := range patches {
		wg.Go(func() {
			for i := range rounds {
				contentType, body := newPatch(i)
				if status, _, response := c.send(http.MethodPatch, "/v1/customers/42", contentType, body); status != http.StatusOK {
					t.Errorf("%s: got %d %v", body, status, response)
				}
			}
		})
	}
	wg.Wait()
	_, _, after := c.send(http.MethodGet, "/v1/customers/42", "", "")
	for pointer, want := range map[string]any{
		"/phone": fmt.Sprint("111", rounds-1), "/mobile": fmt.Sprint("222", rounds-1), "/address/city": fmt.Sprint("City ", rounds-1),
		"/version": float64(1 + len(patches)*rounds),
	} {
		if got, _ := at(after, pointer); got != want {
			t.Errorf("%s: got %v, want %v", pointer, got, want)
		}
	}
}

func TestOneConcurrentUpdateOfAVersionSucceeds(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	const clients = 8
	statuses := make([]int, clients)
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			statuses[i], _, _ = c.send(http.MethodPatch, "/v1/customers/42", "application/json", fmt.Sprintf(`{"phone":"111%d"}`, i), "If-Match", `"1"`)
		})
	}
	wg.Wait()
	count := map[int]int{}
	for _, status := range statuses {
		count[status]++
	}
	if count[http.StatusOK] != 1 || count[http.StatusPreconditionFailed] != clients-1 {
		t.Errorf("got %v, want one 200 and %d of 412", count, clients-1)
	}
}

func TestAnyPatchSucceedsOrChangesNothing(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	rapid.Check(t, func(rt *rapid.T) {
		names := rapid.SampledFrom([]string{"id", "number", "kind", "lastName", "email", "phone", "birthDate", "address", "services", "line", "poBox", "grid", "editable", "tenant", "a/b", ""})
		scalars := rapid.SampledFrom([]string{`null`, `""`, `"x"`, `"kari@example.org"`, `"123"`, `true`, `false`, `0`, `-1`, `1.5`, `1e400`, `[]`, `[{}]`, `{}`, `"1970-01-01"`, `"organisation"`})
		object := func(label string) string {
			body := ""
			for _, name := range rapid.SliceOfNDistinct(names, 0, 4, rapid.ID).Draw(rt, label) {
				if body != "" {
					body += ","
				}
				body += fmt.Sprintf("%q:%s", name, scalars.Draw(rt, "value"))
			}
			return "{" + body + "}"
		}
		body, contentType := object("properties"), "application/merge-patch+json"
		if rapid.Bool().Draw(rt, "JSON Patch") {
			contentType = "application/json-patch+json"
			operations := ""
			for range rapid.IntRange(0, 4).Draw(rt, "operations") {
				if operations != "" {
					operations += ","
				}
				pointers := rapid.SampledFrom([]string{"", "/", "/email", "/address", "/address/line", "/address/x", "/services", "/services/grid", "/x", "/x/-", "/x/0", "/id", "x"})
				operations += fmt.Sprintf(`{"op":%q,"path":%q,"from":%q,"value":%s}`,
					rapid.SampledFrom([]string{"add", "remove", "replace", "move", "copy", "test", "test "}).Draw(rt, "op"),
					pointers.Draw(rt, "path"), pointers.Draw(rt, "from"), rapid.OneOf(scalars, rapid.Just(body)).Draw(rt, "value"))
			}
			body = "[" + operations + "]"
		}
		_, _, before := c.send(http.MethodGet, "/v1/customers/42", "", "")
		status, _, response := c.send(http.MethodPatch, "/v1/customers/42", contentType, body)
		_, _, after := c.send(http.MethodGet, "/v1/customers/42", "", "")
		switch status {
		case http.StatusOK:
			if response["version"] != after["version"] {
				rt.Fatalf("%s: the response has version %v, the record has %v", body, response["version"], after["version"])
			}
		case http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity:
			if before["version"] != after["version"] {
				rt.Fatalf("%s: got %d, but the record has changed", body, status)
			}
		default:
			rt.Fatalf("%s: got %d %v", body, status, response)
		}
		for _, readOnly := range []string{"id", "number", "createdAt", "confirmedAt", "requiresConfirmation"} {
			if before[readOnly] != after[readOnly] {
				rt.Fatalf("%s: %s changed from %v to %v", body, readOnly, before[readOnly], after[readOnly])
			}
		}
	})
}

func TestLongPollReturnsAChangeAtOnce(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	response := make(chan map[string]any)
	go func() { // ends with its request
		_, _, page := c.send(http.MethodGet, "/v1/changes?after=3&wait=30", "", "")
		response <- page
	}()
	select {
	case page := <-response:
		t.Fatalf("got %v before the change", page)
	case <-time.After(50 * time.Millisecond):
	}
	if status, _ := c.patch("42", `{"phone":"1234"}`); status != http.StatusOK {
		t.Fatalf("got %d", status)
	}
	select {
	case page := <-response:
		if items, _ := page["items"].([]any); len(items) != 1 || page["next"] != float64(4) {
			t.Errorf("got %v, want the one change", page)
		}
	case <-time.After(10 * time.Second):
		t.Error("got no response for 10 seconds")
	}
}

func TestLongPollOfARevokedKeyReturns401(t *testing.T) {
	t.Parallel()
	fixture := contracttest.NewFixture(t)
	c := client{t, fixture.Handler(start(fixture)), fixture.Key("writer")}
	response := make(chan int)
	go func() { // ends with its request
		poller := client{t, c.handler, fixture.Key("partner")}
		status, _, _ := poller.send(http.MethodGet, "/v1/changes?after=3&wait=30", "", "")
		response <- status
	}()
	select {
	case status := <-response:
		t.Fatalf("got %d before the change", status)
	case <-time.After(50 * time.Millisecond):
	}
	if err := fixture.Registry.RevokeKey(t.Context(), "hafslund", "key_partner0", fixture.Now()); err != nil {
		t.Fatal(err)
	}
	fixture.Advance(5 * time.Second)
	if status, _ := c.patch("42", `{"phone":"1234"}`); status != http.StatusOK {
		t.Fatalf("got %d", status)
	}
	select {
	case status := <-response:
		if status != http.StatusUnauthorized {
			t.Errorf("got %d, want 401", status)
		}
	case <-time.After(10 * time.Second):
		t.Error("got no response for 10 seconds")
	}
}

func TestLongPollEndsWhenTheServerStops(t *testing.T) {
	t.Parallel()
	fixture := contracttest.NewFixture(t)
	stopping := make(chan struct{})
	close(stopping)
	s := settings(fixture)
	s.Stopping = stopping
	c := client{t, fixture.Handler(native.New(s)), fixture.Key("writer")}
	begun := time.Now()
	status, _, page := c.send(http.MethodGet, "/v1/changes?after=3&wait=30", "", "")
	if took := time.Since(begun); status != http.StatusOK || page["next"] != float64(3) || took > 10*time.Second {
		t.Errorf("got %d %v after %v, want an empty page at once", status, page, took)
	}
}

func TestLongPollEndsBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	fixture := contracttest.NewFixture(t)
	const timeout = 1500 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/changes?after=3&wait=30", nil)
	r.Header.Set("Authorization", "Bearer "+fixture.Key("reader"))
	w := httptest.NewRecorder()
	fixture.Handler(start(fixture)).ServeHTTP(w, r)
	if w.Code != http.StatusOK || ctx.Err() != nil {
		t.Errorf("got %d with %v, want 200 before the deadline", w.Code, ctx.Err())
	}
}
