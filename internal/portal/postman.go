package portal

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"kartotek/internal/contract/transcript"
	"kartotek/internal/portal/samples"
)

// collection is a contract's operations in Postman's format 2.1, which many programs read.
type collection struct {
	Info      collectionInfo       `json:"info"`
	Auth      collectionAuth       `json:"auth"`
	Variables []collectionVariable `json:"variable"`
	Folders   []collectionFolder   `json:"item"`
}

type collectionInfo struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Schema      string `json:"schema"`
}

// collectionAuth is an authentication; its parameters are named after its type.
type collectionAuth struct {
	Type   string               `json:"type"`
	Basic  []collectionVariable `json:"basic,omitempty"`
	Bearer []collectionVariable `json:"bearer,omitempty"`
	Key    []collectionVariable `json:"apikey,omitempty"`
}

// collectionVariable is a name and a value; the format uses it in many places.
type collectionVariable struct {
	Key         string `json:"key"`
	Value       string `json:"value"`
	Type        string `json:"type,omitempty"`
	Description string `json:"description,omitempty"`
}

// collectionFolder holds the operations of a tag.
type collectionFolder struct {
	Name  string           `json:"name"`
	Items []collectionItem `json:"item"`
}

type collectionItem struct {
	Name      string               `json:"name"`
	Request   collectionRequest    `json:"request"`
	Responses []collectionResponse `json:"response"`
}

type collectionRequest struct {
	Method      string               `json:"method"`
	URL         collectionURL        `json:"url"`
	Header      []collectionVariable `json:"header"`
	Body        *collectionBody      `json:"body,omitempty"`
	Description string               `json:"description,omitempty"`
}

type collectionURL struct {
	Raw       string               `json:"raw"`
	Host      []string             `json:"host"`
	Path      []string             `json:"path"`
	Query     []collectionVariable `json:"query,omitempty"`
	Variables []collectionVariable `json:"variable,omitempty"`
}

type collectionBody struct {
	Mode string `json:"mode"`
	Raw  string `json:"raw"`
}

type collectionResponse struct {
	Name    string               `json:"name"`
	Request collectionRequest    `json:"originalRequest"`
	Status  string               `json:"status"`
	Code    int                  `json:"code"`
	Header  []collectionVariable `json:"header"`
	Body    string               `json:"body"`
	Preview string               `json:"_postman_previewlanguage"`
}

const collectionFormat = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"

// collection returns the document's operations with the credentials of a demo.
func (d document) collection(demo Credentials) collection {
	all := collection{
		Info:      collectionInfo{d.Info("title"), d.Info("summary"), collectionFormat},
		Variables: []collectionVariable{{Key: "baseUrl", Value: base, Description: "Where the server is."}},
	}
	key := collectionVariable{Key: "key", Value: demo.Key, Description: "An API key."}
	switch d.credential() {
	case samples.Basic:
		all.Auth = collectionAuth{Type: "basic", Basic: parameters("username", "{{login}}", "password", "{{password}}")}
		all.Variables = append(all.Variables,
			collectionVariable{Key: "login", Value: demo.Login, Description: "Of an account."},
			collectionVariable{Key: "password", Value: demo.Password, Description: "Of the account."})
	case samples.Bearer:
		all.Auth = collectionAuth{Type: "bearer", Bearer: parameters("token", "{{key}}")}
		all.Variables = append(all.Variables, key)
	case samples.Token:
		all.Auth = collectionAuth{Type: "apikey", Key: parameters("key", "Authorization", "value", "{{key}}", "in", "header")}
		all.Variables = append(all.Variables, key)
	}
	for _, op := range d.Operations {
		all.add(op.tag(), d.item(op))
	}
	return all
}

// parameters returns the parameters of an authentication from alternating names and values.
func parameters(namesAndTexts ...string) (all []collectionVariable) {
	for i := 0; i < len(namesAndTexts); i += 2 {
		all = append(all, collectionVariable{Key: namesAndTexts[i], Value: namesAndTexts[i+1], Type: "string"})
	}
	return all
}

// add appends an item to the folder of its tag.
func (all *collection) add(tag string, item collectionItem) {
	for i, folder := range all.Folders {
		if folder.Name == tag {
			all.Folders[i].Items = append(folder.Items, item)
			return
		}
	}
	all.Folders = append(all.Folders, collectionFolder{tag, []collectionItem{item}})
}

func (op operation) tag() string {
	for _, tag := range op.Spec.List("tags") {
		name, _ := tag.(string)
		return name
	}
	return "Operations"
}

func (d document) item(op operation) collectionItem {
	item := collectionItem{Name: op.Spec.Text("summary"), Responses: []collectionResponse{}}
	item.Request = d.request(op, op.typical())
	item.Request.Description = op.Spec.Text("description")
	for _, e := range op.examples {
		item.Responses = append(item.Responses, d.response(op, e))
	}
	return item
}

func (d document) response(op operation, e example) collectionResponse {
	status := http.StatusText(e.Response.Status)
	return collectionResponse{
		Name:    cmp.Or(e.Comment, status),
		Request: d.request(op, e.Request),
		Status:  status,
		Code:    e.Response.Status,
		Header:  headerOf(e.Response.Header),
		Body:    e.Response.Body,
		Preview: "json",
	}
}

// request returns a recorded request of an operation, with the collection's credential.
func (d document) request(op operation, r transcript.Request) collectionRequest {
	made := collectionRequest{Method: r.Method, Header: headerOf(ownHeader(r)), URL: d.url(op, r)}
	if r.Body != "" && r.Verbatim() {
		made.Body = &collectionBody{"raw", r.Body}
	}
	return made
}

// url returns the URL with path parameters in Postman's notation: ":customerId".
func (d document) url(op operation, r transcript.Request) collectionURL {
	path := strings.NewReplacer("{", ":", "}", "").Replace(op.Path)
	_, query, _ := strings.Cut(r.Target, "?")
	u := collectionURL{
		Raw:  "{{baseUrl}}" + path,
		Host: []string{"{{baseUrl}}"},
		Path: strings.Split(strings.TrimPrefix(path, "/"), "/"),
	}
	if query != "" {
		u.Raw += "?" + query
	}
	for pair := range strings.SplitSeq(query, "&") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			u.Query = append(u.Query, collectionVariable{Key: name, Value: value})
		}
	}
	_, params, _ := d.Contract.MatchRoute(r.Method, r.Target)
	for _, segment := range u.Path {
		if name, ok := strings.CutPrefix(segment, ":"); ok {
			value, _ := url.PathUnescape(params[name])
			u.Variables = append(u.Variables, collectionVariable{Key: name, Value: value})
		}
	}
	return u
}

func headerOf(header []transcript.Header) (all []collectionVariable) {
	for _, h := range header {
		all = append(all, collectionVariable{Key: h.Name, Value: h.Value})
	}
	return all
}
