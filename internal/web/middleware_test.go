package web_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"kartotek/internal/fault"
	"kartotek/internal/web"
)

func TestValidRequestIDIsKept(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 128)
	tests := map[string]struct {
		header string
		kept   bool
	}{
		"one character is kept":             {"7", true},
		"a uuid is kept":                    {"0195e3a0-0000-7000-8000-000000000043", true},
		"128 characters are kept":           {long, true},
		"punctuation is kept":               {`{"a":1}\!~`, true},
		"a missing one is generated":        {"", false},
		"129 characters are replaced":       {long + "x", false},
		"a space is replaced":               {"a b", false},
		"a tab is replaced":                 {"a\tb", false},
		"letters beyond ASCII are replaced": {"å", false},
		"invalid UTF-8 is replaced":         {"\xff", false},
		"a list of two is replaced":         {"a, b", false},
		"control characters are replaced":   {"a\u009b1m", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var inside string
			server := start(t, &web.Server{Mounts: mount(func(w http.ResponseWriter, r *http.Request) error {
				inside = web.RequestID(r)
				return hello(w, r)
			})})
			resp, _ := server.do(t, "GET /t/ HTTP/1.1\r\nHost: test\r\nX-Request-Id: "+tt.header+"\r\n\r\n")
			got := resp.Header.Get("X-Request-Id")
			if (got == tt.header) != tt.kept {
				t.Errorf("id %q: got %q back, want it kept: %v", tt.header, got, tt.kept)
			}
			if _, err := uuid.Parse(got); err != nil && !tt.kept {
				t.Errorf("id %q: got %q instead, want a UUID", tt.header, got)
			}
			if logged := server.log.line(t)["id"]; inside != got || logged != got {
				t.Errorf("id: the response has %q, the handler %q, the log %q; want the same", got, inside, logged)
			}
		})
	}
}

func TestGeneratedRequestIDsDiffer(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{})
	first, _ := server.get(t, "/healthz")
	second, _ := server.get(t, "/healthz")
	if a, b := first.Header.Get("X-Request-Id"), second.Header.Get("X-Request-Id"); a == b {
		t.Errorf("two requests have the id %q", a)
	}
}

func TestHandlerWorksWithoutServer(t *testing.T) {
	t.Parallel()
	r, err := http.NewRequest(http.MethodGet, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	web.SetOperation(r, "test", "act") // has no effect
	if got := web.RequestID(r); got != "" {
		t.Errorf("id: got %q, want none", got)
	}
}

func TestEachRequestHasOneLogLine(t *testing.T) {
	t.Parallel()
	returns := func(err error) web.Func { return func(http.ResponseWriter, *http.Request) error { return err } }
	busy := fault.New(fault.Unavailable, "wait")
	tests := map[string]struct {
		handle web.Func
		want   string // level, status, bytes, fault, error
		more   string // keys beyond the usual ones
	}{
		"a response":           {hello, "INFO 200 5 <nil> <nil>", ""},
		"no response":          {returns(nil), "INFO 200 0 <nil> <nil>", ""},
		"a client error":       {returns(fault.New(fault.BadRequest, "no")), "INFO 400 11 bad-request <nil>", " fault"},
		"an internal error":    {returns(errors.New("dial: invalid")), "ERROR 500 8 internal dial: invalid", " error fault"},
		"an unavailable store": {returns(busy), "ERROR 503 11 unavailable unavailable: wait", " error fault"},
		"a wrapped fault":      {returns(fmt.Errorf("put: %w", busy)), "ERROR 503 11 unavailable put: unavailable: wait", " error fault"},
		"a full disk":          {returns(fmt.Errorf("put: %w", fault.New(fault.StorageFull, "no room"))), "ERROR 507 12 storage-full put: storage-full: no room", " error fault"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t, &web.Server{Mounts: mount(tt.handle)})
			server.get(t, "/t/x")
			line := server.log.line(t)
			if got := fmt.Sprint(line["level"], " ", line["status"], " ", line["bytes"], " ", line["fault"], " ", line["error"]); got != tt.want {
				t.Errorf("log: got %q, want %q", got, tt.want)
			}
			if line["msg"] != "request" || line["method"] != "GET" || line["contract"] != "test" || line["operation"] != "act" {
				t.Errorf("log: got %v, want a GET of act in test", line)
			}
			if ms, ok := line["ms"].(float64); !ok || ms < 0 {
				t.Errorf("ms: got %v, want a number", line["ms"])
			}
			want := slices.Sorted(slices.Values(strings.Fields("bytes contract id level method ms msg operation status time" + tt.more)))
			if keys := slices.Sorted(maps.Keys(line)); !slices.Equal(keys, want) {
				t.Errorf("log: got the keys %v, want %v", keys, want)
			}
		})
	}
}

func TestUnknownMethodIsLoggedAsOther(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{Mounts: mount(hello)})
	server.do(t, "NORDMANN /t/ HTTP/1.1\r\nHost: test\r\n\r\n")
	if line := server.log.line(t); line["method"] != "other" {
		t.Errorf("method: got %v, want other", line["method"])
	}
}

// The marker is in every part of the request that may contain personal data.
func TestLogHasNoPersonalData(t *testing.T) {
	t.Parallel()
	const marker = "Nordmann"
	invalid := &fault.Fault{Kind: fault.Invalid, Text: "no", Fields: []fault.Field{{Path: "email", Rule: fault.Format, Text: "bad"}}}
	tests := map[string]struct {
		path   string
		handle web.Func
		want   float64
	}{
		"the handler responds with it": {"/t/", echo, 200},
		"the handler returns a fault":  {"/t/", func(http.ResponseWriter, *http.Request) error { return invalid }, 422},
		"the handler returns an error": {"/t/", func(http.ResponseWriter, *http.Request) error { return errors.New("disk full") }, 500},
		"a panic with a string":        {"/t/", func(http.ResponseWriter, *http.Request) error { panic(marker) }, 500},
		"a panic with an error":        {"/t/", func(http.ResponseWriter, *http.Request) error { panic(errors.New(marker)) }, 500},
		"a panic with a wrapped error": {"/t/", func(http.ResponseWriter, *http.Request) error { panic(fmt.Errorf("%s: %w", marker, io.EOF)) }, 500},
		"a panic with a fault":         {"/t/", func(http.ResponseWriter, *http.Request) error { panic(fault.New(fault.PreconditionFailed, marker)) }, 500},
		"a failed type assertion":      {"/t/", func(http.ResponseWriter, *http.Request) error { _ = any(marker).(int); return nil }, 500},
		"a write to a nil map":         {"/t/", func(http.ResponseWriter, *http.Request) error { noMap()[marker]++; return nil }, 500},
		"an unknown path":              {"/x/", nil, 404},
		"a path for operators":         {"/healthz?x=", nil, 405},
		"an unclean path":              {"/t/../", hello, 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t, &web.Server{Mounts: mount(tt.handle)})
			basic := base64.StdEncoding.EncodeToString([]byte(marker + ":" + marker))
			resp, _ := server.do(t, "POST "+tt.path+marker+"?"+marker+"="+marker+";"+marker+" HTTP/1.1\r\nHost: "+marker+"\r\n"+
				marker+": "+marker+"\r\nUser-Agent: "+marker+"\r\nReferer: "+marker+"\r\nCookie: "+marker+"="+marker+"\r\n"+
				"X-Request-Id: "+marker+" "+marker+"\r\nX-Forwarded-For: "+marker+"\r\nContent-Type: "+marker+"\r\n"+
				"Authorization: Basic "+basic+"\r\nContent-Length: 8\r\n\r\n"+marker)
			if line := server.log.line(t); line["status"] != tt.want || float64(resp.StatusCode) != tt.want {
				t.Errorf("status: got %s, logged as %v, want %v", resp.Status, line["status"], tt.want)
			}
			for _, secret := range []string{marker, basic} {
				if strings.Contains(strings.ToLower(server.log.String()), strings.ToLower(secret)) {
					t.Errorf("the log holds %q:\n%s", secret, server.log)
				}
			}
		})
	}
}

func noMap() map[string]int { return nil }

func echo(w http.ResponseWriter, r *http.Request) error {
	body, err := web.ReadBody(r)
	if err != nil {
		return err
	}
	return web.Write(w, http.StatusOK, append(body, r.URL.String()...))
}

func TestPanicInHandleReturns500(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{Mounts: mount(func(_ http.ResponseWriter, r *http.Request) error {
		noMap()[r.URL.Path]++
		return nil
	})})
	for range 2 { // the server must survive
		resp, body := server.get(t, "/t/")
		if resp.StatusCode != http.StatusInternalServerError || body != "internal" {
			t.Errorf("response: got %s %q, want the contract's 500", resp.Status, body)
		}
	}
	for _, line := range server.log.lines(t, 2) {
		text, _ := line["error"].(string)
		if line["level"] != "ERROR" || !strings.HasPrefix(text, "panic: assignment to entry in nil map\n") || !strings.Contains(text, "middleware_test.go:") {
			t.Errorf("log: got %v, want the panic and where it was", line)
		}
	}
}

func TestPanicOutsideHandleReturns500(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{Mounts: []web.Mount{{Prefix: "/t/", Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic("secret")
	})}}})
	resp, body := server.get(t, "/t/")
	if resp.StatusCode != http.StatusInternalServerError || strings.Contains(body, "secret") {
		t.Errorf("response: got %s %q, want a bare 500", resp.Status, body)
	}
	line := server.log.line(t)
	if text, _ := line["error"].(string); line["status"] != 500.0 || !strings.HasPrefix(text, "panic: string\n") {
		t.Errorf("log: got %v, want a panic of a string", line)
	}
}

// A response that has begun cannot be replaced by an error response.
func TestErrorAfterResponseBeganClosesConnection(t *testing.T) {
	t.Parallel()
	begin := func(w http.ResponseWriter) {
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, "half of ")
		_ = http.NewResponseController(w).Flush()
	}
	tests := map[string]struct {
		handler http.Handler
		text    string // how the logged error begins
		fault   any
	}{
		"by a panic":  {web.Handle(func(w http.ResponseWriter, _ *http.Request) error { begin(w); panic("x") }, fail), "panic: string", "internal"},
		"by an error": {web.Handle(func(w http.ResponseWriter, _ *http.Request) error { begin(w); return io.ErrNoProgress }, fail), io.ErrNoProgress.Error(), "internal"},
		"by a fault": {web.Handle(func(w http.ResponseWriter, _ *http.Request) error {
			begin(w)
			return fault.AlreadyExists("customer", "id")
		}, fail), "conflict: ", "conflict"},
		"by a panic outside": {http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { begin(w); panic("x") }), "panic: string", nil},
		"by the handler":     {web.Handle(func(w http.ResponseWriter, _ *http.Request) error { begin(w); panic(http.ErrAbortHandler) }, fail), "", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t, &web.Server{Mounts: []web.Mount{{Prefix: "/t/", Handler: tt.handler}}})
			resp, err := server.client.Get("http://" + server.addr + "/t/")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err == nil || string(body) != "half of " {
				t.Errorf("response: got %q, %v, want a partial response and an error", body, err)
			}
			line := server.log.line(t)
			if text, _ := line["error"].(string); !strings.HasPrefix(text, tt.text) || (tt.text == "") != (text == "") || line["fault"] != tt.fault {
				t.Errorf("log: got %v, want the error %q and the fault %v", line, tt.text, tt.fault)
			}
			if resp, _ := server.get(t, "/healthz"); resp.StatusCode != http.StatusOK {
				t.Errorf("then: got %s, want a running server", resp.Status)
			}
		})
	}
}

func TestHandlerTimeoutReturns503(t *testing.T) {
	t.Parallel()
	server := start(t, &web.Server{
		Timeouts: web.Timeouts{Handler: 50 * time.Millisecond},
		Mounts: mount(func(_ http.ResponseWriter, r *http.Request) error {
			<-r.Context().Done()
			return fmt.Errorf("update: %w", r.Context().Err())
		}),
	})
	resp, body := server.get(t, "/t/")
	if resp.StatusCode != 503 || body != "unavailable" || resp.Header.Get("Retry-After") != "1" {
		t.Errorf("response: got %s %q %v, want 503 with Retry-After", resp.Status, body, resp.Header)
	}
	if line := server.log.line(t); line["error"] != "update: context deadline exceeded" || line["fault"] != "unavailable" {
		t.Errorf("log: got %v, want the deadline", line)
	}
}

func TestClientDisconnectIsLoggedAsInfo(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	server := start(t, &web.Server{Mounts: mount(func(_ http.ResponseWriter, r *http.Request) error {
		close(entered)
		<-web.Disconnected(r)
		return fmt.Errorf("update: %w", context.Canceled)
	})})
	c := server.dial(t)
	c.send(t, "GET /t/ HTTP/1.1\r\nHost: test\r\n\r\n")
	<-entered
	c.Close()
	if line := server.log.line(t); line["level"] != "INFO" || line["fault"] != "unavailable" || line["error"] != nil {
		t.Errorf("log: got %v, want a busy request and no error", line)
	}
}

func TestRetryAfterHeader(t *testing.T) {
	t.Parallel()
	limited := func(wait time.Duration) error { return &fault.Fault{Kind: fault.RateLimited, RetryAfter: wait} }
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"an internal error":     {io.ErrNoProgress, ""},
		"an unavailable server": {fault.New(fault.Unavailable, "busy"), "1"},
		"a full disk":           {fault.New(fault.StorageFull, "full"), "30"},
		"a limit for a moment":  {limited(1), "1"},
		"a limit for a second":  {limited(time.Second), "1"},
		"a limit for longer":    {limited(time.Second + 1), "2"},
		"a limit without wait":  {limited(0), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t, &web.Server{Mounts: mount(func(http.ResponseWriter, *http.Request) error { return tt.err })})
			if resp, _ := server.get(t, "/t/"); resp.Header.Get("Retry-After") != tt.want {
				t.Errorf("Retry-After: got %q, want %q", resp.Header.Get("Retry-After"), tt.want)
			}
		})
	}
}
