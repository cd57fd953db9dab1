// Package contract says what a contract is: a name, routes, a way to fail and
// the OpenAPI document that judges it. It knows none of the contracts.
//
// Read contract.go for how one is mounted; for what stands before the handlers of
// all of them, gate.go for how callers are let in, once.go for requests that are
// sent again; and recorded.go for what transcripts show of its operations.
package contract

import (
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"kartotek/internal/fault"
	"kartotek/internal/web"
)

// Contract is one wire API that the server honours.
type Contract struct {
	Name        string // in logs, metrics and the history
	Prefix      string // of every path that is the contract's, known or not: "/api/"
	FoldCase    bool   // whether paths match in any case, and with a slash at the end
	Routes      []Route
	Fail        web.Fail
	Spec        []byte // OpenAPI 3.1, YAML
	Transcripts fs.FS  // recorded conversations, which package transcript reads
}

// Route is one operation.
type Route struct {
	Method    string
	Path      string // as in the OpenAPI document: "/api/customers/{customerId}"
	Operation string // its operationId there
	Handle    web.Func
}

// Mount returns the contract's handler on the paths that it owns. A HEAD is
// answered where a GET is.
func (c Contract) Mount() web.Mount {
	mux := http.NewServeMux()
	for p, routes := range c.routesByPath() {
		mux.Handle(c.foldPattern(p), c.dispatchMethods(routes))
	}
	noRoute := c.failWith(fault.New(fault.RouteNotFound, "no such path"))
	mux.Handle("/", noRoute)
	return web.Mount{
		Prefix:   c.Prefix,
		FoldCase: c.FoldCase,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			web.SetOperation(r, c.Name, "none")
			routed := c.foldRequest(r)
			if path.Clean(routed.URL.Path) != routed.URL.Path {
				noRoute.ServeHTTP(w, r) // ServeMux would redirect
				return
			}
			mux.ServeHTTP(w, routed)
		}),
	}
}

func (c Contract) routesByPath() map[string]map[string]Route {
	all := map[string]map[string]Route{}
	for _, route := range c.Routes {
		if all[route.Path] == nil {
			all[route.Path] = map[string]Route{}
		}
		all[route.Path][route.Method] = route
		if route.Method == http.MethodGet {
			all[route.Path][http.MethodHead] = route
		}
	}
	return all
}

// methods answers with the route of the request's method.
func (c Contract) dispatchMethods(routes map[string]Route) http.Handler {
	handlers := map[string]http.Handler{}
	for method, route := range routes {
		handlers[method] = web.Handle(route.Handle, c.Fail)
	}
	allow := strings.Join(slices.Sorted(maps.Keys(routes)), ", ")
	noMethod := c.failWith(fault.New(fault.MethodNotAllowed, "the path knows %s", allow))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, ok := handlers[r.Method]
		if !ok {
			w.Header().Set("Allow", allow)
			noMethod.ServeHTTP(w, r)
			return
		}
		web.SetOperation(r, c.Name, routes[r.Method].Operation)
		h.ServeHTTP(w, r)
	})
}

func (c Contract) failWith(f *fault.Fault) http.Handler {
	return web.Handle(func(http.ResponseWriter, *http.Request) error { return f }, c.Fail)
}

// folded is a pattern in the case in which it is matched, its wildcards as they
// are.
func (c Contract) foldPattern(pattern string) string {
	if !c.FoldCase {
		return pattern
	}
	segments := strings.Split(pattern, "/")
	for i, s := range segments {
		if !strings.HasPrefix(s, "{") {
			segments[i] = strings.ToLower(s)
		}
	}
	return strings.Join(segments, "/")
}

func (c Contract) foldRequest(r *http.Request) *http.Request {
	if !c.FoldCase {
		return r
	}
	segments := strings.Split(strings.TrimSuffix(r.URL.EscapedPath(), "/"), "/") // "%2F" is no slash
	for i, s := range segments {
		s, _ = url.PathUnescape(s) // never fails: EscapedPath is well-formed
		segments[i] = url.PathEscape(strings.ToLower(s))
	}
	routed := r.WithContext(r.Context()) // a copy
	routed.URL = new(url.URL)
	*routed.URL = *r.URL
	routed.URL.RawPath = strings.Join(segments, "/")
	routed.URL.Path, _ = url.PathUnescape(routed.URL.RawPath) // nor does this
	return routed
}
