// Package portal serves the documentation of the contracts: references with requests to
// try, OpenAPI documents, Postman collections and guides. It knows nothing about the
// behaviour of a contract but its spec.yaml and its transcripts.
//
// Start with portal.go for the paths and resource.go for the responses. document.go builds
// the OpenAPI document of a contract, postman.go its collection, reference.go its
// reference, whose script ui builds into dist. guide.go renders the guides.
package portal

import (
	"io/fs"
	"net/http"
	"strings"

	"kartotek/internal/contract"
	"kartotek/internal/fault"
	"kartotek/internal/portal/openapi"
	"kartotek/internal/web"
)

// Settings are the contracts to document.
type Settings struct {
	Contracts []contract.Contract
	Demo      Credentials // filled in on the references; only for public credentials
}

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

// Mounts returns the handlers of the documentation. It panics if an embedded file cannot
// be read.
func Mounts(s Settings) []web.Mount { return s.mounts(dist) }

func (s Settings) mounts(from fs.FS) []web.Mount {
	all, err := s.resources(from)
	if err != nil {
		panic("documentation: " + err.Error())
	}
	handler := web.Handle(func(w http.ResponseWriter, r *http.Request) error {
		const label = "docs"
		web.SetOperation(r, label, "none")
		if !web.AllowReadOnly(w, r) {
			return fault.New(fault.MethodNotAllowed, "allowed methods: GET, HEAD")
		}
		found, ok := all[strings.TrimSuffix(r.URL.Path, "/")]
		if !ok {
			return fault.New(fault.RouteNotFound, "no such page")
		}
		web.SetOperation(r, label, found.kind)
		return found.serve(w, r)
	}, fail)
	return []web.Mount{{Prefix: home, Handler: handler}, {Prefix: llmsPath, Handler: handler}}
}

// resources returns everything that is served, by path, with the bundle in from. Each
// resource is built at its first request.
func (s Settings) resources(from fs.FS) (map[string]resource, error) {
	all := map[string]resource{}
	script, err := readBundle(from, all)
	if err != nil {
		return nil, err
	}
	guides, err := readGuides()
	if err != nil {
		return nil, err
	}
	for _, g := range guides {
		all[g.Path] = rendered("guide", g.render)
		all[g.Path+".md"] = made("guide", "text/markdown; charset=utf-8", noPolicy, func() ([]byte, error) { return g.source, nil })
	}
	for _, c := range s.Contracts {
		s.addContract(all, c, script)
	}
	all[home] = rendered("index", func() ([]byte, error) { return s.index(guides) })
	all[llmsPath] = made("llms", "text/plain; charset=utf-8", noPolicy, func() ([]byte, error) { return s.llms(guides) })
	return all, nil
}

// addContract adds the resources of one contract.
func (s Settings) addContract(all map[string]resource, c contract.Contract, script bundle) {
	written := func(write func(any) ([]byte, error)) func() ([]byte, error) {
		return func() ([]byte, error) {
			d, err := readDocument(c)
			if err != nil {
				return nil, err
			}
			whole, err := d.enriched()
			if err != nil {
				return nil, err
			}
			return write(whole)
		}
	}
	at := home + "/" + c.Name
	all[at] = s.reference(c, script)
	all[at+"/openapi.json"] = made("openapi", "application/json", noPolicy, written(openapi.JSON))
	all[at+"/openapi.yaml"] = made("openapi", "application/yaml", noPolicy, written(openapi.YAML))
	all[at+"/postman.json"] = made("postman", "application/json", noPolicy, func() ([]byte, error) {
		d, err := readDocument(c)
		if err != nil {
			return nil, err
		}
		return openapi.JSON(d.collection(c, s.Demo))
	})
}
