package cli_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"kartotek/internal/access"
	"kartotek/internal/contract/elw"
	"kartotek/internal/customer"
	"kartotek/internal/store/sqlite"
	"kartotek/internal/web"
)

var (
	searchCustomers = flag.Int("customers", 100_000, "how many customers BenchmarkSearch searches")
	searchStore     = flag.String("searchstore", "", "the `file` in which BenchmarkSearch keeps them, for the next run")
)

// BenchmarkSearch measures the first page of searches for what random customers
// are found by, and in the same run the GET of one customer by number, through
// the whole handler of contract elw. It reports medians and 99th percentiles:
//
//	go test ./internal/cli -run '^$' -bench Search -benchtime 2000x -customers 1000000 -timeout 30m
func BenchmarkSearch(b *testing.B) {
	path := *searchStore
	if path == "" {
		path = filepath.Join(b.TempDir(), "k.db")
	}
	store, err := sqlite.Open(b.Context(), path, sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	town := newTown()
	town.fill(b, store, *searchCustomers)

	get := getter(b, store)
	b.Run("get", func(b *testing.B) { percentiles(b, town, get) })
	for _, kind := range questions {
		b.Run(kind.name, func(b *testing.B) {
			percentiles(b, town, func(c customer.Customer) error {
				page, err := store.Search(b.Context(), "t", kind.ask(c), customer.Position{}, 20)
				if err == nil && len(page.Customers) == 0 && !page.More {
					err = fmt.Errorf("nobody was found, not even the one who was looked for")
				}
				return err
			})
		})
	}
}

// questions are what is asked to find a customer.
var questions = []struct {
	name string
	ask  func(customer.Customer) customer.Query
}{
	{"name1", word(func(c customer.Customer) string { return start(c.LastName, 1) })},
	{"name2", word(func(c customer.Customer) string { return start(c.LastName, 2) })},
	{"name3", word(func(c customer.Customer) string { return start(c.LastName, 3) })},
	{"name4", word(func(c customer.Customer) string { return start(c.LastName, 4) })},
	{"name5", word(func(c customer.Customer) string { return start(c.LastName, 5) })},
	{"first3", word(func(c customer.Customer) string { return start(c.FirstName, 3) })},
	{"first5", word(func(c customer.Customer) string { return start(c.FirstName, 5) })},
	{"twoWords", word(func(c customer.Customer) string { return c.FirstName + " " + c.LastName })},
	{"email3", word(func(c customer.Customer) string { return start(c.Email, 3) })},
	{"email4", word(func(c customer.Customer) string { return start(c.Email, 4) })},
	{"email6", word(func(c customer.Customer) string { return start(c.Email, 6) })},
	{"email8", word(func(c customer.Customer) string { return start(c.Email, 8) })},
	{"digits4", word(func(c customer.Customer) string { return lastDigits(c.Phone, 4) })},
	{"digits6", word(func(c customer.Customer) string { return lastDigits(c.Phone, 6) })},
	{"digits8", word(func(c customer.Customer) string { return lastDigits(c.Phone, 8) })},
	{"postalCode", word(func(c customer.Customer) string { return c.Address.PostalCode })},
}

func word(of func(customer.Customer) string) func(customer.Customer) customer.Query {
	return func(c customer.Customer) customer.Query { return customer.Query{Words: of(c)} }
}

func start(text string, letters int) string {
	runes := []rune(text)
	return string(runes[:min(letters, len(runes))])
}

func lastDigits(phone string, n int) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, phone)
	return digits[max(0, len(digits)-n):]
}

// percentiles runs op for random customers.
func percentiles(b *testing.B, t *town, op func(customer.Customer) error) {
	took := make([]time.Duration, 0, b.N)
	for b.Loop() {
		c := t.customer(t.dice.IntN(*searchCustomers))
		began := time.Now()
		if err := op(c); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(took[len(took)*p/100].Nanoseconds())/1e3, fmt.Sprintf("p%d-µs", p))
	}
}

// getter asks contract elw for a customer.
func getter(b *testing.B, store *sqlite.Store) func(customer.Customer) error {
	account, err := access.NewAccount("t", "service", "sommerregn", access.All(), time.Now())
	if err != nil {
		b.Fatal(err)
	}
	if _, err := store.Account(b.Context(), account.Login); err != nil {
		if err := store.AddAccount(b.Context(), account); err != nil {
			b.Fatal(err)
		}
	}
	server := &web.Server{
		Mounts: []web.Mount{elw.New(elw.Settings{
			Customers: customer.New(store, store, time.Now, uuid.NewString),
			Directory: access.NewDirectory(store, time.Now),
			Now:       time.Now,
		}).Mount()},
		Metrics: web.NewMetrics(),
		Log:     slog.New(slog.NewTextHandler(io.Discard, nil)),
		MaxBody: 64 << 10,
	}
	handler := server.Handler()
	return func(c customer.Customer) error {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, fmt.Sprintf("/api/customers/%d", c.Number), nil)
		r.SetBasicAuth("service", "sommerregn")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			return fmt.Errorf("got status %d", w.Code)
		}
		return nil
	}
}

// town makes up customers: customer n is always the same.
type town struct {
	dice      *rand.Rand
	lastNames []string // the most frequent first
}

func newTown() *town {
	t := &town{dice: rand.New(rand.NewPCG(1, 2))}
	for _, end := range nameEnds {
		for _, begin := range nameBegins {
			t.lastNames = append(t.lastNames, begin+end)
		}
	}
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(t.lastNames), func(i, j int) {
		t.lastNames[i], t.lastNames[j] = t.lastNames[j], t.lastNames[i]
	})
	return t
}

func (t *town) customer(n int) customer.Customer {
	dice := rand.New(rand.NewPCG(5, uint64(n)))
	often := func(list []string) string { return list[rand.NewZipf(dice, 1.05, 30, uint64(len(list)-1)).Uint64()] }
	place := places[dice.IntN(len(places))]
	c := customer.Customer{
		Kind: customer.Person, Number: int32(n + 1), Locale: place.locale,
		FirstName: often(firstBegins) + firstEnds[dice.IntN(len(firstEnds))], LastName: often(t.lastNames),
	}
	switch dice.IntN(20) {
	case 0:
		c.LastName += "-" + often(t.lastNames)
	case 1:
		c.LastName = "Van den " + c.LastName
	case 2:
		c.FirstName += " " + often(firstBegins)
	}
	c.Email = fmt.Sprintf("%s.%s%d@%s", ascii(c.FirstName), ascii(c.LastName), n, domains[dice.IntN(len(domains))])
	c.Phone = fmt.Sprintf(place.phone, dice.IntN(100), dice.IntN(100), dice.IntN(100))
	c.Mobile = fmt.Sprintf(place.mobile, dice.IntN(100), dice.IntN(100), dice.IntN(100))
	c.Address = customer.Address{
		Line: fmt.Sprintf("%s %d", t.lastNames[dice.IntN(500)], 1+dice.IntN(200)), City: place.city, Country: place.country,
		PostalCode: fmt.Sprintf(place.postalCode, dice.IntN(900)),
	}
	return c
}

func ascii(name string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// fill makes customers 1 to n of tenant t, unless they are there.
func (t *town) fill(b *testing.B, store *sqlite.Store, n int) {
	if _, err := store.Find(b.Context(), customer.ByNumber("t", int32(n))); err == nil {
		return
	}
	const batch = 250 // as the import has it
	began := time.Now()
	for first := 0; first < n; first += batch {
		var entries []customer.Entry
		for i := first; i < min(first+batch, n); i++ {
			c := t.customer(i)
			entries = append(entries, customer.Entry{
				ID: uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "%d", i)).String(), Number: c.Number,
				Edit: func(to *customer.Customer) error {
					c.Tenant, c.ID = to.Tenant, to.ID
					*to = c
					return nil
				},
			})
		}
		results, err := store.Put(b.Context(), "t", customer.Signature{Actor: "bench", At: time.Now()}, entries)
		for _, r := range results {
			err = errors.Join(err, r.Err)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("%d customers were written in %v", n, time.Since(began).Round(time.Second))
}

var (
	firstBegins = strings.Fields(`Kari Ola Anne Jan Marie Per Ing Bjørn Lis Sol Mar Nin Lukas Em Noah Sof Thom Mart Jür Kl Gret Hein
		Ann Pet Pav Jiř Tom Kat Lenk Zuz Mil Jos Fran Wim Koen Luc An El Sar Laur Nor Frid Ast Sig Har Tor Rag Ein Sven Åse Øyv Hild Tr Vig
		Jon Al Ben Cec Dan Er Fil Gab Han Id Jul`)
	firstEnds  = []string{"", "a", "e", "ine", "us", "ik"}
	nameBegins = strings.Fields(`Han Jan Pet Nil Lar Ol Ander Jo Møl Mül Sø Ras Chris Jør Kris Sven Gun Hal Berg Lind Strøm Dahl Vik Nes Haug
		Sol Sand Moen Bakk Ros Schmid Schnei Fisch Web Wagn Beck Schul Hoff Koch Bau Richt Klei Wol Schrö Neu Schwar Zim Brau Krü Hof Hart
		Lang Wern Krau Leh Köh Maes Jacob Mert Will Claes Goos Wout Vermeul De Smet Dubo Lamb Dup Mart Sim Laur Nov Svob Dvoř Čern Proch Kuč
		Vesel Krej Hor Něm Mar Posp Hál Zem Řez Šim`)
	nameEnds = strings.Fields(`sen son s ssens mann er berg ová ský ek ák ík stad rud heim dal vik øy ås e t en ers ens ke meyer bach stein
		feld brand i o ens is ot eau ier ac in elle`)
	domains = strings.Fields("example.com example.no example.be example.de example.cz mail.example.org post.example.net firma.example")
	places  = []struct{ country, locale, city, postalCode, phone, mobile string }{
		{"NO", "nb-NO", "Oslo", "0%03d", "22 %02d %02d %02d", "+47 9%02d%02d%02d1"},
		{"NO", "nb-NO", "Bergen", "5%03d", "55 %02d %02d %02d", "4%02d %02d %02d7"},
		{"BE", "nl-BE", "Gent", "9%03d", "09 2%02d %02d %02d", "+32 47%02d %02d %02d"},
		{"BE", "fr-BE", "Liège", "4%03d", "04/2%02d.%02d.%02d", "0486 %02d %02d %02d"},
		{"DE", "de-DE", "Berlin", "10%03d", "030 1%02d%02d%02d", "+49 (0)171 1%02d%02d%02d"},
		{"CZ", "cs-CZ", "Praha", "1%03d0", "+420 2%02d %02d0 %02d0", "6%02d %02d1 %02d2"},
	}
)
