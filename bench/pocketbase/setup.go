package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // its own tables
	"github.com/pocketbase/pocketbase/tools/security"
	"github.com/pocketbase/pocketbase/tools/types"
)

const (
	// idFormat converts a number to an id: PocketBase's ids have 15 characters.
	idFormat = "%015d"

	serviceEmail = "service@example.com"

	importBatch = 10_000 // customers in a transaction
)

// setUp returns the service account that may read and change customers. It creates a missing
// one last, after the collections and the import, so that a directory with an incomplete import
// fails.
func setUp(app core.App, file string) (*core.Record, error) {
	if service, err := app.FindAuthRecordByEmail("services", serviceEmail); err == nil {
		return service, nil
	}
	services := core.NewAuthCollection("services")
	for _, c := range []*core.Collection{services, customers()} {
		if err := app.Save(c); err != nil {
			return nil, fmt.Errorf("create %s: %w", c.Name, err)
		}
	}
	if err := importCustomers(app, file); err != nil {
		return nil, fmt.Errorf("import %s: %w", file, err)
	}
	service := core.NewRecord(services)
	service.SetEmail(serviceEmail)
	service.SetPassword(security.RandomString(30)) // unused: the service has a token
	return service, app.Save(service)
}

func customers() *core.Collection {
	c := core.NewBaseCollection("customers")
	c.ViewRule = types.Pointer(`@request.auth.id != ""`)
	c.UpdateRule = c.ViewRule
	c.Fields.Add(
		&core.NumberField{Name: "number", Required: true, OnlyInt: true, Min: types.Pointer(1.0)},
		&core.SelectField{Name: "kind", Required: true, MaxSelect: 1, Values: []string{"person", "organisation"}},
		&core.TextField{Name: "first_name", Max: 100},
		&core.TextField{Name: "last_name", Max: 100},
		&core.TextField{Name: "birth_date", Max: 10},
		&core.TextField{Name: "gender", Max: 20},
		&core.TextField{Name: "locale", Max: 10},
		&core.TextField{Name: "national_id", Max: 32},
		&core.EmailField{Name: "email"},
		&core.TextField{Name: "phone", Max: 50},
		&core.TextField{Name: "mobile", Max: 50},
		&core.TextField{Name: "address_line", Max: 200},
		&core.TextField{Name: "postal_code", Max: 20},
		&core.TextField{Name: "city", Max: 100},
		&core.TextField{Name: "country", Max: 2},
	)
	c.AddIndex("customers_number", true, "number", "")
	return c
}

// importCustomers bypasses PocketBase's hooks, which would take minutes.
func importCustomers(app core.App, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	in := json.NewDecoder(bufio.NewReader(f))
	for in.More() {
		err := app.RunInTransaction(func(tx core.App) error { return insertBatch(tx, in) })
		if err != nil {
			return err
		}
	}
	return nil
}

func insertBatch(tx core.App, in *json.Decoder) error {
	insert := tx.DB().NewQuery(insertCustomer).Prepare()
	defer insert.Close()
	for n := 0; n < importBatch && in.More(); n++ {
		c := customer{Kind: "person"}
		if err := in.Decode(&c); err != nil {
			return fmt.Errorf("at byte %d: %w", in.InputOffset(), err)
		}
		if _, err := insert.Bind(c.params()).Execute(); err != nil {
			return fmt.Errorf("customer %d: %w", c.Number, err)
		}
	}
	return nil
}

// customer is a line of the import file, with the fields that PocketBase stores.
type customer struct {
	Number     int    `json:"number"`
	Kind       string `json:"kind"`
	FirstName  string `json:"firstName"`
	LastName   string `json:"lastName"`
	BirthDate  string `json:"birthDate"`
	Gender     string `json:"gender"`
	Locale     string `json:"locale"`
	NationalID string `json:"nationalId"`
	Email      string `json:"email"`
	Phone      string `json:"phone"`
	Mobile     string `json:"mobile"`
	Address    struct {
		Line       string `json:"line"`
		PostalCode string `json:"postalCode"`
		City       string `json:"city"`
		Country    string `json:"country"`
	} `json:"address"`
}

func (c customer) params() dbx.Params {
	return dbx.Params{
		"id":           fmt.Sprintf(idFormat, c.Number),
		"number":       c.Number,
		"kind":         c.Kind,
		"first_name":   c.FirstName,
		"last_name":    c.LastName,
		"birth_date":   c.BirthDate,
		"gender":       c.Gender,
		"locale":       c.Locale,
		"national_id":  c.NationalID,
		"email":        c.Email,
		"phone":        c.Phone,
		"mobile":       c.Mobile,
		"address_line": c.Address.Line,
		"postal_code":  c.Address.PostalCode,
		"city":         c.Address.City,
		"country":      c.Address.Country,
	}
}

const insertCustomer = `
	INSERT INTO customers (id, number, kind, first_name, last_name, birth_date, gender, locale,
		national_id, email, phone, mobile, address_line, postal_code, city, country)
	VALUES ({:id}, {:number}, {:kind}, {:first_name}, {:last_name}, {:birth_date}, {:gender}, {:locale},
		{:national_id}, {:email}, {:phone}, {:mobile}, {:address_line}, {:postal_code}, {:city}, {:country})`
