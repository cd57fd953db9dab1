package contract_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kartotek/internal/contract"
	"kartotek/internal/fault"
	"kartotek/internal/web"
)

// example is a contract whose operations respond with their names and the id in the path.
func example(foldCase bool) contract.Contract {
	act := func(name string) web.Func {
		return func(w http.ResponseWriter, r *http.Request) error {
			return web.Write(w, http.StatusOK, fmt.Appendf(nil, "%s %s", name, r.PathValue("id")))
		}
	}
	route := func(method, path, operation string) contract.Route {
		return contract.Route{Method: method, Path: path, Operation: operation, Handle: act(operation)}
	}
	things := "/api/Things"
	if foldCase {
		things = "/api/things"
	}
	return contract.Contract{
		Name:     "example",
		Prefix:   "/api/",
		FoldCase: foldCase,
		Routes: []contract.Route{
			route("GET", things+"/{id}", "get"),
			route("PATCH", things+"/{id}", "change"),
			route("GET", things+"/{id}/part", "part"),
			route("POST", things, "add"),
		},
		Fail: func(w http.ResponseWriter, _ *http.Request, f *fault.Fault) {
			status := map[fault.Kind]int{fault.RouteNotFound: 404, fault.MethodNotAllowed: 405}[f.Kind]
			_ = web.Write(w, status, []byte(f.Kind))
		},
	}
}

// serve sends one request to a server with the contract, and returns the response and the log line.
func serve(c contract.Contract, method, target string) (*httptest.ResponseRecorder, map[string]any) {
	var log bytes.Buffer
	server := &web.Server{
		Mounts:  []web.Mount{c.Mount()},
		Log:     slog.New(slog.NewJSONHandler(&log, nil)),
		Metrics: web.NewMetrics(),
	}
	w := httptest.NewRecorder()
	server.Handler().ServeHTTP(w, httptest.NewRequest(method, target, nil))
	var line map[string]any
	_ = json.Unmarshal(log.Bytes(), &line) // without a log line, the caller's checks fail
	return w, line
}

func TestPathsAreRoutedToOperations(t *testing.T) {
	t.Parallel()
	const noRoute = "404 route-not-found"
	tests := map[string]struct{ target, exact, folded string }{
		"a known path":                 {"/api/Things/7", "200 get 7", "200 get 7"},
		"a deeper path":                {"/api/Things/7/part", "200 part 7", "200 part 7"},
		"a query":                      {"/api/Things/7?x=/y//z", "200 get 7", "200 get 7"},
		"another case":                 {"/API/tHINGS/7/PART", "", "200 part 7"},
		"another case of the path":     {"/api/things/7", noRoute, "200 get 7"},
		"another case of the prefix":   {"/Api/Things/7", "", "200 get 7"},
		"a trailing slash":             {"/api/Things/7/", noRoute, "200 get 7"},
		"two trailing slashes":         {"/api/Things/7//", noRoute, noRoute},
		"two slashes inside":           {"/api/Things//7", noRoute, noRoute},
		"two slashes in the prefix":    {"/api//Things/7", noRoute, noRoute},
		"a dot":                        {"/api/./Things/7", noRoute, noRoute},
		"a dot at the end":             {"/api/Things/7/.", noRoute, noRoute},
		"two dots":                     {"/api/x/../Things/7", noRoute, noRoute},
		"two dots at the end":          {"/api/Things/7/part/..", noRoute, noRoute},
		"dots out of the prefix":       {"/api/../healthz", noRoute, noRoute},
		"escaped dots":                 {"/api/Things/%2e%2e", noRoute, noRoute},
		"escaped dots inside":          {"/api/x/%2E%2E/Things/7", noRoute, noRoute},
		"an escaped slash":             {"/api/Things/a%2Fb", "200 get a/b", "200 get a/b"},
		"an escaped trailing slash":    {"/api/Things/7%2F", noRoute, noRoute},
		"an escaped slash and part":    {"/api/Things/7%2fpart", "200 get 7/part", "200 get 7/part"},
		"an escaped slash in the path": {"/api%2FThings/7", noRoute, noRoute},
		"escaped letters":              {"/api/%54hings/%37", "200 get 7", "200 get 7"},
		"an escaped slash and letters": {"/api/%54hings/7%2Fpart", "200 get 7/part", "200 get 7/part"},
		"capitals in an id":            {"/api/Things/ABC", "200 get ABC", "200 get abc"},
		"an escaped percent":           {"/api/Things/%2525", "200 get %25", "200 get %25"},
		"letters beyond ASCII":         {"/api/Things/%C3%A5%2F", noRoute, noRoute},
		"no id":                        {"/api/Things/", noRoute, "405 method-not-allowed"}, // the path of the POST
		"the prefix":                   {"/api/", noRoute, noRoute},
		"an unknown path":              {"/api/Thinks/7", noRoute, noRoute},
		"an unknown deeper path":       {"/api/Things/7/part/x", noRoute, noRoute},
		"an unknown path with slash":   {"/api/x/", noRoute, noRoute},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for foldCase, want := range map[bool]string{false: tt.exact, true: tt.folded} {
				w, line := serve(example(foldCase), http.MethodGet, tt.target)
				got := fmt.Sprint(w.Code, " ", w.Body)
				if line["contract"] != "example" {
					got = "" // not of this contract
				}
				if got != want {
					t.Errorf("%s, case folded %v: got %q, want %q", tt.target, foldCase, got, want)
				}
				if location := w.Header().Get("Location"); location != "" {
					t.Errorf("%s, case folded %v: got a redirect to %s", tt.target, foldCase, location)
				}
			}
		})
	}
}

func TestLogAndMetricsNameTheOperation(t *testing.T) {
	t.Parallel()
	for request, want := range map[string]string{
		"GET /api/Things/7":      "get",
		"HEAD /api/Things/7":     "get",
		"PATCH /api/Things/7":    "change",
		"GET /api/Things/7/part": "part",
		"POST /api/Things":       "add",
		"PUT /api/Things/7":      "none",
		"GET /api/x":             "none",
		"GET /api//Things/7":     "none",
	} {
		method, target, _ := strings.Cut(request, " ")
		var log bytes.Buffer
		server := &web.Server{
			Mounts:  []web.Mount{example(false).Mount()},
			Log:     slog.New(slog.NewJSONHandler(&log, nil)),
			Metrics: web.NewMetrics(),
		}
		h := server.Handler()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, target, nil))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		if line := fmt.Sprintf(`"contract":"example","operation":%q`, want); !strings.Contains(log.String(), line) {
			t.Errorf("%s: the log lacks %s:\n%s", request, line, &log)
		}
		if metric := fmt.Sprintf(`{contract="example",operation=%q,`, want); !strings.Contains(w.Body.String(), metric) {
			t.Errorf("%s: the metrics lack %s:\n%s", request, metric, w.Body)
		}
	}
}

func TestUnknownMethodReturns405WithAllow(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ target, allow string }{
		"of a thing":      {"/api/Things/7", "GET, HEAD, PATCH"},
		"of its part":     {"/api/Things/7/part", "GET, HEAD"},
		"of all things":   {"/api/Things", "POST"},
		"of no such path": {"/api/x", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "BREW"} {
				w, line := serve(example(true), method, tt.target)
				known := strings.Contains(", "+tt.allow+",", ", "+method+",")
				want := http.StatusMethodNotAllowed
				switch {
				case tt.allow == "":
					want = http.StatusNotFound
				case known:
					want = http.StatusOK
				}
				if w.Code != want || w.Code == http.StatusMethodNotAllowed && w.Header().Get("Allow") != tt.allow {
					t.Errorf("%s %s: got %d, Allow %q, want %d, %q", method, tt.target, w.Code, w.Header().Get("Allow"), want, tt.allow)
				}
				if want != http.StatusMethodNotAllowed && w.Header().Get("Allow") != "" {
					t.Errorf("%s %s: got Allow %q with %d", method, tt.target, w.Header().Get("Allow"), w.Code)
				}
				if kind, logged := line["fault"]; logged == known || logged && kind != strings.TrimSpace(w.Body.String()) {
					t.Errorf("%s %s: the log has the fault %v, the response is %q", method, tt.target, kind, w.Body)
				}
			}
		})
	}
}
