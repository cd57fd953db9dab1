package postgres

import (
	"strings"
	"testing"
)

func TestErrorsOfAMalformedAddressDoNotContainIt(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{
		"postgres://weird:p@ss#w/%rd?:&@h/kw",
		"postgres://u:p@ss/SEC@127.0.0.1:1/kw",
		"postgres://u:SEC/ss@127.0.0.1:1/kw",
		"postgres://u:SEC?ss@127.0.0.1:1/kw",
		"postgres://u:SEC#ss@127.0.0.1:1/kw",
		"postgres://u:SEC%zz@127.0.0.1:1/kw",
		"postgres://u:SEC@ss@127.0.0.1:1/kw",
		"postgresql://u:SEC ss@127.0.0.1:1/kw",
		"postgres://u:SEC@127.0.0.1:port/kw",
		"postgres://u:SEC@127.0.0.1:1/kw?sslmode=nonsense",
		"host=127.0.0.1 password='SEC",
		"host=127.0.0.1 password=SEC port=x",
	} {
		_, err := Open(t.Context(), dsn, Options{})
		if err == nil {
			t.Errorf("%s: got no error", dsn)
			continue
		}
		for _, part := range []string{"SEC", "ss@", "p@", "weird", "rd?", "kw"} {
			if strings.Contains(err.Error(), part) {
				t.Errorf("%s: the error contains %q: %v", dsn, part, err)
			}
		}
		if !strings.Contains(err.Error(), "malformed") {
			t.Errorf("%s: got %v, want an error that calls the address malformed", dsn, err)
		}
	}
}

func TestPercentEncodedPasswordIsValid(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{
		"postgres://u:p%40ss%2F%23%3F%25@127.0.0.1:1/k", "postgres://u@h:1,h2:2/k?sslmode=disable", "postgres:///k?host=/run/postgresql", "host=h password=p@ss/#",
	} {
		if err := checkURL(dsn); err != nil {
			t.Errorf("%s: got %v, want no error", dsn, err)
		}
	}
}
