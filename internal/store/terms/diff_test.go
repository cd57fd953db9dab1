package terms_test

import (
	"slices"
	"testing"

	"kartotek/internal/customer"
	"kartotek/internal/store/terms"
)

func TestDiffReturnsTermsOfChangedFields(t *testing.T) {
	t.Parallel()
	base := customer.Customer{FirstName: "Kari", LastName: "Nordmann", Email: "kari@example.com", Phone: "22 33 44 55", Mobile: "99 88 77 66"}
	base.Address.PostalCode = "0150"
	for name, edit := range map[string]func(*customer.Customer){
		"nothing":     func(*customer.Customer) {},
		"city":        func(c *customer.Customer) { c.Address.City = "Oslo" },
		"first name":  func(c *customer.Customer) { c.FirstName = "Åse" },
		"e-mail":      func(c *customer.Customer) { c.Email = "kari@example.no" },
		"no e-mail":   func(c *customer.Customer) { c.Email = "" },
		"postal code": func(c *customer.Customer) { c.Address.PostalCode = "SE-123 45" },
		"phones":      func(c *customer.Customer) { c.Phone, c.Mobile = c.Mobile, c.Phone },
		"mobile":      func(c *customer.Customer) { c.Mobile = "22334455 / 11223344" },
		"everything":  func(c *customer.Customer) { *c = customer.Customer{} },
	} {
		after := base
		edit(&after)
		added, removed := terms.Diff(base, after)
		got := slices.DeleteFunc(terms.Of(base), func(term string) bool { return slices.Contains(removed, term) })
		got = append(got, added...)
		slices.Sort(got)
		if want := terms.Of(after); !slices.Equal(got, want) {
			t.Errorf("%s: adding %q and removing %q gives %q, want %q", name, added, removed, got, want)
		}
	}
}

func BenchmarkDiffOfPhone(b *testing.B) {
	before := customer.Customer{FirstName: "Jürgen", LastName: "van der Berg", Email: "kari@example.com", Phone: "22 33 44 55"}
	after := before
	after.Phone = "+47 22 33 44 56"
	for b.Loop() {
		terms.Diff(before, after)
	}
}

func BenchmarkOf(b *testing.B) {
	c := customer.Customer{FirstName: "Jürgen", LastName: "van der Berg", Email: "kari@example.com", Phone: "22 33 44 55"}
	for b.Loop() {
		terms.Of(c)
	}
}
