//go:build unix

package samples_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kartotek/internal/access"
	"kartotek/internal/contract"
	"kartotek/internal/contract/contracttest"
	"kartotek/internal/contract/elw"
	"kartotek/internal/contract/lochting"
	"kartotek/internal/contract/native"
	"kartotek/internal/customer"
	"kartotek/internal/portal/samples"
)

// The samples send text that is full of characters with a meaning in some language.
const (
	hardEmail = "o'brien-$name.${x}#{x}%s`ls`{{y}}@example.com"
	hardNote  = `O'Brien "q" \ \n $name ${x} #{x} #@x %s %% ` + "`ls` $(ls) \\(x) !x ??/ */ ]]>"
	hardName  = `O'Brien "Bob" \ \n \u0041 $name ${x} #{x} %s ` + "`ls` \\(x) {{y}}"
	hardLast  = "Ångström 🎈 <&> 日本 ’‘"
	hardLine  = `)" )-" |} |json} "# \#(x) ''' """ '@ JSON !x $(ls)`
)

// The escapes of JSON must reach the server as JSON, not as escapes of the language.
const hardUnknown = `"unknown":{"ends":"a\nb\tc\\nd","escapes":"\u00e5\ud83c\udf88\/\b\f","is":[true,false,null,-1.5e3,{},[]]}`

// TestSamplesRun runs the samples against a server: both documented PATCHes and a GET.
// docs/samples.md lists which samples are run and which are only parsed.
func TestSamplesRun(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	versions := map[string]string{}
	t.Run("languages", func(t *testing.T) {
		for label, tool := range tools {
			t.Run(label, func(t *testing.T) {
				t.Parallel()
				version := tool.need(t, label)
				mu.Lock()
				versions[label] = version
				mu.Unlock()
				s := serve(t)
				s.updateByElw(t, label, tool)
				s.updateByLochting(t, label, tool)
				s.readByNative(t, label, tool)
			})
		}
	})
	comparePage(t, versions)
}

func (s *server) updateByElw(t *testing.T, label string, tool tool) {
	email, err := json.Marshal(hardEmail)
	if err != nil {
		t.Fatal(err)
	}
	r := samples.Request{
		Method:     "PATCH",
		URL:        s.url + "/api/customers/42",
		Headers:    []samples.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "X-Note", Value: hardNote}},
		Body:       `{"Email":` + string(email) + `,"PhoneNumber":"4799887766",` + hardUnknown + `}`,
		Credential: samples.Basic,
	}
	program := tool.build(t, sources(r)[label])
	if program == nil {
		return
	}
	s.wantResponse(t, r, program, map[string]string{"KARTOTEK_LOGIN": "kari", "KARTOTEK_PASSWORD": "sommerregn"})
	got := s.customer(t)
	if got.Email != hardEmail || got.Phone != "4799887766" {
		t.Errorf("the record: got %q, %q", got.Email, got.Phone)
	}
}

func (s *server) updateByLochting(t *testing.T, label string, tool tool) {
	body, err := json.Marshal(map[string]any{
		"firstName": hardName, "lastName": hardLast, "locale": "nl_BE", "emailAddress": "johndoe@lochting.com",
		"gender": "female", "phoneNumber": nil, "address": hardLine, "country": "BE",
	})
	if err != nil {
		t.Fatal(err)
	}
	r := samples.Request{
		Method:     "PATCH",
		URL:        s.url + "/public/v1/customer/customer-c7d932c1-84e8-410c-a9b2-18bf739d6b8b",
		Headers:    []samples.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "Prefer", Value: "return=representation"}},
		Body:       strings.TrimSuffix(string(body), "}") + "," + hardUnknown + "}",
		Credential: samples.Token,
	}
	program := tool.build(t, sources(r)[label])
	if program == nil {
		return
	}
	s.wantResponse(t, r, program, map[string]string{"KARTOTEK_TOKEN": s.fixture.Key("writer")})
	got := s.customer(t)
	if got.FirstName != hardName || got.LastName != hardLast || got.Address.Line != hardLine || got.Phone != "" {
		t.Errorf("the record: got %q, %q, %q, %q", got.FirstName, got.LastName, got.Address.Line, got.Phone)
	}
}

// readByNative sends the GET twice: the second time with a key without the scope.
func (s *server) readByNative(t *testing.T, label string, tool tool) {
	r := samples.Request{
		Method:     "GET",
		URL:        s.url + "/v1/customers?q=%C3%85ngstr%C3%B6m&limit=5",
		Credential: samples.Bearer,
	}
	program := tool.build(t, sources(r)[label])
	if program == nil {
		return
	}
	s.wantResponse(t, r, program, map[string]string{"KARTOTEK_KEY": s.fixture.Key("reader")})
	stdout, stderr, err := s.try(program, map[string]string{"KARTOTEK_KEY": s.fixture.Key("admin")})
	_, response, _ := s.last()
	if response.Code != http.StatusForbidden || err == nil || stderr == "" {
		t.Errorf("an error: got status %d, %v, stderr %q; want 403 on standard error, and a failure", response.Code, err, stderr)
	}
	wantPrinted(t, stdout, response)
}

// wantResponse runs the program, which must send exactly the request r and print the
// response.
func (s *server) wantResponse(t *testing.T, r samples.Request, program program, env map[string]string) {
	t.Helper()
	stdout, stderr, err := s.try(program, env)
	sent, response, body := s.last()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, stdout, stderr)
	}
	if response == nil {
		t.Fatal("nothing was sent")
	}
	if sent.Method != r.Method || s.url+sent.RequestURI != r.URL || response.Code != http.StatusOK {
		t.Errorf("sent %s %s, got status %d %s", sent.Method, sent.RequestURI, response.Code, response.Body)
	}
	for _, h := range r.Headers {
		got := sent.Header.Get(h.Name)
		if h.Name == "Content-Type" {
			got, _, _ = strings.Cut(got, ";") // some add the charset
		}
		if got != h.Value {
			t.Errorf("%s: got %q, want %q", h.Name, got, h.Value)
		}
	}
	if r.Body == "" && len(body) > 0 {
		t.Errorf("the body: got %q, want none", body)
	}
	if r.Body != "" {
		if diff := cmp.Diff(decoded(t, r.Body), decoded(t, string(body))); diff != "" {
			t.Errorf("the body (-want +got):\n%s", diff)
		}
	}
	wantPrinted(t, stdout, response)
}

// try runs the program, and again while the server responds 503: beside compilers, the
// disk may stall for longer than the write timeout.
func (s *server) try(program program, env map[string]string) (stdout, stderr string, err error) {
	for range 5 {
		stdout, stderr, err = program(env)
		if _, response, _ := s.last(); response == nil || response.Code != http.StatusServiceUnavailable {
			break
		}
	}
	return stdout, stderr, err
}

func wantPrinted(t *testing.T, stdout string, response *httptest.ResponseRecorder) {
	t.Helper()
	if got, want := strings.TrimSpace(stdout), response.Body.String(); got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

func decoded(t *testing.T, document string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(document), &v); err != nil {
		t.Errorf("%s: %v", document, err)
	}
	return v
}

// server is a Kartotek that records its last request and response.
type server struct {
	url     string
	fixture contracttest.Fixture

	mu       sync.Mutex
	sent     *http.Request
	body     []byte
	response *httptest.ResponseRecorder
}

func serve(t *testing.T) *server {
	t.Helper()
	w := contracttest.NewFixture(t)
	s := &server{fixture: w}
	contracts := http.NewServeMux()
	for _, c := range []contract.Contract{
		elw.New(elw.Settings{Customers: w.Customers, Authenticator: w.Authenticator, Idempotency: w.Idempotency, Now: w.Now, ConfirmAfter: time.Hour}),
		lochting.New(lochting.Settings{Customers: w.Customers, Authenticator: w.Authenticator, Idempotency: w.Idempotency}),
		native.New(native.Settings{Customers: w.Customers, Authenticator: w.Authenticator, Idempotency: w.Idempotency, Registry: w.Registry, CursorSecret: w.CursorSecret, Now: w.Now, ConfirmAfter: time.Hour}),
	} {
		contracts.Handle(c.Prefix, w.Handler(c))
	}
	running := httptest.NewServer(s.recording(contracts))
	t.Cleanup(running.Close)
	s.url = running.URL
	return s
}

func (s *server) recording(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		response := httptest.NewRecorder()
		next.ServeHTTP(response, r)
		s.mu.Lock()
		s.sent, s.body, s.response = r, body, response
		s.mu.Unlock()
		maps.Copy(w.Header(), response.Header())
		w.WriteHeader(response.Code)
		_, _ = w.Write(response.Body.Bytes()) // a sample that gets no response fails
	})
}

func (s *server) last() (sent *http.Request, response *httptest.ResponseRecorder, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent, s.response, s.body
}

func (s *server) customer(t *testing.T) customer.Customer {
	t.Helper()
	by := access.Actor{Tenant: "hafslund", Name: "test", Customers: access.AllCustomers(), Scopes: access.Scopes()}
	c, err := s.fixture.Customers.Get(t.Context(), by, customer.ByNumber(by.Tenant, 42))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
