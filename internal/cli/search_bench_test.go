package cli_test

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	zombiezen "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/store/sqlite"
)

var (
	searchCustomers = flag.Int("customers", 100_000, "`number` of customers of BenchmarkSearch")
	searchStore     = flag.String("searchstore", "", "`file` in which BenchmarkSearch keeps the customers for the next run")
)

// BenchmarkSearch measures the first page of searches for random customers, each next to a GET
// of another customer by number, over loopback, from a server in a separate process. It reports
// medians, 99th percentiles, and the ratio of the 99th percentiles of search and GET:
//
//	go test ./internal/cli -run '^$' -bench Search -benchtime 2000x -customers 1000000 -timeout 30m
func BenchmarkSearch(b *testing.B) {
	path := *searchStore
	if path == "" {
		path = filepath.Join(b.TempDir(), "k.db")
	}
	people := newPopulation()
	key := people.fill(b, path, *searchCustomers)
	base, kill := startServer(b, "--store=sqlite:"+path)
	b.Cleanup(kill)
	client := &http.Client{}
	b.Cleanup(client.CloseIdleConnections)

	for _, kind := range searchKinds {
		b.Run(kind.name, func(b *testing.B) {
			var searches, gets []time.Duration
			for b.Loop() {
				c, other := people.random(), people.random()
				searches = append(searches, timedGet(b, client, key, base+"/v1/customers?q="+url.QueryEscape(kind.of(c))))
				gets = append(gets, timedGet(b, client, key, fmt.Sprintf("%s/v1/customers/%d", base, other.Number)))
			}
			for _, p := range []int{50, 99} {
				b.ReportMetric(percentile(searches, p), fmt.Sprintf("p%d-µs", p))
				b.ReportMetric(percentile(gets, p), fmt.Sprintf("get-p%d-µs", p))
			}
			b.ReportMetric(percentile(searches, 99)/percentile(gets, 99), "p99/get")
		})
	}
}

// timedGet sends a GET, which must find a customer, and returns its duration.
func timedGet(b *testing.B, client *http.Client, key, target string) time.Duration {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, target, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	began := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	took := time.Since(began)
	if err != nil || resp.StatusCode != http.StatusOK || strings.HasPrefix(string(body), `{"items":[],"next":null`) {
		b.Fatalf("got status %d: %s (%v)", resp.StatusCode, body, err)
	}
	return took
}

// percentile returns a percentile in microseconds.
func percentile(all []time.Duration, p int) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return float64(sorted[len(sorted)*p/100].Nanoseconds()) / 1e3
}

// searchKinds are the texts that find a customer.
var searchKinds = []struct {
	name string
	of   func(customer.Customer) string
}{
	{"name1", func(c customer.Customer) string { return prefix(c.LastName, 1) }},
	{"name2", func(c customer.Customer) string { return prefix(c.LastName, 2) }},
	{"name3", func(c customer.Customer) string { return prefix(c.LastName, 3) }},
	{"name4", func(c customer.Customer) string { return prefix(c.LastName, 4) }},
	{"name5", func(c customer.Customer) string { return prefix(c.LastName, 5) }},
	{"first3", func(c customer.Customer) string { return prefix(c.FirstName, 3) }},
	{"first5", func(c customer.Customer) string { return prefix(c.FirstName, 5) }},
	{"twoWords", func(c customer.Customer) string { return c.FirstName + " " + c.LastName }},
	{"email3", func(c customer.Customer) string { return prefix(c.Email, 3) }},
	{"email4", func(c customer.Customer) string { return prefix(c.Email, 4) }},
	{"email6", func(c customer.Customer) string { return prefix(c.Email, 6) }},
	{"email8", func(c customer.Customer) string { return prefix(c.Email, 8) }},
	{"digits4", func(c customer.Customer) string { return lastDigits(c.Phone, 4) }},
	{"digits6", func(c customer.Customer) string { return lastDigits(c.Phone, 6) }},
	{"digits8", func(c customer.Customer) string { return lastDigits(c.Phone, 8) }},
	{"postalCode", func(c customer.Customer) string { return c.Address.PostalCode }},
}

func prefix(text string, letters int) string {
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

// population generates customers: customer n is always the same.
type population struct {
	dice      *rand.Rand
	lastNames []string // the most frequent first
}

func newPopulation() *population {
	t := &population{dice: rand.New(rand.NewPCG(1, 2))}
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

// random returns one of the customers.
func (t *population) random() customer.Customer { return t.customer(t.dice.IntN(*searchCustomers)) }

func (t *population) customer(n int) customer.Customer {
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

// fill creates customers 1 to n of tenant t, unless they exist, and a key that may read them.
func (t *population) fill(b *testing.B, path string, n int) (key string) {
	store, err := sqlite.Open(b.Context(), path, sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	k, key, err := access.NewKey("t", "bench", []access.Scope{access.Read}, time.Now())
	if err = errors.Join(err, store.AddKey(b.Context(), k)); err != nil {
		b.Fatal(err)
	}
	if _, err := store.Find(b.Context(), customer.ByNumber("t", int32(n))); err == nil {
		return key
	}
	began := time.Now()
	t.write(b, store, path, n)
	b.Logf("%d customers were written in %v", n, time.Since(began).Round(time.Second))
	return key
}

// write creates customers 1 to n. It appends to a search index without order, and sorts it at the
// end: a large index takes hours otherwise.
func (t *population) write(b *testing.B, store *sqlite.Store, path string, n int) {
	conn, err := zombiezen.OpenConn(path, zombiezen.OpenReadWrite)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	execute := func(script string) {
		if err := sqlitex.ExecuteScript(conn, script, nil); err != nil {
			b.Fatal(err)
		}
	}
	execute("ALTER TABLE terms RENAME TO sorted; CREATE TABLE terms (tenant TEXT, term TEXT, number INTEGER)")
	const batch = 2000
	for first := 0; first < n; first += batch {
		t.writeBatch(b, store, first, min(first+batch, n))
	}
	execute(`INSERT INTO sorted SELECT DISTINCT tenant, term, number FROM terms ORDER BY tenant, term, number;
		DROP TABLE terms; ALTER TABLE sorted RENAME TO terms`)
}

// writeBatch creates the customers first+1 to end.
func (t *population) writeBatch(b *testing.B, store *sqlite.Store, first, end int) {
	var entries []customer.Upsert
	for i := first; i < end; i++ {
		c := t.customer(i)
		entries = append(entries, customer.Upsert{ID: uuid.Must(uuid.NewV7()).String(), Number: c.Number, Edit: func(to *customer.Customer) error {
			c.Tenant, c.ID = to.Tenant, to.ID
			*to = c
			return nil
		}})
	}
	meta := customer.ChangeMeta{Actor: "bench", At: time.Now()}
	results, err := store.Upsert(b.Context(), "t", meta, entries)
	for fault.Is(err, fault.Unavailable) { // a batch takes too long on a busy machine
		results, err = store.Upsert(b.Context(), "t", meta, entries)
	}
	for _, r := range results {
		err = errors.Join(err, r.Err)
	}
	if err != nil {
		b.Fatal(err)
	}
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
