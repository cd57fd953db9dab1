// A client by oapi-codegen. Its optional fields are pointers, which cannot be null: "" clears.
package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"strconv"

	"clients/elw"
	"clients/lochting"
	"clients/native"
)

var ctx = context.Background()

func main() {
	updateByNative()
	updateByElw()
	updateByLochting()
}

func updateByNative() {
	api, err := native.NewClientWithResponses(os.Getenv("URL"), native.WithRequestEditorFn(authorization("Bearer "+os.Getenv("KEY"))))
	must(err)
	ref := os.Getenv("NATIVE")
	got, err := api.GetCustomerWithResponse(ctx, ref, nil)
	must(err)
	expect(*got.JSON200.Phone, "11223344")
	expect(string(got.JSON200.Kind), "organisation")
	for _, patch := range []native.CustomerPatch{
		{Phone: new("22334455"), Address: &native.AddressPatch{City: new("Bergen")}},
		{Email: new("kari@example.com")},
		{Phone: new("")},
	} {
		updated, err := api.UpdateCustomerWithApplicationMergePatchPlusJSONBodyWithResponse(ctx, ref, nil, patch)
		must(err)
		expect(updated.StatusCode(), 200)
	}
}

func updateByElw() {
	login := base64.StdEncoding.EncodeToString([]byte(os.Getenv("LOGIN") + ":" + os.Getenv("PASSWORD")))
	api, err := elw.NewClientWithResponses(os.Getenv("URL"), elw.WithRequestEditorFn(authorization("Basic "+login)))
	must(err)
	number, err := strconv.ParseInt(os.Getenv("ELW"), 10, 32)
	must(err)
	got, err := api.GetCustomerWithResponse(ctx, int32(number), nil)
	must(err)
	expect(*got.JSON200.PhoneNumber, "11223344")
	for _, change := range []elw.CustomerUpdate{{PhoneNumber: new("22334455")}, {Email: new("kari@example.com")}, {PhoneNumber: new("")}} {
		updated, err := api.UpdateCustomerWithResponse(ctx, int32(number), nil, change)
		must(err)
		expect(updated.StatusCode(), 200)
	}
}

func updateByLochting() {
	api, err := lochting.NewClientWithResponses(os.Getenv("URL"), lochting.WithRequestEditorFn(authorization(os.Getenv("KEY"))))
	must(err)
	id := os.Getenv("LOCHTING")
	got, err := api.GetCustomerWithResponse(ctx, id, nil)
	must(err)
	expect(*got.JSON200.PhoneNumber, "11223344")
	for _, change := range []lochting.CustomerUpdate{{PhoneNumber: new("22334455")}, {City: new("Brugge")}, {PhoneNumber: new("")}} {
		change.FirstName, change.LastName, change.EmailAddress = "John", "Doe", "johndoe@example.com"
		change.Locale, change.Gender, change.Country = lochting.NlBE, lochting.Female, lochting.BE
		updated, err := api.UpdateCustomerWithResponse(ctx, id, nil, change)
		must(err)
		expect(updated.StatusCode(), 200)
	}
}

func authorization(value string) func(context.Context, *http.Request) error {
	return func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", value)
		return nil
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
