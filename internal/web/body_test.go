package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kartotek/internal/web"
)

func TestRequestTypeAcceptsOnlyListedTypes(t *testing.T) {
	t.Parallel()
	const json, merge = "application/json", "application/merge-patch+json"
	tests := map[string]struct{ header, want string }{
		"the first is accepted":          {json, json},
		"the second is accepted":         {merge, merge},
		"case does not matter":           {"Application/JSON", json},
		"utf-8 is accepted":              {"application/json; charset=utf-8", json},
		"the charset has no case":        {`application/json;CHARSET="UTF-8"`, json},
		"other parameters do not matter": {"application/json; profile=x; v=1", json},
		"a semicolon may end it":         {"application/json;", json},
		"space may surround it":          {" application/json ; charset=utf-8 ", json},
		"none":                           {"", ""},
		"another":                        {"text/json", ""},
		"a range":                        {"*/*", ""},
		"a longer one":                   {"application/jsonx", ""},
		"two":                            {"application/json, text/plain", ""},
		"another charset":                {"application/json; charset=iso-8859-1", ""},
		"an empty charset":               {`application/json; charset=""`, ""},
		"utf8 is another name":           {"application/json; charset=utf8", json},
		"us-ascii is a part of it":       {"application/json; charset=US-ASCII", json},
		"two charsets":                   {"application/json; charset=utf-8; charset=latin1", ""},
		"a parameter needs a value":      {"application/json; charset", ""},
		"no type at all":                 {"; charset=utf-8", ""},
		"half a type":                    {"application/", ""},
		"junk":                           {"\x00\xff\"", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPatch, "/", nil)
			if tt.header != "" {
				r.Header.Set("Content-Type", tt.header)
			}
			got, err := web.RequestType(r, json, merge)
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("RequestType(%q): got %q, %v, want %q", tt.header, got, err, tt.want)
			}
			if err != nil && faultString(err) != "unsupported-media-type" {
				t.Errorf("RequestType(%q): got %q, want unsupported", tt.header, faultString(err))
			}
		})
	}
}

func TestRequestTypeRejectsContentEncoding(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		codings  []string
		accepted bool
	}{
		"identity is accepted":          {[]string{"identity"}, true},
		"identity in any case":          {[]string{" Identity "}, true},
		"an empty list is accepted":     {[]string{"", ","}, true},
		"gzip is rejected":              {[]string{"gzip"}, false},
		"another coding after identity": {[]string{"identity, br"}, false},
		"in a second header":            {[]string{"identity", "gzip"}, false},
		"an unknown coding":             {[]string{"x"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPatch, "/", nil)
			r.Header.Set("Content-Type", "application/json")
			r.Header["Content-Encoding"] = tt.codings
			if _, err := web.RequestType(r, "application/json"); (err == nil) != tt.accepted || err != nil && faultString(err) != "unsupported-media-type" {
				t.Errorf("Content-Encoding %q: got %v, want accepted %v", tt.codings, err, tt.accepted)
			}
		})
	}
}

// measure responds with the size of the body.
func measure(w http.ResponseWriter, r *http.Request) error {
	body, err := web.ReadBody(r)
	if err != nil {
		return err
	}
	return web.Write(w, http.StatusOK, fmt.Append(nil, len(body)))
}

func whole(n int) string {
	return fmt.Sprintf("POST /t/ HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n%s", n, strings.Repeat("x", n))
}

// chunked is a request without Content-Length, in chunks of at most 100 bytes.
func chunked(n int) string {
	var b strings.Builder
	b.WriteString("POST /t/ HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
	for ; n > 0; n -= 100 {
		size := min(n, 100)
		fmt.Fprintf(&b, "%x\r\n%s\r\n", size, strings.Repeat("x", size))
	}
	b.WriteString("0\r\n\r\n")
	return b.String()
}

func TestBodyOverLimitReturns413(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{Mounts: mount(measure), MaxBody: 1000})
	tests := map[string]struct{ request, want string }{
		"an empty body":           {whole(0), "200 0"},
		"an empty chunked body":   {chunked(0), "200 0"},
		"at the limit":            {whole(1000), "200 1000"},
		"at the limit in chunks":  {chunked(1000), "200 1000"},
		"one byte over":           {whole(1001), "413 too-large"},
		"one byte over in chunks": {chunked(1001), "413 too-large"},
		"ten megabytes":           {whole(10 << 20), "413 too-large"},
		"ten megabytes in chunks": {chunked(10 << 20), "413 too-large"},
		"a malformed chunk":       {"POST /t/ HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "400 bad-request"},
		"Expect below the limit":  {strings.Replace(whole(5), "\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n", 1), "100 "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := server.dial(t)
			c.send(t, tt.request) // completely, before the response is read
			resp, body := c.response(t, http.MethodPost)
			if got := fmt.Sprint(resp.StatusCode, " ", body); got != tt.want {
				t.Errorf("response: got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestConnectionIsReusedAfter413(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{Mounts: mount(measure), MaxBody: 1000})
	for name, request := range map[string]string{"known size": whole(1 << 20), "chunks": chunked(1 << 20)} {
		c := server.dial(t)
		for i := range 2 {
			c.send(t, request)
			if resp, _ := c.response(t, http.MethodPost); resp.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%s, request %d: got %s, want 413", name, i+1, resp.Status)
			}
		}
		c.send(t, whole(7))
		if resp, body := c.response(t, http.MethodPost); body != "7" {
			t.Errorf("%s, then a small one: got %s %q, want 7", name, resp.Status, body)
		}
	}
}

func TestExpectContinueOverLimitReturns413WithoutBody(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{Mounts: mount(measure), MaxBody: 1000})
	resp, body := server.do(t, "POST /t/ HTTP/1.1\r\nHost: test\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n")
	if resp.StatusCode != http.StatusRequestEntityTooLarge || body != "too-large" {
		t.Errorf("response: got %s %q, want 413 before the body is sent", resp.Status, body)
	}
}

const half = "POST /t/ HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n" + "0123456789"

func TestIncompleteBodyReturns400(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]string{
		"of known size": half,
		"in chunks":     strings.TrimSuffix(chunked(300), "0\r\n\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t, &web.Server{Mounts: mount(measure)})
			c := server.dial(t)
			c.send(t, request)
			if err := c.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if resp, body := c.response(t, http.MethodPost); resp.StatusCode != 400 || body != "bad-request" {
				t.Errorf("response: got %s %q, want 400 bad-request", resp.Status, body)
			}
		})
	}
}

func TestConnectionLostDuringBodyIsLoggedAsInfo(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{Mounts: mount(measure)})
	c := server.dial(t)
	c.send(t, half)
	c.Close()
	line := server.log.line(t)
	if line["fault"] != "bad-request" || line["level"] != "INFO" || line["error"] != nil {
		t.Errorf("log: got %v, want a malformed request and no error", line)
	}
}

func TestSlowBodyReturns408(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]string{
		"of known size":  half,
		"in chunks":      strings.TrimSuffix(chunked(300), "0\r\n\r\n"),
		"over the limit": whole(2000)[:1500],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t, &web.Server{Mounts: mount(measure), Timeouts: web.Timeouts{Read: 200 * time.Millisecond}})
			c := server.dial(t)
			c.send(t, request)
			want := http.StatusRequestTimeout
			if name == "over the limit" {
				want = http.StatusRequestEntityTooLarge // Content-Length is checked first
			}
			if resp, body := c.response(t, http.MethodPost); resp.StatusCode != want {
				t.Errorf("response: got %s %q, want %d", resp.Status, body, want)
			}
		})
	}
}
