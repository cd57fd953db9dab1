package contract

import (
	"net/url"
	"strings"

	"kartotek/internal/contract/transcript"
)

// Examples returns the exchanges in the contract's transcripts by operation, in the order of
// the files. It reads all transcripts: call it once.
func (c Contract) Examples() (map[string][]transcript.Exchange, error) {
	all, err := transcript.ReadAll(c.Transcripts)
	if err != nil {
		return nil, err
	}
	recorded := map[string][]transcript.Exchange{}
	for _, e := range all {
		if route, _, ok := c.MatchRoute(e.Request.Method, e.Request.Target); ok {
			recorded[route.Operation] = append(recorded[route.Operation], e)
		}
	}
	return recorded, nil
}

// MatchRoute finds the operation of a request and the values of its path parameters. It is
// for documentation and tests; Mount serves requests.
func (c Contract) MatchRoute(method, target string) (route Route, params map[string]string, ok bool) {
	u, err := url.Parse(target)
	if err != nil {
		return Route{}, nil, false
	}
	for _, route := range c.Routes {
		params, ok := c.matchPath(route.Path, u.Path)
		if ok && route.Method == method {
			return route, params, true
		}
	}
	return Route{}, nil, false
}

func (c Contract) matchPath(pattern, path string) (params map[string]string, ok bool) {
	if c.FoldCase {
		path = strings.TrimSuffix(path, "/")
	}
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	params = map[string]string{}
	for i, segment := range want {
		switch name, isParam := strings.CutPrefix(segment, "{"); {
		case isParam:
			params[strings.TrimSuffix(name, "}")] = got[i]
		case segment != got[i] && !(c.FoldCase && strings.EqualFold(segment, got[i])):
			return nil, false
		}
	}
	return params, true
}
