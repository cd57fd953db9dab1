// A client by ogen.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"clients/elw"
	"clients/lochting"
	"clients/native"
)

var ctx = context.Background()

// credentials are those of all three contracts.
type credentials struct{}

func (credentials) ApiKey(context.Context, native.OperationName) (native.ApiKey, error) {
	return native.ApiKey{Token: os.Getenv("KEY")}, nil
}

func (credentials) Account(context.Context, elw.OperationName) (elw.Account, error) {
	return elw.Account{Username: os.Getenv("LOGIN"), Password: os.Getenv("PASSWORD")}, nil
}

func (credentials) Token(context.Context, lochting.OperationName) (lochting.Token, error) {
	return lochting.Token{APIKey: os.Getenv("KEY")}, nil
}

func main() {
	updateByNative()
	updateByElw()
	updateByLochting()
}

func updateByNative() {
	api, err := native.NewClient(os.Getenv("URL"), credentials{})
	must(err)
	ref := os.Getenv("NATIVE")
	result, err := api.GetCustomer(ctx, native.GetCustomerParams{Ref: ref})
	must(err)
	got := is[*native.GetCustomerOKHeaders](result).Response
	updated := got
	expect(got.Phone.Value, "11223344")
	expect(string(got.Kind), "organisation")
	var null native.OptNilString
	null.SetToNull()
	for _, patch := range []native.CustomerPatch{
		{Phone: native.NewOptNilString("22334455"), Address: native.NewOptNilAddressPatch(native.AddressPatch{City: native.NewOptNilString("Bergen")})},
		{Email: native.NewOptNilString("kari@example.com")},
		{Phone: null},
	} {
		body := native.UpdateCustomerApplicationMergePatchJSON(patch)
		result, err := api.UpdateCustomer(ctx, &body, native.UpdateCustomerParams{Ref: ref})
		must(err)
		updated = is[*native.UpdateCustomerOKHeaders](result).Response
	}
	expect(updated.Phone.Null, true)
}

func updateByElw() {
	api, err := elw.NewClient(os.Getenv("URL"), credentials{})
	must(err)
	number, err := strconv.ParseInt(os.Getenv("ELW"), 10, 32)
	must(err)
	result, err := api.GetCustomer(ctx, elw.GetCustomerParams{CustomerId: int32(number)})
	must(err)
	expect(is[*elw.CustomerResponseHeaders](result).Response.PhoneNumber.Value, "11223344")
	var null elw.OptNilString
	null.SetToNull()
	for _, change := range []elw.CustomerUpdate{
		{PhoneNumber: elw.NewOptNilString("22334455")},
		{Email: elw.NewOptNilString("kari@example.com")},
		{PhoneNumber: null},
		{PhoneNumber: elw.NewOptNilString("")},
	} {
		result, err := api.UpdateCustomer(ctx, &change, elw.UpdateCustomerParams{CustomerId: int32(number)})
		must(err)
		is[*elw.CustomerResponseHeaders](result)
	}
}

func updateByLochting() {
	api, err := lochting.NewClient(os.Getenv("URL"), credentials{})
	must(err)
	id := os.Getenv("LOCHTING")
	result, err := api.GetCustomer(ctx, lochting.GetCustomerParams{CustomerId: id})
	must(err)
	expect(is[*lochting.CustomerHeaders](result).Response.PhoneNumber.Value, "11223344")
	var null lochting.OptNilString
	null.SetToNull()
	for _, change := range []lochting.CustomerUpdate{
		{PhoneNumber: lochting.NewOptNilString("22334455")},
		{City: lochting.NewOptNilString("Brugge")},
		{PhoneNumber: null},
	} {
		change.FirstName, change.LastName, change.EmailAddress = "John", "Doe", "johndoe@example.com"
		change.Locale, change.Gender, change.Country = lochting.LocaleNlBE, lochting.GenderFemale, lochting.CountryBE
		result, err := api.UpdateCustomer(ctx, &change, lochting.UpdateCustomerParams{CustomerId: id})
		must(err)
		is[*lochting.UpdateCustomerOK](result)
	}
}

// is returns a result as the response that is expected.
func is[T any](result any) T {
	response, ok := result.(T)
	if !ok {
		panic(fmt.Sprintf("got %T %+v", result, result))
	}
	return response
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func expect[T comparable](got, want T) {
	if got != want {
		panic(fmt.Sprintf("got %v, want %v", got, want))
	}
}
