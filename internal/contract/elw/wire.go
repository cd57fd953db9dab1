package elw

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/web"
)

// digits formats a phone for this contract: 00 instead of a leading +, and digits only.
func digits(phone string) string {
	var out strings.Builder
	if strings.HasPrefix(phone, "+") {
		out.WriteString("00")
	}
	for _, r := range phone {
		if '0' <= r && r <= '9' {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// customerPatch is the body of a PATCH. Absent and null both mean unchanged, because a .NET client
// that sends the whole object cannot distinguish them.
type customerPatch struct {
	email, mobile, phone *string
	sent                 []string // the updatable properties in the body
	ignored              []string // the other properties
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
	var in customerPatch
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
	var dst **string
	switch property.name {
	case "Email":
		dst = &p.email
	case "MobileNumber":
		dst = &p.mobile
	case "PhoneNumber":
		dst = &p.phone
	default:
		if !known {
			property.name = m.Name
		}
		p.ignored = append(p.ignored, property.name)
		return
	}
	p.sent = append(p.sent, property.name)
	if !m.Null() && property.accepts(m) {
		*dst = new(textOf(m))
	}
}

// textOf returns the value of a string, or the digits of an integer, which phones accept.
func textOf(m web.Member) string {
	if text, ok := m.Text(); ok {
		return text
	}
	return string(m.Value)
}

// carriesValues reports whether the patch has a value for any contact detail.
func (p customerPatch) carriesValues() bool {
	return p.email != nil || p.mobile != nil || p.phone != nil
}

// apply is the patch as an edit. A value equal to the current representation is not a change: a
// client that sends back "004722334455" does not overwrite "+47 22 33 44 55", and a value that this
// contract would reject is accepted if it is the current one.
func (p customerPatch) apply(c *customer.Customer) error {
	var checks fault.Validator
	if p.email != nil && !equalsShown(*p.email, c.Email) {
		email := strings.TrimSpace(*p.email)
		checks.Require(customer.ValidEmail(email), "email", fault.Format, "must be a valid e-mail address")
		checks.Require(utf8.RuneCountInString(email) <= maxEmail, "email", fault.Length, "must have at most 100 characters")
		c.Email = email
	}
	applyPhone(&checks, "mobile", p.mobile, &c.Mobile)
	applyPhone(&checks, "phone", p.phone, &c.Phone)
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

func applyPhone(checks *fault.Validator, path string, in, dst *string) {
	if in == nil || equalsShown(*in, digits(*dst)) {
		return
	}
	onlyDigits := strings.Trim(*in, "0123456789") == ""
	checks.Require(onlyDigits && len(*in) <= maxDigits, path, fault.Format, "must be at most 14 digits")
	checks.Require(*in == "" || len(*in) >= minDigits || checks.HasError(path), path, fault.Length, "must have at least 3 digits")
	*dst = *in
}

// outcome returns the outcome of each property in the patch.
func (p customerPatch) outcome(ch customer.Change) web.Outcome {
	changed := map[string]bool{
		"Email":        ch.Before.Email != ch.After.Email,
		"MobileNumber": ch.Before.Mobile != ch.After.Mobile,
		"PhoneNumber":  ch.Before.Phone != ch.After.Phone,
	}
	return web.NewOutcome(p.sent, changed, p.ignored)
}
