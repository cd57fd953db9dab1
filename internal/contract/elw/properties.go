package elw

import (
	"strconv"
	"strings"
	"time"

	"kartotek/internal/fault"
	"kartotek/internal/web"
)

// property is one property that the contract knows.
type property struct {
	name  string
	takes func(web.Member) bool // whether a value that is not null has the right type
	parts propertyList          // of an object
}

type propertyList []property

// find matches a name exactly first, then in any case.
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

var properties = propertyList{
	{name: "Address", takes: isObject, parts: propertyList{
		{name: "AddressText", takes: isText},
		{name: "City", takes: isText},
		{name: "CoAddress", takes: isText},
		{name: "CountryCode", takes: isText},
		{name: "Entrance", takes: isText},
		{name: "Floor", takes: isText},
		{name: "HouseLetter", takes: isText},
		{name: "HouseNo", takes: isText},
		{name: "IsEditable", takes: isFlag},
		{name: "POBox", takes: isInt32},
		{name: "ZipCode", takes: isText},
	}},
	{name: "BirthDate", takes: isDate},
	{name: "CustomerId", takes: isInt32},
	{name: "CustomerType", takes: isText},
	{name: "Email", takes: isText},
	{name: "FirstName", takes: isText},
	{name: "IsBroadbandCustomer", takes: isFlag},
	{name: "IsDistrictHeatingCustomer", takes: isFlag},
	{name: "IsNetCustomer", takes: isFlag},
	{name: "IsPowerCustomer", takes: isFlag},
	{name: "LastName", takes: isText},
	{name: "MobileNumber", takes: isPhone},
	{name: "OrganizationNo", takes: isText},
	{name: "PhoneNumber", takes: isPhone},
	{name: "Pin", takes: isText},
	{name: "RequiresProfileConfirmation", takes: isFlag},
}

// checkTypes reports each known property whose value has a wrong type or that
// stands there twice, in whatever case.
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
		case !p.takes(m):
			broken = append(broken, fault.Field{Path: path, Rule: fault.Type, Text: "has a wrong type"})
		case p.parts != nil:
			parts, _ := web.Object(m.Value) // it is an object, and was read as strictly with the body
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

// isPhone takes a string or a plain integer: no sign, fraction or exponent.
func isPhone(m web.Member) bool {
	return isText(m) || strings.Trim(string(m.Value), "0123456789") == ""
}

// isDate takes the forms of ISO 8601 that .NET writes: a date, or a date and time
// with any fraction, with or without a zone.
func isDate(m web.Member) bool {
	text, ok := m.Text()
	if !ok {
		return false
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02T15:04:05Z07:00"} {
		if _, err := time.Parse(layout, text); err == nil {
			return true
		}
	}
	return false
}
