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
	name    string
	accepts func(web.Member) bool // whether a value that is not null has the right type
	parts   propertyList          // of an object
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
	{name: "Address", accepts: isObject, parts: propertyList{
		{name: "AddressText", accepts: isText},
		{name: "City", accepts: isText},
		{name: "CoAddress", accepts: isText},
		{name: "CountryCode", accepts: isText},
		{name: "Entrance", accepts: isText},
		{name: "Floor", accepts: isText},
		{name: "HouseLetter", accepts: isText},
		{name: "HouseNo", accepts: isText},
		{name: "IsEditable", accepts: isFlag},
		{name: "POBox", accepts: isInt32},
		{name: "ZipCode", accepts: isText},
	}},
	{name: "BirthDate", accepts: isDate},
	{name: "CustomerId", accepts: isInt32},
	{name: "CustomerType", accepts: isText},
	{name: "Email", accepts: isText},
	{name: "FirstName", accepts: isText},
	{name: "IsBroadbandCustomer", accepts: isFlag},
	{name: "IsDistrictHeatingCustomer", accepts: isFlag},
	{name: "IsNetCustomer", accepts: isFlag},
	{name: "IsPowerCustomer", accepts: isFlag},
	{name: "LastName", accepts: isText},
	{name: "MobileNumber", accepts: isPhone},
	{name: "OrganizationNo", accepts: isText},
	{name: "PhoneNumber", accepts: isPhone},
	{name: "Pin", accepts: isText},
	{name: "RequiresProfileConfirmation", accepts: isFlag},
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
		case !p.accepts(m):
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
