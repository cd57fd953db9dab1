package elw

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/web"
)

// customerPatch is the body of a PATCH. Absent and null both mean unchanged, because a .NET client
// that sends the whole object cannot distinguish them.
type customerPatch struct {
	values  map[string]string // by path in the domain
	sent    []string          // the updatable properties in the body
	ignored []string          // the other properties
}

// readPatch parses the body of a PATCH. Its BadRequest fault lists every property with a wrong
// type, in wire names, and the rules that the other properties break.
func readPatch(r *http.Request) (customerPatch, error) {
	if _, err := web.RequestType(r, mediaTypes...); err != nil && !(r.ContentLength == 0 && r.Header.Get("Content-Type") == "") {
		return customerPatch{}, err
	}
	body, err := web.ReadBody(r)
	if err != nil {
		return customerPatch{}, err
	}
	members, err := web.Object(body)
	if err != nil {
		return customerPatch{}, err
	}
	in := customerPatch{values: map[string]string{}}
	broken := checkTypes("", properties, members)
	for _, m := range members {
		in.readMember(m)
	}
	if len(broken) == 0 {
		return in, nil
	}
	if err := in.apply(&customer.Customer{}); err != nil {
		broken = append(broken, fault.From(err).Fields...)
	}
	return customerPatch{}, &fault.Fault{Kind: fault.BadRequest, Text: "the body is malformed", Fields: broken}
}

func (p *customerPatch) readMember(m web.Member) {
	property, known := properties.find(m.Name)
	if !known {
		property.name = m.Name
	}
	if property.updates == "" {
		p.ignored = append(p.ignored, property.name)
		return
	}
	p.sent = append(p.sent, property.name)
	if !m.Null() && property.typ.accepts(m) {
		p.values[property.updates] = textOf(m)
	}
}

// textOf returns the value of a string, or the digits of an integer, which phones accept.
func textOf(m web.Member) string {
	if text, ok := m.Text(); ok {
		return text
	}
	return string(m.Value)
}

// apply is the patch as an edit. A value equal to the current representation is not a change: a
// client that sends back "004722334455" does not overwrite "+47 22 33 44 55", and a value that this
// contract would reject is accepted if it is the current one.
func (p customerPatch) apply(c *customer.Customer) error {
	var checks fault.Validator
	if email, sent := p.values["email"]; sent && !equalsShown(email, c.Email) {
		email = strings.TrimSpace(email)
		checks.Require(customer.ValidEmail(email), "email", fault.Format, "must be a valid e-mail address")
		checks.Require(utf8.RuneCountInString(email) <= maxEmail, "email", fault.Length, "must have at most 100 characters")
		c.Email = email
	}
	p.applyPhone(&checks, "mobile", &c.Mobile)
	p.applyPhone(&checks, "phone", &c.Phone)
	return checks.Err()
}

// equalsShown reports whether the sent value equals the representation. An empty value is shown as
// null, so an empty text does not equal it.
func equalsShown(sent, shown string) bool { return sent == shown && shown != "" }

const (
	maxEmail  = 100 // characters
	minDigits = 3   // of a phone that is not empty
	maxDigits = 14
)

func (p customerPatch) applyPhone(checks *fault.Validator, path string, phone *string) {
	value, sent := p.values[path]
	if !sent || equalsShown(value, digits(*phone)) {
		return
	}
	onlyDigits := strings.Trim(value, "0123456789") == ""
	checks.Require(onlyDigits && len(value) <= maxDigits, path, fault.Format, "must be at most 14 digits")
	checks.Require(value == "" || len(value) >= minDigits || checks.HasError(path), path, fault.Length, "must have at least 3 digits")
	*phone = value
}

func (p customerPatch) outcome(ch customer.Change) web.Outcome {
	changed := map[string]bool{}
	for _, f := range ch.Diff() {
		changed[wireName(f.Path)] = true
	}
	return web.NewOutcome(p.sent, changed, p.ignored)
}

// wireName returns the name of the property that updates a field of the domain. Faults about the
// form of the body have property names already.
func wireName(path string) string {
	for _, p := range properties {
		if path != "" && p.updates == path {
			return p.name
		}
	}
	return path
}
