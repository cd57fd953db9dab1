package lochting

import (
	"fmt"
	"testing"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/patch"
)

func names(properties []property) (names []string) {
	for _, p := range properties {
		names = append(names, p.name)
	}
	return names
}

// What is said in a patch and shown of a record is the same property each time.
func TestEveryPropertyIsBelieved(t *testing.T) {
	t.Parallel()
	b := newLastSeen()
	for _, p := range properties {
		var fields customer.Patch
		var record customer.Customer
		*p.patchField(&fields) = patch.Set("v")
		if err := fields.Apply(&record); err != nil {
			t.Fatal(err)
		}
		if got := names(b.ofPatch(fields).matching(b.ofCustomer(record))); fmt.Sprint(got) != fmt.Sprint([]string{p.name}) {
			t.Errorf("%s, said and then shown: got %v as believed, want it alone", p.name, got)
		}
		if *p.value(&record) != "v" {
			t.Errorf("%s: got %q in the record, want v", p.name, *p.value(&record))
		}
	}
}

func TestBeliefsAreOneKeysOfOneCustomer(t *testing.T) {
	t.Parallel()
	b := newLastSeen()
	news := b.ofCustomer(customer.Customer{Phone: "1"})
	by, ref := access.Actor{Tenant: "t", Name: "key:a"}, customer.ByID("t", "1")
	b.merge(by, ref, news)
	for name, other := range map[string]struct {
		by  access.Actor
		ref customer.Ref
	}{
		"another key":      {access.Actor{Tenant: "t", Name: "key:b"}, ref},
		"another tenant":   {access.Actor{Tenant: "u", Name: "key:a"}, ref},
		"another customer": {by, customer.ByID("t", "2")},
	} {
		if got := b.get(other.by, other.ref); got != (fingerprints{}) {
			t.Errorf("%s: got a belief, want none", name)
		}
	}
	if got := b.get(by, ref); got != news {
		t.Errorf("the key itself: got %v, want %v", got, news)
	}
}

func TestWhatIsNotSaidIsStillBelieved(t *testing.T) {
	t.Parallel()
	b := newLastSeen()
	by, ref := access.Actor{Tenant: "t", Name: "key:a"}, customer.ByID("t", "1")
	b.merge(by, ref, b.ofCustomer(customer.Customer{Phone: "1", FirstName: "Kari"}))
	b.merge(by, ref, b.ofPatch(customer.Patch{Phone: patch.Clear[string]()}))
	if got, want := b.get(by, ref), b.ofCustomer(customer.Customer{FirstName: "Kari"}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestBeliefsAreBounded(t *testing.T) {
	t.Parallel()
	b := newLastSeen()
	by := access.Actor{Tenant: "t", Name: "key:a"}
	news := b.ofCustomer(customer.Customer{Phone: "1"})
	ref := func(i int) customer.Ref { return customer.ByID("t", fmt.Sprint(i)) }
	for i := range maxLastSeen {
		b.merge(by, ref(i), news)
	}
	b.get(by, ref(0)) // who is heard of is not forgotten
	b.merge(by, ref(maxLastSeen), news)
	if got := b.cache.Len(); got != maxLastSeen {
		t.Errorf("beliefs: got %d, want %d", got, maxLastSeen)
	}
	if b.get(by, ref(0)) != news || b.get(by, ref(maxLastSeen)) != news || b.get(by, ref(1)) != (fingerprints{}) {
		t.Error("the one that was not heard of longest is not the one that is forgotten")
	}
}
