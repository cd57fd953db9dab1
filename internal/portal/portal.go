// Package portal serves the documentation of the contracts: references with requests to
// try, OpenAPI documents, Postman collections, guides and help pages. It knows nothing
// about the behaviour of a contract but its spec.yaml and its transcripts.
//
// Start with portal.go for the paths and resource.go for the responses, which have the address of
// the server (address.go). document.go builds the OpenAPI document of a contract, postman.go its
// collection, reference.go its reference, whose script ui builds into dist. guide.go renders the
// guides, and index.go the lists of all this.
package portal

import (
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"kartotek/internal/contract"
	"kartotek/internal/fault"
	"kartotek/internal/portal/help"
	"kartotek/internal/portal/openapi"
	"kartotek/internal/web"
)

// Settings are the contracts to document.
type Settings struct {
	Contracts []contract.Contract
	Help      contract.Contract // the contract of the help pages
	URL       string            // of the server, such as "https://api.example.com"; empty: as in the request
	Demo      Demo
}

// Demo is what the documentation of a demo has besides. It is empty on other servers.
type Demo struct {
	Credentials                            // public ones, filled in on the references
	Commands    func(url string) []Command // to try on the server at the URL
}

// Command is a command for a shell.
type Command struct{ Title, Text string }

// Credentials authenticate requests that readers try. If they are empty, readers enter
// their own.
type Credentials struct {
	Login, Password string // of an account
	Key             string // of an API key
}

const (
	home     = "/docs"
	llmsPath = "/llms.txt"
)

// Mounts returns the handlers of the documentation. Each page and file is built at its
// first request. Both panic if an embedded file is malformed.
func Mounts(s Settings) []web.Mount { return s.mounts(dist) }

func (s Settings) mounts(from fs.FS) []web.Mount {
	all := s.resources(from)
	docs := s.handler("docs", home, func(u *url.URL) (resource, bool) {
		found, ok := all[strings.TrimSuffix(u.Path, "/")]
		return found, ok
	})
	helpPages := sync.OnceValue(func() map[string][]byte { return help.Pages(s.Help) })
	helpHandler := s.handler(s.Help.Name, help.Root, func(u *url.URL) (resource, bool) {
		body, ok := helpPages()[help.Key(u)]
		return rendered("help", func() []byte { return body }), ok
	})
	return []web.Mount{
		{Prefix: "/", Exact: true, Handler: docs},
		{Prefix: home, Handler: docs},
		{Prefix: llmsPath, Handler: docs},
		{Prefix: help.Root, FoldCase: true, Handler: helpHandler},
	}
}

// handler serves the resources that find returns. The log and the metrics have them under
// label, and error pages link to the index.
func (s Settings) handler(label, index string, find func(*url.URL) (resource, bool)) http.Handler {
	return web.Handle(func(w http.ResponseWriter, r *http.Request) error {
		web.SetOperation(r, label, "none")
		if !web.AllowReadOnly(w, r) {
			return fault.New(fault.MethodNotAllowed, "allowed methods: GET, HEAD")
		}
		found, ok := find(r.URL)
		if !ok {
			return fault.New(fault.RouteNotFound, "no such page")
		}
		web.SetOperation(r, label, found.kind)
		return found.serve(w, r, s.address(r))
	}, fail(index))
}

// resources returns the page /, everything below /docs, and llms.txt, by path without a slash at the
// end.
func (s Settings) resources(from fs.FS) map[string]resource {
	all := map[string]resource{}
	script := readBundle(from, all)
	guides := s.guides()
	for i, g := range guides {
		all[g.Path] = rendered("guide", func() []byte { return guidePage(guides, i) })
		all[g.Path+".md"] = made("guide", "text/markdown; charset=utf-8", filePolicy, func() []byte { return g.source })
	}
	for _, c := range s.Contracts {
		at := home + "/" + c.Name
		all[at] = s.reference(c, script)
		all[at+"/openapi.json"] = made("openapi", "application/json", filePolicy, func() []byte {
			return must(openapi.JSON(readDocument(c).enriched()))
		})
		all[at+"/openapi.yaml"] = made("openapi", "application/yaml", filePolicy, func() []byte {
			return must(openapi.YAML(readDocument(c).enriched()))
		})
		all[at+"/postman.json"] = made("postman", "application/json", filePolicy, func() []byte {
			return must(openapi.JSON(readDocument(c).collection(s.Demo.Credentials)))
		})
	}
	all[""] = rendered("start", s.start)
	all[home] = rendered("index", func() []byte { return s.index(guides) })
	all[llmsPath] = made("llms", "text/plain; charset=utf-8", filePolicy, func() []byte { return s.llms(guides) })
	return all
}

// must panics if something embedded is malformed.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
