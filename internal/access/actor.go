// Package access authenticates callers and limits their rate. An account with a password
// or an API key with scopes resolves to an Actor. The package knows no HTTP and no SQL: a
// contract extracts the credential from its request, and a store keeps the hashes.
//
// Read actor.go for permissions, directory.go for authentication, password.go and key.go
// for how secrets are hashed, limits.go for rate limits, and throttle.go for failed
// logins.
package access

import (
	"log/slog"
	"slices"
)

// Scope is a permission of a caller.
type Scope string

// The scopes.
const (
	Read  Scope = "customers:read"
	Write Scope = "customers:write"
	Erase Scope = "customers:erase"
	Admin Scope = "admin"
)

// Scopes returns every scope, in display order.
func Scopes() []Scope { return []Scope{Read, Write, Erase, Admin} }

// scopeList is every scope, for error messages.
const scopeList = string(Read + ", " + Write + ", " + Erase + ", " + Admin)

// Actor is an authenticated caller. Every use case takes one, so that none can skip
// authorization.
type Actor struct {
	Tenant    string
	ID        string    // of the account or key, never reused: "acc_…", "key_…"
	Name      string    // the login of the account, or the name of the key
	Customers Customers // the customers it may access
	Scopes    []Scope
	Options   KeyOptions
	Contract  string // the API contract of the request
	RequestID string
}

// May reports whether the actor holds the scope.
func (a Actor) May(s Scope) bool { return slices.Contains(a.Scopes, s) }

// LogValue keeps the actor's name out of logs: it may be personal data.
func (a Actor) LogValue() slog.Value { return slog.StringValue("actor of " + a.Tenant) }

// Customers is a set of customers: all of a tenant's, or those with the listed
// numbers.
type Customers struct {
	all     bool
	numbers []int32
}

// AllCustomers is every customer of the tenant.
func AllCustomers() Customers { return Customers{all: true} }

// OnlyCustomers is the customers with these numbers and no others.
func OnlyCustomers(numbers ...int32) Customers { return Customers{numbers: numbers} }

// All reports whether the set is all of the tenant's customers.
func (c Customers) All() bool { return c.all }

// Contains reports whether the customer with this number is in the set.
func (c Customers) Contains(number int32) bool { return c.all || slices.Contains(c.numbers, number) }

// Numbers returns the listed numbers. It is empty when the set is all customers.
func (c Customers) Numbers() []int32 { return slices.Clone(c.numbers) }
