package native

import (
	_ "embed"
	"net/http"
	"strings"

	"kartotek/internal/fault"
	"kartotek/internal/web"
	"kartotek/internal/web/page"
)

//go:embed problems.html
var problemsHTML string

var problemPages = page.Parse(problemsHTML)

// Problems serves a page about each problem, where its type leads to.
func Problems() web.Mount {
	const prefix = "/problems/"
	return web.Mount{Prefix: prefix, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.SetOperation(r, name, "problem")
		if !web.AllowReadOnly(w, r) {
			_ = show(w, r, http.StatusMethodNotAllowed, problemPage{}) // the caller is gone if this fails
			return
		}
		asked := strings.TrimPrefix(r.URL.Path, prefix)
		about, known := problemPageOf(fault.Kind(asked))
		status := http.StatusOK
		if !known && asked != "" {
			status = http.StatusNotFound
		}
		_ = show(w, r, status, about) // the caller is gone if this fails
	})}
}

// problemPage is what a page tells. One without a type lists them all.
type problemPage struct {
	Type    string
	Status  int
	Title   string
	Meaning string
	Advice  string
	Rules   []ruleText // that its errors name
	Others  []problemPage
}

type ruleText struct{ Rule, Meaning string }

func problemPageOf(asked fault.Kind) (about problemPage, known bool) {
	k, known := kinds[asked]
	if known {
		about = problemPage{Type: string(asked), Status: k.status, Title: k.title, Meaning: k.meaning, Advice: k.advice}
		about.Rules = rulesOf[asked]
	}
	for _, other := range fault.Kinds() {
		if other != asked {
			about.Others = append(about.Others, problemPage{Type: string(other), Status: kinds[other].status, Title: kinds[other].title})
		}
	}
	return about, known
}

// rulesOf says what the rules mean that the errors of a problem name.
var rulesOf = map[fault.Kind][]ruleText{
	fault.BadRequest: {
		{fault.Format, "The value is not of the form that is taken there, or the body is not JSON."},
		{fault.Type, "Another type of value is due."},
		{fault.Required, "Something has to be there."},
		{fault.Range, "The value is outside of the limits that the detail names."},
		{fault.Length, "The value is too long."},
		{fault.Duplicate, "A name, a parameter or a header stands there twice."},
		{fault.Unknown, "The operation does not know this parameter."},
	},
	fault.Invalid: {
		{fault.Type, "Another type of value is due."},
		{fault.Required, "The customer cannot be without it."},
		{fault.Length, "The text is too long. Characters are counted, not bytes."},
		{fault.Format, "The value is not of the form, or not on the list, that the field takes."},
		{fault.Range, "The value is outside of the limits that the detail names."},
		{fault.Immutable, "The server keeps this member itself. Leave it out, or send the value that it has."},
		{fault.Unknown, "A record has no such member: the name may be misspelt."},
		{fault.Duplicate, "An item stands there twice."},
	},
	fault.Conflict: {
		{fault.Unique, "Another customer, account or key has this value."},
		{fault.ChangedSince, "The field has been changed again since the change that was to be undone."},
		{ruleExists, "A path of the JSON Patch leads to nothing in the record."},
		{ruleTest, "A test of the JSON Patch met another value."},
	},
}

func show(w http.ResponseWriter, r *http.Request, status int, about problemPage) error {
	if about.Others == nil {
		about, _ = problemPageOf("")
	}
	body, err := page.Render(problemPages, about)
	if err != nil {
		return err
	}
	return page.Send(w, r, status, body)
}
