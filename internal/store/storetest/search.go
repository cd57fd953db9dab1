package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kartotek/internal/customer"
)

// searchTests hold Search of customer.Store to its promises. What a query
// matches is the domain's to say; a store must find just that.
var searchTests = map[string]func(*testing.T, *subject){
	"SearchFindsWhatTheDomainMatches":    searchFinds,
	"SearchFindsTheManyWhoAreAlike":      searchFindsAlike,
	"SearchFindsEveryPartThatItPromises": searchFindsParts,
	"SearchStaysInTheTenant":             searchStaysInTheTenant,
	"SearchPagesWhileOthersWrite":        searchWhileOthersWrite,
	"SearchKnowsNothingOfEditsThatPanic": searchAfterPanics,
	"SearchIsTheSameAfterReopening":      searchAfterReopening,
	"SearchOfACallerWhoLeftIsGivenUp":    searchGivenUp,
}

// person draws a customer from few names and figures, so that many are alike.
var person = rapid.Custom(func(t *rapid.T) customer.Customer {
	c := customer.Customer{
		Kind:      customer.Person,
		FirstName: optional(rapid.SampledFrom([]string{"Kari", "Karl", "Åse", "Jürgen", "Jean-Pierre", "Zoë", "Jiří", "Karl Karsten Karla", "Γιώργος", "李"})).Draw(t, "firstName"),
		LastName: rapid.SampledFrom([]string{
			"Müller", "Mueller", "Muller", "Møller", "O’Brien", "D'Hondt", "van den Berg", "Dvořák", "Çelik", "Kari",
			"Łukasz Groß", "de la Cruz", "3M Norge", "Παπαδόπουλος", "Ñ", "—!",
		}).Draw(t, "lastName"),
		Email: optional(rapid.SampledFrom([]string{
			"Kari@Example.com", "kari.muller@example.no", "ka@kari.no", "muller@example.com", "a@bø.no", `"x y"@e.com`, "4722@e.com",
		})).Draw(t, "email"),
		Phone:  optional(rapid.SampledFrom(someNumbers)).Draw(t, "phone"),
		Mobile: optional(rapid.SampledFrom(someNumbers)).Draw(t, "mobile"),
		Locale: optional(rapid.SampledFrom([]string{"nb-NO", "de-DE"})).Draw(t, "locale"),
		Address: customer.Address{
			PostalCode: optional(rapid.SampledFrom([]string{"9000", "110 00", "SW1A 1AA", "1100-148", "4722", "—"})).Draw(t, "postalCode"),
			Country:    optional(rapid.SampledFrom([]string{"NO", "BE", "DE", "CZ"})).Draw(t, "country"),
		},
	}
	if rapid.Bool().Draw(t, "confirmed") {
		c.ConfirmedAt = clock(rapid.IntRange(-5, 5).Draw(t, "confirmedAt"))
	}
	return c
})

var someNumbers = []string{
	"22 33 44 55", "+47 22 33 44 55", "0047 22334455", "030 1234567", "+49 (0)30 123 45 67", "0470/12.34.56", "112", "601 234 567", "4722",
}

// question draws a query: the start of some word, figures, or both.
var question = rapid.Custom(func(t *rapid.T) customer.Query {
	word := rapid.SampledFrom([]string{
		"", "", "k", "ka", "kar", "kari", "karst", "KARI", "mül", "muel", "mu", "moll", "moell", "brien", "o'b", "obr", "hondt", "van", "berg", "pierre", "jean-p", "jiri", "dvorak",
		"kari.muller", "kari@example.com", "ka@", "a@bø", "muller@", "3m", "γιω", "παπαδ", "李", "n", "—", "x",
		"9000", "110 00", "SW1A 1aa", "1100-148", "4722", "1", "2", "22 33 44 55", "4455", "334455", "0301234567", "030", "+47", "0047 2233", "123456",
	})
	q := customer.Query{Words: word.Draw(t, "word") + " " + word.Draw(t, "another")}
	if rapid.IntRange(0, 2).Draw(t, "fields") > 0 {
		return q
	}
	return customer.Query{
		Name:            word.Draw(t, "name"),
		Email:           word.Draw(t, "email"),
		Phone:           word.Draw(t, "phone"),
		PostalCode:      word.Draw(t, "postalCode"),
		Number:          rapid.SampledFrom([]int32{0, 0, 0, 1, 2}).Draw(t, "number"),
		ConfirmedBefore: rapid.SampledFrom([]time.Time{{}, {}, clock(0)}).Draw(t, "confirmedBefore"),
	}
})

// searchFinds changes customers at random and asks at random, and holds every
// answer to a look at all customers.
func searchFinds(t *testing.T, s *subject) {
	all := map[string]customer.Customer{}
	n := int32(0)
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(1, 8).Draw(t, "births") {
			n++
			c := s.put(t, "north", customer.Upsert{ID: id(n), Number: n, Edit: become(person.Draw(t, "born"))})[0]
			all[c.ID] = c
		}
		for range rapid.IntRange(0, 8).Draw(t, "changes") {
			ref := customer.ByID("north", id(rapid.Int32Range(1, n).Draw(t, "whom")))
			ch, err := s.Update(t.Context(), ref, signature(5), become(person.Draw(t, "revised")), nil)
			if err != nil {
				t.Fatal(err)
			}
			all[ch.After.ID] = ch.After
		}
		for range 4 {
			s.wantFound(t, all, question.Draw(t, "query"), rapid.IntRange(1, 5).Draw(t, "limit"))
		}
	})
}

// wantFound reports unless the pages of a search, put together, are the customers
// that match, in order.
func (s *subject) wantFound(t tb, all map[string]customer.Customer, q customer.Query, limit int) {
	t.Helper()
	var want []customer.Customer
	for _, c := range all {
		if q.Matches(c) {
			want = append(want, c)
		}
	}
	slices.SortFunc(want, byPosition)
	if got := s.search(t, "north", q, limit); !slices.Equal(got, want) {
		t.Errorf("query %+v, %d at a time: got %s, want %s", q, limit, shown(got), shown(want))
	}
}

func byPosition(a, b customer.Customer) int {
	return customer.PositionOf(a).Compare(customer.PositionOf(b))
}

// shown are the names of customers, and what else they are found by.
func shown(list []customer.Customer) string {
	out := ""
	for _, c := range list {
		out += fmt.Sprintf("\n\t%d %q %q %q %q %q %q", c.Number, c.FirstName, c.LastName, c.Email, c.Phone, c.Mobile, c.Address.PostalCode)
	}
	return out
}

// search puts all pages of a search together.
func (s *subject) search(t tb, tenant string, q customer.Query, limit int) []customer.Customer {
	t.Helper()
	var all []customer.Customer
	for page := (customer.Page{More: true}); page.More; all = append(all, page.Customers...) {
		before := page.Next
		var err error
		page, err = s.Search(t.Context(), tenant, q, before, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Customers) > limit {
			t.Fatalf("got a page of %d customers, want at most %d", len(page.Customers), limit)
		}
		if page.More && page.Next.Compare(before) <= 0 {
			t.Fatal("a page does not go on from the one before")
		}
	}
	return all
}

// found are the numbers of customers.
func (s *subject) found(t tb, tenant string, q customer.Query) []int32 {
	t.Helper()
	numbers := []int32{}
	for _, c := range s.search(t, tenant, q, 20) {
		numbers = append(numbers, c.Number)
	}
	return numbers
}

func (s *subject) wantNumbers(t tb, q customer.Query, want ...int32) {
	t.Helper()
	if got := s.found(t, "north", q); !slices.Equal(got, want) {
		t.Errorf("query %+v: got customers %v, want %v", q, got, want)
	}
}

// searchFindsAlike has more customers of one name, more of one phone, and more
// words of one start than an index may want to list at once.
func searchFindsAlike(t *testing.T, s *subject) {
	const many = 1200
	entries := make([]customer.Upsert, many)
	for i := range entries {
		n := int32(i + 1)
		entries[i] = customer.Upsert{ID: id(n), Number: n, Edit: func(c *customer.Customer) error {
			c.LastName, c.FirstName = "Hansen", fmt.Sprintf("Kari%03d Karo%d", n%150, n%3)
			c.Email = fmt.Sprintf([]string{"kari.nordmann%d@e.no", "kar1%x@e.no", "karl.nord%d@e.no", "kari.nordby%d@e.no"}[n%4], n*n)
			c.Phone = "22 33 44 55"
			switch n % 10 {
			case 0:
				c.LastName, c.Mobile = "Kahn", "4455"
			case 1:
				c.LastName = "Hantho" // who comes right after
			case 2:
				c.Address.PostalCode = "—"
			}
			return nil
		}}
	}
	all := map[string]customer.Customer{}
	for _, c := range s.put(t, "north", entries...) {
		all[c.ID] = c
	}
	for _, q := range []customer.Query{
		{},
		{Words: "k"},
		{Words: "ka"},
		{Words: "kar"},
		{Words: "kari"},
		{Words: "kari0"},
		{Words: "kari01"},
		{Words: "karo"},
		{Words: "hansen karo1"},
		{Words: "ka karo h"},
		{Words: "hant"},
		{PostalCode: "—"},
		{Words: "4455"},
		{Words: "22334455"},
		{Phone: "2"},
		{Email: "ka"},
		{Email: "kar"},
		{Email: "kari"},
		{Email: "kar1"},
		{Email: "kari."},
		{Email: "kari.n"},
		{Email: "kari.no"},
		{Email: "kari.nordm"},
		{Email: "kari.nordmann11"},
		{Email: "kari.nordby363609@e.no"},
		{Words: "karo2", Phone: "3344", Email: "ka@"},
	} {
		for _, limit := range []int{7, 100} {
			s.wantFound(t, all, q, limit)
		}
	}
}

// searchFindsParts asks for every start of e-mail addresses and every run of digits of
// phones that there are, however short.
func searchFindsParts(t *testing.T, s *subject) {
	emails := []string{"a@b.no", "ab@c.no", "abc@d.no", "abc.defg@h.no", "abc.defg.hij@k.no", "a@øre.no", "abcd@øre.no", "abcdefg@øre.no"}
	phones := []string{"112", "4722", "47225", "47 22 51", "0470/12.34.56", "+47 22 33 44 55", "9012 3456 7890 12"}
	all := map[string]customer.Customer{}
	for i, email := range emails {
		n := int32(i + 1)
		edit := func(c *customer.Customer) error {
			c.LastName, c.Email, c.Mobile = "Nord", email, phones[i%len(phones)]
			return nil
		}
		all[id(n)] = s.put(t, "north", customer.Upsert{ID: id(n), Number: n, Edit: edit})[0]
	}
	for _, email := range emails {
		for end := range email + "." {
			s.wantFound(t, all, customer.Query{Email: email[:end]}, 3)
		}
	}
	for _, phone := range phones {
		for start := range phone {
			for end := start + 1; end <= len(phone); end++ {
				s.wantFound(t, all, customer.Query{Phone: phone[start:end]}, 3)
			}
		}
	}
}

func searchStaysInTheTenant(t *testing.T, s *subject) {
	for _, tenant := range []string{"north", "south"} {
		s.put(t, tenant, customer.Upsert{ID: id(1), Number: 1, Edit: phoned("Hansen", "22334455")})
	}
	if _, err := s.Update(t.Context(), customer.ByNumber("south", 1), signature(1), phoned("Hansen", "99887766"), nil); err != nil {
		t.Fatal(err)
	}
	s.put(t, "south", customer.Upsert{ID: id(2), Number: 2, Edit: phoned("Hansen", "22334455")})
	for tenant, want := range map[string][]int32{"north": {1}, "south": {2}, "west": {}} {
		if got := s.found(t, tenant, customer.Query{Words: "2233"}); !slices.Equal(got, want) {
			t.Errorf("%s: got customers %v, want %v", tenant, got, want)
		}
	}
}

// phoned is an edit that sets the last name and the phone.
func phoned(lastName, phone string) customer.Edit {
	return func(c *customer.Customer) error {
		c.LastName, c.Phone = lastName, phone
		return nil
	}
}

// searchWhileOthersWrite pages through customers who stay where they are, while
// their neighbours come and move.
func searchWhileOthersWrite(t *testing.T, s *subject) {
	const pairs = 60
	var want []int32
	for n := int32(1); n <= 2*pairs; n += 2 {
		s.put(t, "north",
			customer.Upsert{ID: id(n), Number: n, Edit: phoned(fmt.Sprintf("Hansen %03d", n), "22334455")},
			customer.Upsert{ID: id(n + 1), Number: n + 1, Edit: phoned("Hansen moves", "22334455")})
		want = append(want, n)
	}
	done := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := int32(0); ; i++ {
			select {
			case <-done:
				return
			default:
			}
			mover := 2 * (1 + i*7%pairs)
			edit := phoned(fmt.Sprintf("Hansen %03d moves", i*31%(2*pairs)), "22334455")
			if _, err := s.Update(t.Context(), customer.ByNumber("north", mover), signature(1), edit, nil); err != nil {
				t.Errorf("revise: %v", err)
				return
			}
		}
	})
	for _, q := range []customer.Query{{}, {Words: "hansen"}, {Words: "3344"}} {
		for range 5 {
			got := slices.DeleteFunc(s.found(t, "north", q), func(n int32) bool { return n%2 == 0 })
			if !slices.Equal(got, want) {
				t.Errorf("query %+v: got customers %v, want %v", q, got, want)
			}
		}
	}
	close(done)
	writer.Wait()
}

// searchAfterPanics has edits panic beside others that do not, which an engine
// may have begun to write together.
func searchAfterPanics(t *testing.T, s *subject) {
	const writers = 16
	for n := int32(1); n <= writers; n++ {
		s.put(t, "north", customer.Upsert{ID: id(n), Number: n, Edit: phoned("Hansen", "22334455")})
	}
	var wg sync.WaitGroup
	for n := int32(1); n <= writers; n++ {
		wg.Go(func() {
			defer func() { _ = recover() }() // an engine may let the panic through
			edit := phoned("Hansen", "99887766")
			if n%2 == 0 {
				edit = func(*customer.Customer) error { panic("on purpose") }
			}
			if _, err := s.Update(t.Context(), customer.ByNumber("north", n), signature(1), edit, nil); err != nil && n%2 == 1 {
				t.Errorf("revise %d: %v", n, err)
			}
		})
	}
	wg.Wait()
	s.wantNumbers(t, customer.Query{Phone: "99887766"}, 1, 3, 5, 7, 9, 11, 13, 15)
	s.wantNumbers(t, customer.Query{Phone: "22334455"}, 2, 4, 6, 8, 10, 12, 14, 16)
}

func searchAfterReopening(t *testing.T, s *subject) {
	s.put(t, "north", customer.Upsert{ID: id(1), Number: 1, Edit: phoned("Müller", "22334455")})
	s.reopen()
	s.put(t, "north", customer.Upsert{ID: id(2), Number: 2, Edit: phoned("Mueller", "22334455")})
	for _, words := range []string{"mueller", "2233"} {
		s.wantNumbers(t, customer.Query{Words: words}, 2, 1)
	}
}

func searchGivenUp(t *testing.T, s *subject) {
	s.create(t, "north", 1)
	cause := errors.New("the caller left")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	_, err := s.Search(ctx, "north", customer.Query{Words: "ada"}, customer.Position{}, 20)
	wantCause(t, "search", err, cause)
	s.wantNumbers(t, customer.Query{Words: "ada"}, 1)
}
