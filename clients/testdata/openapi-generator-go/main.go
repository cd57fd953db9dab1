// A client by openapi-generator.
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

func main() {
	updateByNative()
	updateByElw()
	updateByLochting()
}

func updateByNative() {
	settings := native.NewConfiguration()
	settings.Servers[0].URL = os.Getenv("URL")
	api, ref := native.NewAPIClient(settings).CustomersAPI, os.Getenv("NATIVE")
	ctx := context.WithValue(context.Background(), native.ContextAccessToken, os.Getenv("KEY"))
	customer, _, err := api.GetCustomer(ctx, ref).Execute()
	must(err)
	expect(customer.GetPhone(), "11223344")
	expect(customer.Kind, "organisation")
	value, absent, null := native.NewCustomerPatch(), native.NewCustomerPatch(), native.NewCustomerPatch()
	address := native.NewAddressPatch()
	address.SetCity("Bergen")
	value.SetPhone("22334455")
	value.SetAddress(*address)
	absent.SetEmail("kari@example.com")
	null.SetPhoneNil()
	for _, patch := range []*native.CustomerPatch{value, absent, null} {
		customer, _, err = api.UpdateCustomer(ctx, ref).CustomerPatch(*patch).Execute()
		must(err)
	}
	expect(customer.Phone.Get(), nil)
}

func updateByElw() {
	settings := elw.NewConfiguration()
	settings.Servers[0].URL = os.Getenv("URL")
	api := elw.NewAPIClient(settings).CustomersAPI
	login := elw.BasicAuth{UserName: os.Getenv("LOGIN"), Password: os.Getenv("PASSWORD")}
	ctx := context.WithValue(context.Background(), elw.ContextBasicAuth, login)
	number, err := strconv.ParseInt(os.Getenv("ELW"), 10, 32)
	must(err)
	customer, _, err := api.GetCustomer(ctx, int32(number)).Execute()
	must(err)
	expect(customer.GetPhoneNumber(), "11223344")
	value, absent, null, empty := elw.NewCustomerUpdate(), elw.NewCustomerUpdate(), elw.NewCustomerUpdate(), elw.NewCustomerUpdate()
	value.SetPhoneNumber("22334455")
	absent.SetEmail("kari@example.com")
	null.SetPhoneNumberNil()
	empty.SetPhoneNumber("")
	for _, change := range []*elw.CustomerUpdate{value, absent, null, empty} {
		_, _, err := api.UpdateCustomer(ctx, int32(number)).CustomerUpdate(*change).Execute()
		must(err)
	}
}

func updateByLochting() {
	settings := lochting.NewConfiguration()
	settings.Servers[0].URL = os.Getenv("URL")
	api, id := lochting.NewAPIClient(settings).CustomerAPI, os.Getenv("LOCHTING")
	keys := map[string]lochting.APIKey{"token": {Key: os.Getenv("KEY")}}
	ctx := context.WithValue(context.Background(), lochting.ContextAPIKeys, keys)
	customer, _, err := api.GetCustomer(ctx, id).Execute()
	must(err)
	expect(customer.GetPhoneNumber(), "11223344")
	same := func() *lochting.CustomerUpdate {
		return lochting.NewCustomerUpdate("John", "Doe", lochting.NL_BE, "johndoe@example.com", lochting.FEMALE, lochting.BE)
	}
	value, absent, null := same(), same(), same()
	value.SetPhoneNumber("22334455")
	absent.SetCity("Brugge")
	null.SetPhoneNumberNil()
	for _, change := range []*lochting.CustomerUpdate{value, absent, null} {
		_, err := api.UpdateCustomer(ctx, id).CustomerUpdate(*change).Execute()
		must(err)
	}
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
