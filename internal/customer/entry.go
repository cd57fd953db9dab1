package customer

import "kartotek/internal/fault"

// Upsert is one customer of a bulk load: revised when the tenant has it, created
// otherwise. It is found by its id or, when that is empty, by its number.
type Upsert struct {
	ID          string // UUID in lower case
	Number      int32  // 0: not said
	GeneratedID string // the id of the new customer when ID is empty
	Edit        Edit
}

// Ref is how the entry is found; ok is false when it can only be a new customer.
func (e Upsert) Ref(tenant string) (ref Ref, ok bool) {
	return Ref{Tenant: tenant, ID: e.ID, Number: e.Number}, e.ID != "" || e.Number != 0
}

// Update is the change that the entry makes to a customer that exists.
func (e Upsert) Update(before Customer, by ChangeMeta) (Change, error) {
	var checks fault.Validator
	checks.Require(e.Number == 0 || e.Number == before.Number, "number", fault.Immutable, "never changes: this id has another one")
	if err := checks.Err(); err != nil {
		return Change{}, err
	}
	return Apply(before, by, e.Edit)
}

// Create is the customer that the entry creates. The number is the tenant's next
// free one, for an entry without one.
func (e Upsert) Create(tenant string, nextNumber int32, by ChangeMeta) (Change, error) {
	c := Customer{Tenant: tenant, ID: e.ID, Number: e.Number, Kind: Person}
	if c.ID == "" {
		c.ID = e.GeneratedID
	}
	if c.Number == 0 {
		c.Number = nextNumber
	}
	refused := e.Edit(&c)
	if refused != nil && !fault.Is(refused, fault.Invalid) {
		return Change{}, refused
	}
	ch, err := Create(c, by)
	if err := fault.Merge(refused, err); err != nil {
		return Change{}, err
	}
	return ch, nil
}
