// Package access says who is calling, and how often one may: accounts with a
// password, API keys with scopes, and the actor that either of them turns into. It
// knows no HTTP and no SQL; a contract takes the credential out of its request, and
// a store keeps the hashes.
//
// Read actor.go for what a caller may do, directory.go for how a credential
// becomes an actor, password.go and key.go for how secrets are kept, limits.go and
// guesses.go for who has to wait.
package access

import (
	"log/slog"
	"slices"
)

// Scope is one thing that a caller may do.
type Scope string

// The scopes.
const (
	Read  Scope = "customers:read"
	Write Scope = "customers:write"
	Erase Scope = "customers:erase"
	Admin Scope = "admin"
)

// Scopes returns every scope, in the order in which they are listed to people.
func Scopes() []Scope { return []Scope{Read, Write, Erase, Admin} }

// scopeList is every scope, for a text.
const scopeList = string(Read + ", " + Write + ", " + Erase + ", " + Admin)

// Actor is an authenticated caller. Every use case names one, so a use case
// without an owner does not compile.
type Actor struct {
	Tenant    string    // whose records
	Name      string    // who acts, as the history tells it: "account:kari", "key:Ab3dE6gH"
	Customers Customers // which of the tenant's customers
	Scopes    []Scope
	Options   KeyOptions
	Contract  string // through which contract
	RequestID string // in which request
}

// May reports whether the actor holds the scope.
func (a Actor) May(s Scope) bool { return slices.Contains(a.Scopes, s) }

// LogValue keeps the actor's name, which may be a person's, out of every log.
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

// Numbers returns the listed numbers; it is empty when the set is everyone.
func (c Customers) Numbers() []int32 { return slices.Clone(c.numbers) }
