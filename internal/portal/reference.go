package portal

import (
	_ "embed"
	"html/template"

	"kartotek/internal/contract"
	"kartotek/internal/portal/samples"
	"kartotek/internal/web/page"
)

//go:embed pages/reference.html
var referenceHTML string

//go:embed pages/unbuilt.html
var unbuiltHTML string

// referencePolicy allows Scalar to write styles into the page. Requests can go only to
// this server.
const referencePolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// referencePage is the data of a contract's reference page.
type referencePage struct {
	document
	Others   []string // names of the contracts
	Script   bundle
	Settings referenceSettings
}

// referenceSettings are read by ui/src/reference.ts.
type referenceSettings struct {
	Document       string         `json:"document"`
	Authentication authentication `json:"authentication"`
}

// authentication is a demo's credentials in Scalar's format.
type authentication struct {
	Preferred string                       `json:"preferredSecurityScheme,omitempty"`
	Schemes   map[string]map[string]string `json:"securitySchemes,omitempty"`
}

// reference returns a contract's reference page, or a page that says how to build it.
func (s Settings) reference(c contract.Contract, script bundle) resource {
	if script.Script == "" {
		return rendered("unbuilt", func() []byte {
			return must(page.Render(page.Parse(unbuiltHTML), readDocument(c)))
		})
	}
	return made("reference", "text/html; charset=utf-8", referencePolicy, func() []byte {
		d := readDocument(c)
		about := referencePage{
			document: d,
			Script:   script,
			Settings: referenceSettings{
				Document:       home + "/" + c.Name + "/openapi.json",
				Authentication: s.Demo.authentication(d),
			},
		}
		for _, other := range s.Contracts {
			about.Others = append(about.Others, other.Name)
		}
		return must(page.Render(template.Must(template.New("reference").Parse(referenceHTML)), about))
	})
}

// authentication returns the credentials for the security scheme of a document.
func (c Credentials) authentication(d document) authentication {
	if c == (Credentials{}) {
		return authentication{}
	}
	name, _ := d.scheme()
	var values map[string]string
	switch d.credential() {
	case samples.Basic:
		values = map[string]string{"username": c.Login, "password": c.Password}
	case samples.Bearer:
		values = map[string]string{"token": c.Key}
	case samples.Token:
		values = map[string]string{"value": c.Key}
	}
	return authentication{name, map[string]map[string]string{name: values}}
}
