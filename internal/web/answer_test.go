package web_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kartotek/internal/web"
)

func TestAnAnswerIsKeptByteForByte(t *testing.T) {
	t.Parallel()
	tests := map[string]func(w http.ResponseWriter) error{
		"a body": func(w http.ResponseWriter) error {
			w.Header().Set("Content-Type", "text/plain")
			w.Header()["X-Two"] = []string{"a", "b"}
			return web.Write(w, http.StatusTeapot, []byte("\x00\xff<é>\n"))
		},
		"no body":       func(w http.ResponseWriter) error { return web.Write(w, http.StatusOK, nil) },
		"only a status": func(w http.ResponseWriter) error { w.WriteHeader(http.StatusNoContent); return nil },
		"two statuses":  func(w http.ResponseWriter) error { w.WriteHeader(201); w.WriteHeader(202); return nil },
		"a body in parts": func(w http.ResponseWriter) error {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write([]byte("a")) // a recorder never fails
			_, err := w.Write([]byte("b"))
			return err
		},
		"nothing": func(http.ResponseWriter) error { return nil },
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := httptest.NewRecorder()
			if err := f(want); err != nil {
				t.Fatal(err)
			}
			recorded, err := web.Record(f)
			if err != nil {
				t.Fatal(err)
			}
			kept, err := recorded.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			read, err := web.ParseAnswer(kept)
			if err != nil {
				t.Fatal(err)
			}
			got := httptest.NewRecorder()
			got.Header().Set("X-Before", "1")
			if err := read.Send(got); err != nil {
				t.Fatal(err)
			}
			want.Header().Set("X-Before", "1")
			if got.Code != want.Code || got.Body.String() != want.Body.String() {
				t.Errorf("got %d %q, want %d %q", got.Code, got.Body, want.Code, want.Body)
			}
			if diff := cmp.Diff(want.Header(), got.Header()); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnAnswerThatFailsIsNone(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	got, err := web.Record(func(w http.ResponseWriter) error {
		_, _ = w.Write([]byte("half")) // a recorder never fails
		return broken
	})
	if !errors.Is(err, broken) || got.Status != 0 || got.Body != nil {
		t.Errorf("got %+v, %v, want nothing and %v", got, err, broken)
	}
}
