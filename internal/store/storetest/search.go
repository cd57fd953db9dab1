package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kartotek/internal/customer"
	"kartotek/internal/store/terms"
)

// searchTests check Search and List of customer.Store. Package terms defines what a text matches and
// has the tests of names and phones; every engine must return the same customers.
var searchTests = map[string]func(*testing.T, *suite){
	"SearchEqualsScan":                      searchEqualsScan,
	"ListEqualsScan":                        listEqualsScan,
	"SearchFindsNamesAndPhones":             searchFindsNamesAndPhones,
	"SearchLimitsResults":                   searchLimitsResults,
	"SearchReturnsExactMatchesFirst":        searchReturnsExactMatchesFirst,
	"SearchIsPerTenant":                     searchIsPerTenant,
	"SearchFollowsUpdatesAndReverts":        searchFollowsUpdates,
	"SearchIgnoresFailedEdits":              searchIgnoresFailedEdits,
	"SearchAfterReopen":                     searchAfterReopen,
	"SearchOfCanceledCallerReturnsError":    searchCanceled,
	"ListByConfirmationHasUnconfirmedFirst": listByConfirmation,
}

// person draws a customer from few names and numbers, so that many are alike.
var person = rapid.Custom(func(t *rapid.T) customer.Customer {
	c := customer.Customer{
		Kind:      customer.Person,
		FirstName: optional(rapid.SampledFrom([]string{"Kari", "Karl", "Åse", "Jürgen", "Jean-Pierre", "Zoë", "Γιώργος", "李"})).Draw(t, "firstName"),
		LastName:  rapid.SampledFrom([]string{"Müller", "Mueller", "Muller", "Møller", "O’Brien", "van den Berg", "Dvořák", "Kari", "3M Norge", "Ñ", "—ß!"}).Draw(t, "lastName"),
		Email:     optional(rapid.SampledFrom([]string{"Kari@Example.com", "kari.muller@example.no", "ka@kari.no", "a@bø.no", "4722@e.com"})).Draw(t, "email"),
		Phone:     optional(rapid.SampledFrom(somePhones)).Draw(t, "phone"),
		Mobile:    optional(rapid.SampledFrom(somePhones)).Draw(t, "mobile"),
		Address: customer.Address{
			PostalCode: optional(rapid.SampledFrom([]string{"9000", "110 00", "SW1A 1AA", "1100-148", "4722", "—"})).Draw(t, "postalCode"),
			Country:    optional(rapid.SampledFrom([]string{"NO", "BE", "DE", "CZ"})).Draw(t, "country"),
		},
	}
	if rapid.Bool().Draw(t, "confirmed") {
		c.ConfirmedAt = timeAt(rapid.IntRange(-5, 5).Draw(t, "confirmedAt"))
	}
	return c
})

var somePhones = []string{"22 33 44 55", "+47 22 33 44 55", "0047 22334455", "030 1234567", "+49 (0)30 123 45 67", "0470/12.34.56", "112", "4722"}

var someTexts = []string{
	"k", "ka", "kari", "KARI", "mül", "muel", "mu", "moell", "brien", "o'b", "van", "berg", "pierre", "jean-p", "dvorak",
	"kari.muller", "kari@example.com", "example", "a@bø", "3m", "γιω", "李", "n", "x",
	"9000", "110 00", "SW1A 1aa", "1100-148", "4722", "1", "2", "22 33 44 55", "4455", "334455", "0301234567", "0047 22334455", "123456",
}

// scanIndex is a terms.Index that scans all customers. Every engine must agree with it.
type scanIndex struct {
	customers []customer.Customer
	entries   []indexEntry // in order
}

type indexEntry struct {
	term   string
	number int32
}

func newScanIndex(customers []customer.Customer) scanIndex {
	x := scanIndex{customers: customers}
	for _, c := range customers {
		for _, term := range terms.Of(c) {
			x.entries = append(x.entries, indexEntry{term, c.Number})
		}
	}
	slices.SortFunc(x.entries, func(a, b indexEntry) int {
		return cmp.Or(strings.Compare(a.term, b.term), cmp.Compare(a.number, b.number))
	})
	return x
}

func (x scanIndex) Numbers(from, to string, limit int) ([]int32, error) {
	var numbers []int32
	for _, e := range x.entries {
		if e.term >= from && e.term < to && len(numbers) < limit {
			numbers = append(numbers, e.number)
		}
	}
	return numbers, nil
}

func (x scanIndex) Customers(numbers []int32) ([]customer.Customer, error) {
	return slices.DeleteFunc(slices.Clone(x.customers), func(c customer.Customer) bool { return !slices.Contains(numbers, c.Number) }), nil
}

// fillAtRandom creates and updates customers of tenant north, and returns all of them.
func fillAtRandom(t *rapid.T, s *suite, all map[string]customer.Customer) scanIndex {
	for range rapid.IntRange(1, 8).Draw(t, "creations") {
		n := int32(len(all) + 1)
		c := s.upsert(t, "north", customer.Upsert{ID: id(n), Number: n, Edit: replaceWith(person.Draw(t, "created"))})[0]
		all[c.ID] = c
	}
	for range rapid.IntRange(0, 8).Draw(t, "updates") {
		ref := customer.ByID("north", id(rapid.Int32Range(1, int32(len(all))).Draw(t, "updated id")))
		ch, err := s.Update(t.Context(), ref, meta(5), replaceWith(person.Draw(t, "updated")), nil)
		if err != nil {
			t.Fatal(err)
		}
		all[ch.After.ID] = ch.After
	}
	return newScanIndex(slices.Collect(maps.Values(all)))
}

func searchEqualsScan(t *testing.T, s *suite) {
	all := map[string]customer.Customer{}
	rapid.Check(t, func(t *rapid.T) {
		index := fillAtRandom(t, s, all)
		for range 4 {
			text := rapid.SampledFrom(someTexts).Draw(t, "text")
			if rapid.Bool().Draw(t, "two words") {
				text += " " + rapid.SampledFrom(someTexts).Draw(t, "second text")
			}
			want, err := terms.Search(index, text, "", 1000)
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Search(t.Context(), "north", text, 1000)
			if err != nil || got.More || !slices.Equal(numbersOf(got.Customers), numbersOf(want.Customers)) {
				t.Errorf("search %q: got %v (%v), want %v", text, numbersOf(got.Customers), err, numbersOf(want.Customers))
			}
		}
	})
}

func listEqualsScan(t *testing.T, s *suite) {
	all := map[string]customer.Customer{}
	rapid.Check(t, func(t *rapid.T) {
		index := fillAtRandom(t, s, all)
		f := customer.Filter{
			Email:           rapid.SampledFrom([]string{"", "", "kari@example.com", "KA@kari.no", "x@y.no"}).Draw(t, "email"),
			Phone:           rapid.SampledFrom(append([]string{"", "", "+47 22334455"}, somePhones...)).Draw(t, "phone"),
			PostalCode:      rapid.SampledFrom([]string{"", "", "9000", "11000", "1100148"}).Draw(t, "postalCode"),
			Number:          rapid.SampledFrom([]int32{0, 0, 0, 1, 2}).Draw(t, "number"),
			ConfirmedBefore: rapid.SampledFrom([]time.Time{{}, {}, timeAt(0)}).Draw(t, "confirmedBefore"),
		}
		if !terms.Indexed(f) {
			f.Email = "kari@example.com"
		}
		want, err := terms.List(index, f, "", customer.Cursor{}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		if got := s.listAll(t, f, limit); !slices.Equal(got, numbersOf(want)) {
			t.Errorf("list %+v, %d in a page: got %v, want %v", f, limit, got, numbersOf(want))
		}
	})
}

func numbersOf(customers []customer.Customer) []int32 {
	numbers := []int32{}
	for _, c := range customers {
		numbers = append(numbers, c.Number)
	}
	return numbers
}

// listAll returns the numbers of all pages of a list.
func (s *suite) listAll(t tb, f customer.Filter, limit int) []int32 {
	t.Helper()
	all := []int32{}
	for after := (customer.Cursor{}); ; {
		page, err := s.List(t.Context(), "north", f, after, limit)
		if err != nil || len(page) > limit {
			t.Fatalf("got a page of %d customers (%v), want at most %d", len(page), err, limit)
		}
		all = append(all, numbersOf(page)...)
		if len(page) < limit {
			return all
		}
		last := page[len(page)-1]
		after.Number = last.Number
		if !f.ConfirmedBefore.IsZero() {
			after.ConfirmedAt = last.ConfirmedAt
		}
	}
}

// wantFound checks the numbers that a search in tenant north returns, in any order.
func (s *suite) wantFound(t tb, text string, want ...int32) {
	t.Helper()
	got, err := s.Search(t.Context(), "north", text, 100)
	numbers := numbersOf(got.Customers)
	slices.Sort(numbers)
	if err != nil || !slices.Equal(numbers, append([]int32{}, want...)) {
		t.Errorf("search %q: got customers %v (%v), want %v", text, numbers, err, want)
	}
}

func searchFindsNamesAndPhones(t *testing.T, s *suite) {
	for i, tt := range []struct{ first, last, phone, found string }{
		{"小明", "王", "", "王小明"},
		{"", "田中太郎", "", "太郎"},
		{"민수", "김", "", "김민수"},
		{"Ali", "Al-Hassan", "", "Alhassan"},
		{"Jean-Pierre", "Petit", "", "Jeanpierre"},
		{"Jan", "van der Berg", "", "vanderberg"},
		{"Ann", "McDonald", "", "Mc Donald"},
		{"علی\u200cرضا", "محمدی", "", "علیرضا"},
		{"", "فاطمة", "", "فاطمه"},
		{"", "Booking.com", "", "Booking.com"},
		{"", "1.FC Köln", "", "1.FC Köln"},
		{"", "J.Smith", "", "J.Smith"},
		{"Novak", "Đoković", "", "Djokovic"},
		{"A", "Tel", "+32 2 555 66 77", "tel:+32-2-555-66-77"},
		{"B", "Trunk", "0475 55 44 33", "+32475554433"},
		{"C", "London", "+44 (0)20 7946 0222", "+44 020 7946 0222"},
		{"E", "Ext", "+1 608 271 9000 x11", "608 271 9000"},
		{"F", "Ext", "+1 608 272 9000;ext=11", "+16082729000"},
		{"G", "Dashes", "080\u20112345\u20137654", "08023457654"},
		{"H", "Arabic", "٠٩٠١٢٣٤٥٦٧", "0901234567"},
		{"I", "Wide", "０７０-９８７６-５４３２", "070 9876 5432"},
		{"D", "Two", "21 33 44 55 / 98 88 77 66", "98887766"},
	} {
		n := int32(i + 1)
		s.upsert(t, "north", customer.Upsert{ID: id(n), Number: n, Edit: func(c *customer.Customer) error {
			c.FirstName, c.LastName, c.Phone = tt.first, tt.last, tt.phone
			return nil
		}})
		s.wantFound(t, tt.found, n)
	}
}

func searchLimitsResults(t *testing.T, s *suite) {
	const many = 1200
	entries := make([]customer.Upsert, many)
	for i := range entries {
		n := int32(i + 1)
		entries[i] = customer.Upsert{ID: id(n), Number: n, Edit: setNameAndPhone(fmt.Sprintf("Hansen%04d Kari", n), "22 33 44 55")}
	}
	s.upsert(t, "north", entries...)
	for _, text := range []string{"hansen", "kari", "hansen kari", "22334455", "4455 hansen1"} {
		got, err := s.Search(t.Context(), "north", text, 7)
		if err != nil || len(got.Customers) != 7 || !got.More {
			t.Errorf("search %q: got %d customers and more %v (%v), want 7 and more", text, len(got.Customers), got.More, err)
		}
	}
	s.wantFound(t, "hansen0700 kari", 700)
	s.wantFound(t, "kari hansen07001")
}

func searchReturnsExactMatchesFirst(t *testing.T, s *suite) {
	for i, name := range []string{"Hansen", "Han", "Hansson", "Han"} {
		n := int32(i + 1)
		s.upsert(t, "north", customer.Upsert{ID: id(n), Number: n, Edit: setNameAndPhone(name, "")})
	}
	got, err := s.Search(t.Context(), "north", "han", 10)
	if want := []int32{2, 4, 1, 3}; err != nil || !slices.Equal(numbersOf(got.Customers), want) {
		t.Errorf("got %v (%v), want %v", numbersOf(got.Customers), err, want)
	}
}

func searchIsPerTenant(t *testing.T, s *suite) {
	for _, tenant := range []string{"north", "south"} {
		s.upsert(t, tenant, customer.Upsert{ID: id(1), Number: 1, Edit: setNameAndPhone("Hansen", "22334455")})
	}
	if _, err := s.Update(t.Context(), customer.ByNumber("south", 1), meta(1), setNameAndPhone("Olsen", "99887766"), nil); err != nil {
		t.Fatal(err)
	}
	for tenant, want := range map[string]int{"north": 1, "south": 0, "west": 0} {
		for _, text := range []string{"hansen", "22334455"} {
			if got, err := s.Search(t.Context(), tenant, text, 10); err != nil || len(got.Customers) != want {
				t.Errorf("search %q in %s: got %d customers (%v), want %d", text, tenant, len(got.Customers), err, want)
			}
		}
	}
}

// setNameAndPhone returns an edit that sets the last name and the phone.
func setNameAndPhone(lastName, phone string) customer.Edit {
	return func(c *customer.Customer) error {
		c.LastName, c.Phone = lastName, phone
		return nil
	}
}

func searchFollowsUpdates(t *testing.T, s *suite) {
	s.upsert(t, "north", customer.Upsert{ID: id(1), Number: 1, Edit: setNameAndPhone("Hansen", "22334455")})
	for _, name := range []string{"Olsen", "Hansen", "Berg"} {
		if _, err := s.Update(t.Context(), customer.ByNumber("north", 1), meta(1), setNameAndPhone(name, "99887766"), nil); err != nil {
			t.Fatal(err)
		}
		s.wantFound(t, name, 1)
	}
	s.wantFound(t, "hansen")
	s.wantFound(t, "22334455")
	s.wantFound(t, "99887766", 1)
}

// searchIgnoresFailedEdits has edits panic beside others that succeed, which an engine may run in
// one transaction.
func searchIgnoresFailedEdits(t *testing.T, s *suite) {
	const writers = 16
	for n := int32(1); n <= writers; n++ {
		s.upsert(t, "north", customer.Upsert{ID: id(n), Number: n, Edit: setNameAndPhone("Hansen", "22334455")})
	}
	var wg sync.WaitGroup
	for n := int32(1); n <= writers; n++ {
		wg.Go(func() {
			defer func() { _ = recover() }() // an engine may not recover the panic
			edit := setNameAndPhone("Hansen", "99887766")
			if n%2 == 0 {
				edit = func(*customer.Customer) error { panic("on purpose") }
			}
			if _, err := s.Update(t.Context(), customer.ByNumber("north", n), meta(1), edit, nil); err != nil && n%2 == 1 {
				t.Errorf("update %d: %v", n, err)
			}
		})
	}
	wg.Wait()
	s.wantFound(t, "99887766", 1, 3, 5, 7, 9, 11, 13, 15)
	s.wantFound(t, "22334455", 2, 4, 6, 8, 10, 12, 14, 16)
}

func searchAfterReopen(t *testing.T, s *suite) {
	s.upsert(t, "north", customer.Upsert{ID: id(1), Number: 1, Edit: setNameAndPhone("Müller", "22334455")})
	s.reopen()
	s.upsert(t, "north", customer.Upsert{ID: id(2), Number: 2, Edit: setNameAndPhone("Mueller", "22334455")})
	for _, text := range []string{"mueller", "4455"} {
		s.wantFound(t, text, 1, 2)
	}
}

func searchCanceled(t *testing.T, s *suite) {
	s.create(t, "north", 1)
	cause := errors.New("canceled by the caller")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	_, err := s.Search(ctx, "north", "ada", 20)
	wantCause(t, "search", err, cause)
	s.wantFound(t, "ada", 1)
}

func listByConfirmation(t *testing.T, s *suite) {
	for i, confirmed := range []time.Time{timeAt(5), {}, timeAt(-5), timeAt(-9), {}} {
		n := int32(i + 1)
		s.upsert(t, "north", customer.Upsert{ID: id(n), Number: n, Edit: func(c *customer.Customer) error {
			c.LastName, c.ConfirmedAt = "Hansen", confirmed
			return nil
		}})
	}
	for _, limit := range []int{1, 2, 10} {
		if got, want := s.listAll(t, customer.Filter{ConfirmedBefore: timeAt(0)}, limit), []int32{2, 5, 4, 3}; !slices.Equal(got, want) {
			t.Errorf("confirmed before, %d in a page: got %v, want %v", limit, got, want)
		}
		if got, want := s.listAll(t, customer.Filter{}, limit), []int32{1, 2, 3, 4, 5}; !slices.Equal(got, want) {
			t.Errorf("all, %d in a page: got %v, want %v", limit, got, want)
		}
	}
}
