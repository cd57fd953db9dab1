package help

import (
	"fmt"
	"slices"
	"strings"

	"kartotek/internal/portal/openapi"
)

// table lists parameters, headers or properties.
type table struct {
	Label string
	Rows  []row
}

// row is a row of a table. Description and Notes are prose.
type row struct {
	Name, Description string
	Type              typeView
	Notes             string
}

// typeView is the name of a type, with a link if it is a model.
type typeView struct{ Text, To string }

// parameters returns the parameters of an operation in the given locations.
func (s site) parameters(o operation, label string, places ...string) table {
	t := table{Label: label}
	for _, value := range o.Parameters {
		p, _ := s.doc.Resolve(value)
		if slices.Contains(places, p.Text("in")) {
			t.Rows = append(t.Rows, s.row(p.Text("name"), p, "Required."))
		}
	}
	return t
}

// credentials returns the row of the Authorization header.
func (s site) credentials() []row {
	var rows []row
	for _, value := range s.doc.Root.List("security") {
		requirement, _ := value.(openapi.Object)
		for _, m := range requirement {
			scheme := s.doc.Root.Object("components").Object("securitySchemes").Object(m.Name)
			rows = append(rows, row{
				"Authorization", scheme.Text("description"),
				typeView{Text: "string"},
				"Required. HTTP authentication of the scheme `" + scheme.Text("scheme") + "`.",
			})
		}
	}
	return rows
}

// headers returns the headers of a response.
func (s site) headers(headers openapi.Object, label string) table {
	t := table{Label: label}
	for _, m := range headers {
		header, _ := s.doc.Resolve(m.Value)
		t.Rows = append(t.Rows, s.row(m.Name, header, "Always sent."))
	}
	return t
}

// row returns the row of a parameter or header. required is the text for a required one.
func (s site) row(name string, p openapi.Object, required string) row {
	schema, _ := s.doc.Resolve(p.Get("schema"))
	notes := facts(schema)
	if p.Bool("required") {
		notes = slices.Insert(notes, 0, required)
	}
	if example := p.Get("example"); example != nil {
		notes = append(notes, "Example: "+code(example)+".")
	}
	return row{name, p.Text("description"), s.typeOf(p.Get("schema")), strings.Join(notes, " ")}
}

// properties returns the properties of a model, with their meaning in a response and in
// the body of a request.
func (s site) properties(model string, schema openapi.Object) table {
	t := s.updatable(model, schema)
	for i, m := range schema.Object("properties") {
		property, _ := s.doc.Resolve(m.Value)
		notes := strings.Join(facts(property), " ")
		if inRequest := t.Rows[i].Notes; inRequest != "" {
			notes += "\n\nIn a `" + s.bodies[model].method + "`: " + inRequest
		}
		t.Rows[i].Notes = notes
	}
	return t
}

// updatable returns the properties of a model with the description in the schema of the
// request.
func (s site) updatable(model string, schema openapi.Object) table {
	t := table{Label: "Properties of " + model}
	body := s.bodies[model].schema.Object("properties")
	for _, m := range schema.Object("properties") {
		property, _ := s.doc.Resolve(m.Value)
		inBody, _ := s.doc.Resolve(body.Get(m.Name))
		t.Rows = append(t.Rows, row{m.Name, property.Text("description"), s.typeOf(m.Value), inBody.Text("description")})
	}
	return t
}

// typeOf returns the type of a schema, without null.
func (s site) typeOf(value any) typeView {
	schema, name := s.doc.Resolve(value)
	if name != "" {
		return typeView{name, modelLink(name)}
	}
	for _, option := range schema.List("oneOf") {
		if t := s.typeOf(option); t.Text != "null" {
			return t
		}
	}
	names := types(schema)
	if len(names) > 1 {
		names = slices.DeleteFunc(names, func(name string) bool { return name == "null" })
	}
	switch text := strings.Join(names, " or "); {
	case text == "array":
		return typeView{Text: "list of " + s.typeOf(schema.Get("items")).Text}
	case text == "object" && schema.Object("additionalProperties") != nil:
		return typeView{Text: "dictionary of " + s.typeOf(schema.Get("additionalProperties")).Text}
	case strings.HasPrefix(schema.Text("format"), "date"):
		return typeView{Text: "date"}
	default:
		return typeView{Text: text}
	}
}

func types(schema openapi.Object) []string {
	if one := schema.Text("type"); one != "" {
		return []string{one}
	}
	var names []string
	for _, value := range schema.List("type") {
		names = append(names, fmt.Sprint(value))
	}
	return names
}

// facts returns the constraints of a schema as sentences.
func facts(schema openapi.Object) []string {
	var all []string
	add := func(ok bool, format string, args ...any) {
		if ok {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	has := func(name string) bool { return schema.Get(name) != nil }
	add(nullable(schema), "May be null.")
	add(schema.Text("format") == "int32", "An Int32.")
	add(has("enum"), "One of %s.", list(schema.List("enum")))
	add(has("const"), "Always %s.", code(schema.Get("const")))
	add(has("default"), "%s when absent.", code(schema.Get("default")))
	add(has("minimum"), "At least %v.", schema.Get("minimum"))
	add(has("minLength"), "At least %v characters.", schema.Get("minLength"))
	add(has("maxLength"), "At most %v characters.", schema.Get("maxLength"))
	add(has("pattern"), "Matches %s.", code(schema.Get("pattern")))
	if examples := schema.List("examples"); len(examples) > 0 {
		add(true, "Example: %s.", code(examples[0]))
	}
	return all
}

func nullable(schema openapi.Object) bool {
	if slices.Contains(types(schema), "null") {
		return true
	}
	return slices.ContainsFunc(schema.List("oneOf"), func(option any) bool {
		o, _ := option.(openapi.Object)
		return o.Text("type") == "null"
	})
}

// list returns the values other than null as prose.
func list(values openapi.List) string {
	var texts []string
	for _, value := range values {
		if value != nil {
			texts = append(texts, code(value))
		}
	}
	return strings.Join(texts, ", ")
}

// code returns a value in JSON, or the text of a string, as prose.
func code(value any) string {
	if text, ok := value.(string); ok {
		return "`" + text + "`"
	}
	return "`" + string(must(openapi.JSON(value))) + "`"
}
