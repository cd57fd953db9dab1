package lochting

import (
	"fmt"
	"testing"

	"kartotek/internal/access"
	"kartotek/internal/customer"
)

func names(properties []property) (names []string) {
	for _, p := range properties {
		names = append(names, p.name)
	}
	return names
}

// The accessors of a property must agree for a patch and for a record.
func TestLastSeenMatchesEachProperty(t *testing.T) {
	t.Parallel()
	l := newLastSeen()
	for _, p := range properties {
		fields := customer.Patch{p.path: "v"}
		var record customer.Customer
		if err := fields.Apply(&record); err != nil {
			t.Fatal(err)
		}
		if got := names(l.ofPatch(fields).matching(l.ofCustomer(record))); fmt.Sprint(got) != fmt.Sprint([]string{p.name}) {
			t.Errorf("%s, sent and then received: got %v as matching, want only this property", p.name, got)
		}
		if p.text(record) != "v" {
			t.Errorf("%s: got %q in the record, want v", p.name, p.text(record))
		}
	}
}

func TestLastSeenIsPerKeyAndCustomer(t *testing.T) {
	t.Parallel()
	l := newLastSeen()
	values := l.ofCustomer(customer.Customer{Phone: "1"})
	actor, ref := access.Actor{Tenant: "t", ID: "key_a"}, customer.ByID("t", "1")
	l.merge(actor, ref, values)
	for name, other := range map[string]struct {
		actor access.Actor
		ref   customer.Ref
	}{
		"another key":      {access.Actor{Tenant: "t", ID: "key_b"}, ref},
		"another customer": {actor, customer.ByID("t", "2")},
	} {
		if got := l.get(other.actor, other.ref); got != (fingerprints{}) {
			t.Errorf("%s: got last-seen values, want none", name)
		}
	}
	if got := l.get(actor, ref); got != values {
		t.Errorf("the same key: got %v, want %v", got, values)
	}
}

func TestLastSeenMergeKeepsOtherProperties(t *testing.T) {
	t.Parallel()
	l := newLastSeen()
	actor, ref := access.Actor{Tenant: "t", ID: "key_a"}, customer.ByID("t", "1")
	l.merge(actor, ref, l.ofCustomer(customer.Customer{Phone: "1", FirstName: "Kari"}))
	l.merge(actor, ref, l.ofPatch(customer.Patch{"phone": nil}))
	if got, want := l.get(actor, ref), l.ofCustomer(customer.Customer{FirstName: "Kari"}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLastSeenEvictsLeastRecentlyUsed(t *testing.T) {
	t.Parallel()
	l := newLastSeen()
	actor := access.Actor{Tenant: "t", ID: "key_a"}
	values := l.ofCustomer(customer.Customer{Phone: "1"})
	ref := func(i int) customer.Ref { return customer.ByID("t", fmt.Sprint(i)) }
	for i := range maxLastSeen {
		l.merge(actor, ref(i), values)
	}
	l.get(actor, ref(0)) // marks it as recently used
	l.merge(actor, ref(maxLastSeen), values)
	if got := l.cache.Len(); got != maxLastSeen {
		t.Errorf("entries: got %d, want %d", got, maxLastSeen)
	}
	if l.get(actor, ref(0)) != values || l.get(actor, ref(maxLastSeen)) != values || l.get(actor, ref(1)) != (fingerprints{}) {
		t.Error("the evicted entry is not the least recently used one")
	}
}
