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

func TestRivalsOnDifferentMembersBothSurvive(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	const rounds = 25
	documents := map[string]func(i int) (contentType, body string){
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
	for _, document := range documents {
		wg.Go(func() {
			for i := range rounds {
				contentType, body := document(i)
				if status, _, answer := c.send(http.MethodPatch, "/v1/customers/42", contentType, body); status != http.StatusOK {
					t.Errorf("%s: got %d %v", body, status, answer)
				}
			}
		})
	}
	wg.Wait()
	_, _, after := c.send(http.MethodGet, "/v1/customers/42", "", "")
	for pointer, want := range map[string]any{
		"/phone": fmt.Sprint("111", rounds-1), "/mobile": fmt.Sprint("222", rounds-1), "/address/city": fmt.Sprint("City ", rounds-1),
		"/version": float64(1 + len(documents)*rounds),
	} {
		if got, _ := at(after, pointer); got != want {
			t.Errorf("%s: got %v, want %v", pointer, got, want)
		}
	}
}

func TestOneOfTheRivalsOnAVersionWins(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	const rivals = 8
	statuses := make([]int, rivals)
	var wg sync.WaitGroup
	for i := range rivals {
		wg.Go(func() {
			statuses[i], _, _ = c.send(http.MethodPatch, "/v1/customers/42", "application/json", fmt.Sprintf(`{"phone":"111%d"}`, i), "If-Match", `"1"`)
		})
	}
	wg.Wait()
	count := map[int]int{}
	for _, status := range statuses {
		count[status]++
	}
	if count[http.StatusOK] != 1 || count[http.StatusPreconditionFailed] != rivals-1 {
		t.Errorf("got %v, want one 200 and %d of 412", count, rivals-1)
	}
}

// Whatever a document says, the answer is one of a few, and what the server keeps is
// what it was.
func TestAnyDocumentIsAnswered(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	rapid.Check(t, func(rt *rapid.T) {
		names := rapid.SampledFrom([]string{"id", "number", "kind", "lastName", "email", "phone", "birthDate", "address", "services", "line", "poBox", "grid", "editable", "tenant", "a/b", ""})
		scalars := rapid.SampledFrom([]string{`null`, `""`, `"x"`, `"kari@example.org"`, `"123"`, `true`, `false`, `0`, `-1`, `1.5`, `1e400`, `[]`, `[{}]`, `{}`, `"1970-01-01"`, `"organisation"`})
		document := func(label string) string {
			body := ""
			for _, name := range rapid.SliceOfNDistinct(names, 0, 4, rapid.ID).Draw(rt, label) {
				if body != "" {
					body += ","
				}
				body += fmt.Sprintf("%q:%s", name, scalars.Draw(rt, "value"))
			}
			return "{" + body + "}"
		}
		body, contentType := document("members"), "application/merge-patch+json"
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
		status, _, answer := c.send(http.MethodPatch, "/v1/customers/42", contentType, body)
		_, _, after := c.send(http.MethodGet, "/v1/customers/42", "", "")
		switch status {
		case http.StatusOK:
			if answer["version"] != after["version"] {
				rt.Fatalf("%s: it was answered with version %v, and is %v", body, answer["version"], after["version"])
			}
		case http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity:
			if before["version"] != after["version"] {
				rt.Fatalf("%s: refused with %d, and the record has changed", body, status)
			}
		default:
			rt.Fatalf("%s: got %d %v", body, status, answer)
		}
		for _, kept := range []string{"id", "number", "createdAt", "confirmedAt", "requiresConfirmation"} {
			if before[kept] != after[kept] {
				rt.Fatalf("%s: %s was %v, and is %v", body, kept, before[kept], after[kept])
			}
		}
	})
}

func TestFollowersHearOfAChangeAtOnce(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	heard := make(chan map[string]any)
	go func() { // ends with its request
		_, _, page := c.send(http.MethodGet, "/v1/changes?after=3&wait=30", "", "")
		heard <- page
	}()
	select {
	case page := <-heard:
		t.Fatalf("heard %v before there was anything to hear", page)
	case <-time.After(50 * time.Millisecond):
	}
	if status, _ := c.patch("42", `{"phone":"1234"}`); status != http.StatusOK {
		t.Fatalf("got %d", status)
	}
	select {
	case page := <-heard:
		if items, _ := page["items"].([]any); len(items) != 1 || page["next"] != float64(4) {
			t.Errorf("heard %v, want the one change", page)
		}
	case <-time.After(10 * time.Second):
		t.Error("heard nothing for 10 seconds")
	}
}

func TestAFollowerWhoseKeyIsRevokedMeanwhileHearsNoMore(t *testing.T) {
	t.Parallel()
	world := contracttest.NewFixture(t)
	c := client{t, world.Handler(start(world)), world.Key("writer")}
	heard := make(chan int)
	go func() { // ends with its request
		follower := client{t, c.handler, world.Key("partner")}
		status, _, _ := follower.send(http.MethodGet, "/v1/changes?after=3&wait=30", "", "")
		heard <- status
	}()
	select {
	case status := <-heard:
		t.Fatalf("got %d before there was anything to hear", status)
	case <-time.After(50 * time.Millisecond):
	}
	if err := world.Registry.RevokeKey(t.Context(), "hafslund", "partner0", world.Now()); err != nil {
		t.Fatal(err)
	}
	world.Advance(5 * time.Second)
	if status, _ := c.patch("42", `{"phone":"1234"}`); status != http.StatusOK {
		t.Fatalf("got %d", status)
	}
	select {
	case status := <-heard:
		if status != http.StatusUnauthorized {
			t.Errorf("got %d, want 401", status)
		}
	case <-time.After(10 * time.Second):
		t.Error("heard nothing for 10 seconds")
	}
}

func TestFollowersAreAnsweredWhenTheServerStops(t *testing.T) {
	t.Parallel()
	world := contracttest.NewFixture(t)
	stopping := make(chan struct{})
	close(stopping)
	s := settings(world)
	s.Stopping = stopping
	c := client{t, world.Handler(native.New(s)), world.Key("writer")}
	begun := time.Now()
	status, _, page := c.send(http.MethodGet, "/v1/changes?after=3&wait=30", "", "")
	if took := time.Since(begun); status != http.StatusOK || page["next"] != float64(3) || took > 10*time.Second {
		t.Errorf("got %d %v after %v, want an empty page at once", status, page, took)
	}
}

func TestFollowersAreAnsweredBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	world := contracttest.NewFixture(t)
	const patience = 1500 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/changes?after=3&wait=30", nil)
	r.Header.Set("Authorization", "Bearer "+world.Key("reader"))
	w := httptest.NewRecorder()
	world.Handler(start(world)).ServeHTTP(w, r)
	if w.Code != http.StatusOK || ctx.Err() != nil {
		t.Errorf("got %d with %v, want 200 before the deadline", w.Code, ctx.Err())
	}
}
