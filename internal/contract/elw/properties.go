package elw

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/web"
)

// property is a known property.
type property struct {
	name    string
	typ     valueType
	value   func(*representation) any // nil when the customer does not have the property
	parts   propertyList              // of an object
	updates string                    // path in the domain, if clients can update the property
}

// valueType is the type of the values of a property, apart from null.
type valueType struct {
	name    string // with an article, for errors
	accepts func(web.Member) bool
}

var (
	object      = valueType{"an object", isObject}
	text        = valueType{"a string", isText}
	flag        = valueType{"true or false", isFlag}
	int32Number = valueType{"a 32-bit integer", isInt32}
	phoneNumber = valueType{"a string, or an integer without sign", isPhone}
	date        = valueType{"a date in ISO 8601 format", isDate}
)

// representation is the representation of a customer.
type representation struct {
	customer.Customer
	needsConfirmation bool
}

type propertyList []property

// find prefers an exact match of the name to one in another case.
func (list propertyList) find(name string) (p property, known bool) {
	for _, p := range list {
		if p.name == name {
			return p, true
		}
	}
	for _, p := range list {
		if strings.EqualFold(p.name, name) {
			return p, true
		}
	}
	return property{}, false
}

// of returns the properties of a customer, with null for empty values.
func (list propertyList) of(r *representation) web.Properties {
	all := make(web.Properties, len(list))
	for i, p := range list {
		all[i] = web.Property{Name: p.name, Value: p.value(r)}
	}
	return all
}

// properties are in alphabetical order.
var properties = propertyList{
	{name: "Address", typ: object, value: address, parts: addressProperties},
	{name: "BirthDate", typ: date, value: birthDate},
	{name: "CustomerId", typ: int32Number, value: func(r *representation) any { return r.Number }},
	{name: "CustomerType", typ: text, value: customerType},
	{name: "Email", typ: text, value: field("email"), updates: "email"},
	{name: "FirstName", typ: text, value: field("firstName")},
	{name: "IsBroadbandCustomer", typ: flag, value: field("services.broadband")},
	{name: "IsDistrictHeatingCustomer", typ: flag, value: field("services.districtHeating")},
	{name: "IsNetCustomer", typ: flag, value: field("services.grid")},
	{name: "IsPowerCustomer", typ: flag, value: field("services.power")},
	{name: "LastName", typ: text, value: field("lastName")},
	{name: "MobileNumber", typ: phoneNumber, value: func(r *representation) any { return orNil(digits(r.Mobile)) }, updates: "mobile"},
	{name: "OrganizationNo", typ: text, value: field("organisationNumber")},
	{name: "PhoneNumber", typ: phoneNumber, value: func(r *representation) any { return orNil(digits(r.Phone)) }, updates: "phone"},
	{name: "Pin", typ: text, value: field("nationalId")},
	{name: "RequiresProfileConfirmation", typ: flag, value: func(r *representation) any { return r.needsConfirmation }},
}

var addressProperties = propertyList{
	{name: "AddressText", typ: text, value: field("address.line")},
	{name: "City", typ: text, value: field("address.city")},
	{name: "CoAddress", typ: text, value: field("address.careOf")},
	{name: "CountryCode", typ: text, value: field("address.country")},
	{name: "Entrance", typ: text, value: field("address.entrance")},
	{name: "Floor", typ: text, value: field("address.floor")},
	{name: "HouseLetter", typ: text, value: field("address.houseLetter")},
	{name: "HouseNo", typ: text, value: field("address.houseNumber")},
	{name: "IsEditable", typ: flag, value: field("address.editable")},
	{name: "POBox", typ: int32Number, value: field("address.poBox")},
	{name: "ZipCode", typ: text, value: field("address.postalCode")},
}

// field returns the value of a field of the domain that needs no conversion.
func field(path string) func(*representation) any {
	f, ok := customer.FieldByPath(path)
	if !ok {
		panic("elw: unknown field " + path)
	}
	return func(r *representation) any { return f.Get(&r.Customer) }
}

func address(r *representation) any {
	if r.Address == (customer.Address{}) {
		return nil
	}
	return addressProperties.of(r)
}

// birthDate is midnight, without zone.
func birthDate(r *representation) any {
	if r.BirthDate == "" {
		return nil
	}
	return r.BirthDate + "T00:00:00"
}

func customerType(r *representation) any {
	if r.Kind == customer.Organisation {
		return "Organisation"
	}
	return "Person"
}

// digits formats a phone for this contract: 00 instead of a leading +, and digits only.
func digits(phone string) string {
	var out strings.Builder
	if strings.HasPrefix(phone, "+") {
		out.WriteString("00")
	}
	for _, r := range phone {
		if unicode.IsDigit(r) {
			out.WriteRune(customer.ASCIIDigit(r))
		}
	}
	return out.String()
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// checkTypes returns an error for each known property that has a wrong type or is repeated, also in
// another case.
func checkTypes(parent string, list propertyList, members []web.Member) []fault.Field {
	var broken []fault.Field
	seen := map[string]bool{}
	for _, m := range members {
		p, known := list.find(m.Name)
		if !known {
			continue
		}
		path := parent + p.name
		switch {
		case seen[p.name]:
			broken = append(broken, fault.Field{Path: path, Rule: fault.Duplicate, Text: "must not be repeated"})
		case m.Null():
		case !p.typ.accepts(m):
			broken = append(broken, fault.Field{Path: path, Rule: fault.Type, Text: "must be " + p.typ.name})
		case p.parts != nil:
			parts, _ := web.Object(m.Value) // cannot fail: the body was parsed strictly
			broken = append(broken, checkTypes(path+".", p.parts, parts)...)
		}
		seen[p.name] = true
	}
	return broken
}

func isObject(m web.Member) bool { return m.Value.Kind() == '{' }

func isText(m web.Member) bool { return m.Value.Kind() == '"' }

func isFlag(m web.Member) bool { return m.Value.Kind() == 't' || m.Value.Kind() == 'f' }

func isInt32(m web.Member) bool {
	_, err := strconv.ParseInt(string(m.Value), 10, 32)
	return err == nil
}

// isPhone accepts a string, or an integer without sign, fraction and exponent.
func isPhone(m web.Member) bool {
	return isText(m) || strings.Trim(string(m.Value), "0123456789") == ""
}

// isDate accepts the formats that .NET writes: a date of ISO 8601, or a date and time with any
// fraction, with or without a time zone; or /Date(ms)/, as before ISO 8601.
func isDate(m web.Member) bool {
	text, ok := m.Text()
	if !ok {
		return false
	}
	if oldDate.MatchString(text) {
		return true
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02T15:04:05Z07:00"} {
		if _, err := time.Parse(layout, text); err == nil {
			return true
		}
	}
	return false
}

var oldDate = regexp.MustCompile(`^/Date\(-?\d{1,15}([+-]\d{4})?\)/$`)
