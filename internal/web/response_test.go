package web_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kartotek/internal/web"
)

func TestAKeptAnswerIsSentLikeTheFirst(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(http.ResponseWriter) error{
		"nothing at all": func(http.ResponseWriter) error { return nil },
		"a status alone": func(w http.ResponseWriter) error { return web.Write(w, http.StatusNoContent, nil) },
		"bytes that are no text": func(w http.ResponseWriter) error {
			w.Header().Set("Content-Type", "application/octet-stream")
			_, err := w.Write([]byte{0, 0xff, '<', '"'})
			return err
		},
		"all of it": func(w http.ResponseWriter) error {
			w.Header().Set("ETag", `"2"`)
			w.Header().Add("Vary", "Accept")
			w.Header().Add("Vary", "Prefer")
			w.Header().Set("Content-Type", "application/json")
			return web.Write(w, http.StatusCreated, []byte(`{"name":"Å"}`))
		},
		"a status after the body": func(w http.ResponseWriter) error {
			w.Header().Set("Content-Type", "text/plain")
			_, err := w.Write([]byte("one"))
			w.WriteHeader(http.StatusTeapot)
			return err
		},
		"a body in pieces, and a second status": func(w http.ResponseWriter) error {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusAccepted)
			_, first := w.Write([]byte("one "))
			w.WriteHeader(http.StatusTeapot)
			_, second := w.Write([]byte("two"))
			return errors.Join(first, second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct, replayed := httptest.NewRecorder(), httptest.NewRecorder()
			if err := write(direct); err != nil {
				t.Fatal(err)
			}
			if err := parse(t, kept(t, write)).WriteTo(replayed); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(sent(direct), sent(replayed)); diff != "" {
				t.Errorf("the answer (-first +kept):\n%s", diff)
			}
			first := kept(t, write)
			for range 20 { // headers are a map
				if again := kept(t, write); !bytes.Equal(again, first) {
					t.Fatalf("kept again: got %s, want %s", again, first)
				}
			}
		})
	}
}

// sent is what a client hears.
func sent(rec *httptest.ResponseRecorder) map[string]any {
	resp := rec.Result()
	return map[string]any{"status": resp.StatusCode, "header": resp.Header, "body": rec.Body.String()}
}

func kept(t *testing.T, write func(http.ResponseWriter) error) []byte {
	t.Helper()
	a, err := web.Capture(write)
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(t *testing.T, b []byte) web.BufferedResponse {
	t.Helper()
	a, err := web.DecodeResponse(b)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAKeptAnswerGoesBesideTheHeadersOfItsOwnTime(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	rec.Header().Set("X-Request-Id", "r2")
	a := parse(t, kept(t, func(w http.ResponseWriter) error {
		w.Header().Set("ETag", `"2"`)
		return web.Write(w, http.StatusOK, nil)
	}))
	if err := a.WriteTo(rec); err != nil {
		t.Fatal(err)
	}
	if got := rec.Result().Header; got.Get("X-Request-Id") != "r2" || got.Get("ETag") != `"2"` {
		t.Errorf("got %v, want both the request's header and the answer's", got)
	}
}

func TestAnAnswerThatFailsIsNotKept(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken on purpose")
	a, err := web.Capture(func(w http.ResponseWriter) error {
		w.WriteHeader(http.StatusOK)
		return broken
	})
	if !errors.Is(err, broken) || a.Status != 0 || a.Header != nil || a.Body != nil {
		t.Errorf("got %+v, %v, want %v", a, err, broken)
	}
}

func TestWhatIsNoAnswerIsNotRead(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "null", "{}", `{"status":0}`, `{"status":99}`, `{"status":1000}`, `{"status":"200"}`, "[]", `{"status":200`} {
		if a, err := web.DecodeResponse([]byte(text)); err == nil {
			t.Errorf("%q: got %+v, want an error", text, a)
		}
	}
}
