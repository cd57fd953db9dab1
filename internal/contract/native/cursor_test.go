package native

import (
	"encoding/base64"
	"net/http/httptest"
	"strings"
	"testing"
)

// decode returns the position in a cursor.
func decode(s cursorCodec, cursor string, scope []byte) (string, error) {
	q := parseQuery(httptest.NewRequest("GET", "/?cursor="+cursor, nil), "cursor")
	position := s.decode(q, scope)
	return position, q.err()
}

func TestCursorsAreEncryptedAndAuthenticated(t *testing.T) {
	t.Parallel()
	s := newCursorCodec([]byte(strings.Repeat("s", 32)))
	scope := cursorScope("acme", "customers", "q", "")
	cursor := *s.encode("Nordmann", scope)
	if position, err := decode(s, cursor, scope); position != "Nordmann" || err != nil {
		t.Fatalf("got %q, %v, want Nordmann", position, err)
	}
	encrypted, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(encrypted), "Nord") {
		t.Error("the cursor contains the name")
	}
	for i := range encrypted {
		forged := append([]byte(nil), encrypted...)
		forged[i] ^= 1
		if position, err := decode(s, base64.RawURLEncoding.EncodeToString(forged), scope); err == nil {
			t.Errorf("a cursor with a changed byte %d is accepted as %q", i, position)
		}
	}
	for name, other := range map[string][]byte{
		"another tenant": cursorScope("other", "customers", "q", ""),
		"another list":   cursorScope("acme", "keys"),
		"another filter": cursorScope("acme", "customers", "r", ""),
		"the same filter values at other positions": cursorScope("acme", "customers", "", "q"),
	} {
		if position, err := decode(s, cursor, other); err == nil {
			t.Errorf("%s: it is accepted as %q", name, position)
		}
	}
	otherCodec := newCursorCodec([]byte(strings.Repeat("t", 32)))
	if position, err := decode(otherCodec, cursor, scope); err == nil {
		t.Errorf("with another secret: it is accepted as %q", position)
	}
}

func TestRequestWithoutCursorGetsTheFirstPage(t *testing.T) {
	t.Parallel()
	q := parseQuery(httptest.NewRequest("GET", "/", nil), "cursor")
	s := newCursorCodec(make([]byte, 32))
	if position := s.decode(q, nil); position != "" || q.err() != nil {
		t.Errorf("got %q, %v, want the first page", position, q.err())
	}
}
