// Package contract defines a contract: a name, routes, error responses and an OpenAPI document. It
// does not know the individual contracts.
//
// Start with contract.go for how a contract is mounted. The middleware that contracts share is in
// authenticator.go and idempotency.go, the conditional headers are in precondition.go. examples.go finds the examples of each operation in the
// transcripts.
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

// Contract is one HTTP API that the server implements.
type Contract struct {
	Name        string // in logs, metrics and the history
	Prefix      string // of all its paths, known or not: "/api/"
	FoldCase    bool   // whether paths match in any case and with a trailing slash; routes are in lower case
	Routes      []Route
	Fail        web.Fail
	Spec        []byte // OpenAPI 3.1, YAML
	Transcripts fs.FS  // in the format of package transcript
}

// Route is one operation.
type Route struct {
	Method    string
	Path      string // as in the OpenAPI document: "/api/customers/{customerId}"
	Operation string // its operationId there
	Handle    web.Func
}

// Mount returns the contract's handler for its prefix. Every GET route also serves HEAD.
func (c Contract) Mount() web.Mount {
	mux := http.NewServeMux()
	byPath := map[string][]Route{}
	for _, route := range c.Routes {
		byPath[route.Path] = append(byPath[route.Path], route)
	}
	for p, routes := range byPath {
		mux.Handle(p, c.dispatchMethods(routes))
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

// dispatchMethods serves the routes of one path by method.
func (c Contract) dispatchMethods(routes []Route) http.Handler {
	handlers := map[string]http.Handler{}
	for _, route := range routes {
		handle := web.Handle(route.Handle, c.Fail)
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			web.SetOperation(r, c.Name, route.Operation)
			handle.ServeHTTP(w, r)
		})
		handlers[route.Method] = h
		if route.Method == http.MethodGet {
			handlers[http.MethodHead] = h
		}
	}
	allow := strings.Join(slices.Sorted(maps.Keys(handlers)), ", ")
	noMethod := c.failWith(fault.New(fault.MethodNotAllowed, "allowed methods: %s", allow))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, ok := handlers[r.Method]
		if !ok {
			w.Header().Set("Allow", allow)
			h = noMethod
		}
		h.ServeHTTP(w, r)
	})
}

func (c Contract) failWith(f *fault.Fault) http.Handler {
	return web.Handle(func(http.ResponseWriter, *http.Request) error { return f }, c.Fail)
}

// foldRequest changes the path of the request to the case of the routes, if paths match in any case.
func (c Contract) foldRequest(r *http.Request) *http.Request {
	if !c.FoldCase {
		return r
	}
	segments := strings.Split(strings.TrimSuffix(r.URL.EscapedPath(), "/"), "/") // an escaped slash stays part of its segment
	for i, s := range segments {
		s, _ = url.PathUnescape(s) // EscapedPath is well-formed
		segments[i] = url.PathEscape(strings.ToLower(s))
	}
	routed := r.WithContext(r.Context()) // a copy
	routed.URL = new(url.URL)
	*routed.URL = *r.URL
	routed.URL.RawPath = strings.Join(segments, "/")
	routed.URL.Path, _ = url.PathUnescape(routed.URL.RawPath)
	return routed
}
