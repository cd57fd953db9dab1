package native

import (
	"encoding/base64"
	"net/http/httptest"
	"strings"
	"testing"
)

// opened is the place in a cursor, or an error.
func opened(s cursorCodec, cursor string, where []byte) (string, error) {
	q := parseQuery(httptest.NewRequest("GET", "/?cursor="+cursor, nil), "cursor")
	place := s.decode(q, where)
	return place, q.err()
}

func TestCursorsCannotBeReadOrForged(t *testing.T) {
	t.Parallel()
	s := newCursorCodec([]byte(strings.Repeat("s", 32)))
	where := cursorScope("acme", "customers", "q", "")
	cursor := *s.encode("Nordmann", where)
	if place, err := opened(s, cursor, where); place != "Nordmann" || err != nil {
		t.Fatalf("got %q, %v, want Nordmann", place, err)
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(sealed), "Nord") {
		t.Error("the cursor tells the name")
	}
	for i := range sealed {
		forged := append([]byte(nil), sealed...)
		forged[i] ^= 1
		if place, err := opened(s, base64.RawURLEncoding.EncodeToString(forged), where); err == nil {
			t.Errorf("a cursor with another byte %d is taken for %q", i, place)
		}
	}
	for name, other := range map[string][]byte{
		"another tenant's":         cursorScope("other", "customers", "q", ""),
		"another list's":           cursorScope("acme", "keys"),
		"another search's":         cursorScope("acme", "customers", "r", ""),
		"the same words elsewhere": cursorScope("acme", "customers", "", "q"),
	} {
		if place, err := opened(s, cursor, other); err == nil {
			t.Errorf("%s: it is taken for %q", name, place)
		}
	}
	stranger := newCursorCodec([]byte(strings.Repeat("t", 32)))
	if place, err := opened(stranger, cursor, where); err == nil {
		t.Errorf("under another secret: it is taken for %q", place)
	}
}

func TestNoCursorIsTheFirstPage(t *testing.T) {
	t.Parallel()
	q := parseQuery(httptest.NewRequest("GET", "/", nil), "cursor")
	s := newCursorCodec(make([]byte, 32))
	if place := s.decode(q, nil); place != "" || q.err() != nil {
		t.Errorf("got %q, %v, want the first page", place, q.err())
	}
}
