package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestResponsesAreReadCompletely(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ response, body string }{
		"with a length":           {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nEtag: \"2\"\r\n\r\nhello", "hello"},
		"in chunks":               {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n", "hello"},
		"in chunks, with trailer": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n", "0123456789"},
		"with an empty body":      {"HTTP/1.1 201 Created\r\ncontent-length:0\r\n\r\n", ""},
		"with no content":         {"HTTP/1.1 204 No Content\r\n\r\n", ""},
		"without a reason":        {"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "ok"},
	}
	for name, tt := range tests {
		for how, split := range map[string]func(io.Reader) io.Reader{
			"at once":      func(r io.Reader) io.Reader { return r },
			"byte by byte": iotest.OneByteReader,
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				rs := newResponses(split(strings.NewReader(strings.Repeat(tt.response, 2))))
				for n := range 2 {
					got, err := rs.read()
					if err != nil || string(got) != tt.body {
						t.Errorf("response %d: got %q, %v, want %q", n, got, err, tt.body)
					}
				}
				if _, err := rs.read(); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("after the last: got %v, want %v", err, io.ErrUnexpectedEOF)
				}
			})
		}
	}
}

func TestInvalidResponsesAreErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ response, want string }{
		"a failure":                {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy", "status 503: busy"},
		"a failure in chunks":      {"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", "status 500: no"},
		"a redirection":            {"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n\r\n", "status 301"},
		"a closing connection":     {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "closes the connection"},
		"a truncated body":         {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "unexpected EOF"},
		"a truncated chunk":        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "unexpected EOF"},
		"a truncated header":       {"HTTP/1.1 200 OK\r\nContent-", "unexpected EOF"},
		"nothing":                  {"", "unexpected EOF"},
		"no length":                {"HTTP/1.1 200 OK\r\n\r\n", "no length"},
		"two lengths":              {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", "Content-Length"},
		"a length and chunks":      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok", "Transfer-Encoding"},
		"a negative length":        {"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", "Content-Length"},
		"a chunk beyond its size":  {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n", "chunk"},
		"a chunk without a size":   {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "size of a chunk"},
		"HTTP/1.0":                 {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "not a status line"},
		"a status without digits":  {"HTTP/1.1 2xx OK\r\n\r\n", "not a status line"},
		"a status of four digits":  {"HTTP/1.1 2000 OK\r\n\r\n", "not a status line"},
		"a header without a colon": {"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "malformed header line"},
		"lines without CR":         {"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "CRLF"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newResponses(strings.NewReader(tt.response)).read()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}
