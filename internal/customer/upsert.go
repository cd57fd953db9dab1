package customer

import "kartotek/internal/fault"

// Upsert is one customer of a bulk load: updated when the tenant has it, created otherwise. It is
// found by ID or, when that is empty, by Number.
type Upsert struct {
	ID          string // UUID in lower case
	Number      int32  // 0 when not given
	GeneratedID string // the id of the new customer when ID is empty
	Edit        Edit
}

// Ref returns the key to find the customer by; ok is false when the customer can only be new.
func (u Upsert) Ref(tenant string) (ref Ref, ok bool) {
	return Ref{Tenant: tenant, ID: u.ID, Number: u.Number}, u.ID != "" || u.Number != 0
}

// Update returns the change to an existing customer.
func (u Upsert) Update(before Customer, by ChangeMeta) (Change, error) {
	if u.Number != 0 && u.Number != before.Number {
		return Change{}, fault.NewField(fault.Invalid, "validation failed", "number", fault.Immutable,
			"is not the number of the customer with this id, and cannot be changed")
	}
	return Apply(before, by, u.Edit)
}

// Create returns the change that creates the customer. It has nextNumber unless Number is set.
func (u Upsert) Create(tenant string, nextNumber int32, by ChangeMeta) (Change, error) {
	c := Customer{Tenant: tenant, ID: u.ID, Number: u.Number, Kind: Person}
	if c.ID == "" {
		c.ID = u.GeneratedID
	}
	if c.Number == 0 {
		c.Number = nextNumber
	}
	errEdit := u.Edit(&c)
	if errEdit != nil && !fault.Is(errEdit, fault.Invalid) {
		return Change{}, errEdit
	}
	ch, err := Create(c, by)
	if err := fault.Merge(errEdit, err); err != nil {
		return Change{}, err
	}
	return ch, nil
}
