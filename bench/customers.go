package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
)

// customer is a line of the import file of all targets: fifteen fields.
type customer struct {
	Number    int      `json:"number"`
	FirstName string   `json:"firstName"`
	LastName  string   `json:"lastName"`
	BirthDate string   `json:"birthDate"`
	Gender    string   `json:"gender"`
	Locale    string   `json:"locale"`
	Email     string   `json:"email"`
	Phone     string   `json:"phone"`
	Mobile    string   `json:"mobile"`
	Address   address  `json:"address"`
	Services  services `json:"services"`
}

type address struct {
	Line       string `json:"line"`
	PostalCode string `json:"postalCode"`
	City       string `json:"city"`
	Country    string `json:"country"`
}

type services struct {
	Grid  bool `json:"grid"`
	Power bool `json:"power"`
}

// customerOf generates the customer with this number, always the same. As among people, some
// names are far more frequent than others.
func customerOf(number int) customer {
	random := rand.New(rand.NewPCG(5, uint64(number)))
	frequent := func(list []string) string {
		u := random.Float64()
		return list[int(u*u*float64(len(list)))]
	}
	place := places[random.IntN(len(places))]
	first := frequent(firstBegins) + frequent(firstEnds)
	last := frequent(nameBegins) + frequent(nameEnds)
	return customer{
		Number:    number,
		FirstName: first,
		LastName:  last,
		BirthDate: fmt.Sprintf("%d-%02d-%02d", 1940+random.IntN(65), 1+random.IntN(12), 1+random.IntN(28)),
		Gender:    genders[random.IntN(len(genders))],
		Locale:    place.locale,
		Email:     fmt.Sprintf("%s.%s%d@example.com", ascii(first), ascii(last), number),
		Phone:     phone(random.IntN(phones)),
		Mobile:    fmt.Sprintf("%s 4%08d", place.prefix, random.IntN(1e8)),
		Address: address{
			Line:       addressLine(random.IntN(addressLines)),
			PostalCode: fmt.Sprintf(place.postalCode, random.IntN(1000)),
			City:       place.city,
			Country:    place.country,
		},
		Services: services{Grid: true, Power: random.IntN(2) == 0},
	}
}

// ascii returns a name for use in an e-mail address.
func ascii(name string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// writeCustomers writes customers 1 to n, one per line. It calls progress every 10,000 lines.
func writeCustomers(w io.Writer, n int, progress func(written int)) error {
	out := bufio.NewWriterSize(w, 64<<10)
	lines := json.NewEncoder(out)
	for number := 1; number <= n; number++ {
		if err := lines.Encode(customerOf(number)); err != nil {
			return err
		}
		if number%10_000 == 0 {
			progress(number)
		}
	}
	return out.Flush()
}

var (
	genders     = []string{"male", "female", "nonBinary", "notDisclosed"}
	firstBegins = strings.Fields(`Anne Jan Kari Ola Mari Per Ing Bjørn Lis Sol Nin Lukas Em Noah Sof Thom Jür Kl Gret Hein Pet Pav
		Jiř Kat Lenk Zuz Mil Jos Fran Wim Luc El Sar Laur Nor Frid Ast Sig Har Tor Rag Sven Åse Øyv Hild Vig Ben Cec Dan Fil Gab`)
	firstEnds  = []string{"", "a", "e", "ine", "us", "ik"}
	nameBegins = strings.Fields(`Han Jan Pet Nil Lar Ol Ander Jo Møl Mül Sø Ras Chris Jør Kris Sven Gun Hal Berg Lind Strøm Dahl Vik
		Nes Haug Sol Sand Moen Bakk Ros Schmid Schnei Fisch Web Wagn Beck Schul Hoff Koch Bau Richt Klei Wol Schrö Neu Zim Brau Krü
		Lang Wern Köh Maes Jacob Mert Will Claes Goos Wout Dubo Lamb Dup Mart Sim Nov Svob Dvoř Čern Proch Kuč Vesel Hor Něm Zem Řez`)
	nameEnds = strings.Fields(`sen son s ssens mann er berg ová ský ek ák stad rud heim dal vik øy ås e t en ers ens ke meyer bach
		stein feld brand ot eau ier ac elle`)
	places = []struct{ country, locale, city, postalCode, prefix string }{
		{"NO", "nb-NO", "Oslo", "0%03d", "+47"},
		{"NO", "nb-NO", "Bergen", "5%03d", "+47"},
		{"BE", "nl-BE", "Gent", "9%03d", "+32"},
		{"BE", "fr-BE", "Liège", "4%03d", "+32"},
		{"DE", "de-DE", "Berlin", "10%03d", "+49"},
		{"CZ", "cs-CZ", "Praha", "1%03d0", "+420"},
	}
)
