package cli

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"golang.org/x/text/unicode/norm"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/portal"
	"kartotek/internal/store/sqlite"
)

// The demo's credentials are public. The demo serves only fictitious records on the loopback
// interface.
const (
	demoTenant    = "demo"
	demoCustomers = 1000
	demoID        = "c7d932c1-84e8-410c-a9b2-18bf739d6b8b"
	demoNumber    = 42
	demoLogin     = "kari"
	demoService   = "service"
	demoPassword  = "demo-password"
	demoKey       = "kart_demo0000_thisKeyIsPublicAndOnlyForTheDemoOfKartotek02fBIhC"
)

func newDemo() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve fictitious customers, to try Kartotek",
		Long: `Serve ` + strconv.Itoa(demoCustomers) + ` fictitious customers with two accounts and an API key, from a temporary store.
The command prints one curl command per API contract. The documentation, at /docs, can send
requests with the demo's credentials.

The credentials are public, so the demo listens on the loopback interface only.`,
		Example: "  kartotek demo --listen 127.0.0.1:9001",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.check(); err != nil {
				return err
			}
			if !loopback(s.listen) {
				return usagef("--listen: must be a loopback address, such as 127.0.0.1:8080, because the demo's credentials are public")
			}
			if cmd.Flags().Changed("store") {
				return usagef("--store: not supported, because the demo uses a temporary store")
			}
			log, flush, err := logger(cmd)
			if err != nil {
				return err
			}
			defer flush()
			return s.demo(cmd.Context(), log, cmd.OutOrStdout())
		},
	}
	s.flags(cmd)
	return cmd
}

func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s *settings) demo(ctx context.Context, log *slog.Logger, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "kartotek-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	metrics := newMetrics()
	store, err := sqlite.Open(ctx, filepath.Join(dir, "demo.db"), sqlite.Options{OnCommit: metrics.observeCommit, PhoneRegion: s.phoneRegion})
	if err != nil {
		return err
	}
	if err := fillDemo(ctx, store); err != nil {
		return errors.Join(err, store.Close())
	}
	s.credentials = portal.Credentials{Login: demoLogin, Password: demoPassword, Key: demoKey}
	return s.serve(ctx, log, metrics, store, func(baseURL string) { writeDemoGuide(out, baseURL) })
}

func fillDemo(ctx context.Context, store backend) error {
	results, err := newService(store).Upsert(ctx, cliActor(demoTenant), demoEntries())
	for _, r := range results {
		err = errors.Join(err, r.Err)
	}
	if err != nil {
		return err
	}
	for login, customers := range map[string]access.Customers{demoLogin: access.OnlyCustomers(demoNumber), demoService: access.AllCustomers()} {
		account, err := access.NewAccount(demoTenant, login, demoPassword, customers, time.Now())
		if err != nil {
			return err
		}
		if err := store.AddAccount(ctx, account); err != nil {
			return err
		}
	}
	scopes := []access.Scope{access.Read, access.Write}
	return store.AddKey(ctx, access.ParseKey(demoTenant, "demo", scopes, demoKey, time.Now()))
}

// demoGuide has commands to try.
//
//go:embed demo.txt
var demoGuide string

func writeDemoGuide(out io.Writer, baseURL string) {
	values := strings.NewReplacer("{url}", baseURL, "{customers}", strconv.Itoa(demoCustomers),
		"{login}", demoLogin, "{password}", demoPassword, "{key}", demoKey, "{id}", demoID, "{number}", strconv.Itoa(demoNumber))
	_, _ = values.WriteString(out, demoGuide)
}

// demoEntries returns the same fictitious customers each time. demoNumber has the id of the
// published example.
func demoEntries() []customer.Upsert {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(list []string) string { return list[random.IntN(len(list))] }
	var entries []customer.Upsert
	for number := int32(1); number <= demoCustomers; number++ {
		first, last := pick(demoFirstNames), pick(demoLastNames)
		place := demoPlaces[random.IntN(len(demoPlaces))]
		login := ascii(first) + "." + ascii(last)
		p := customer.Patch{
			"firstName":          first,
			"lastName":           last,
			"birthDate":          fmt.Sprintf("%d-%02d-%02d", 1940+random.IntN(65), 1+random.IntN(12), 1+random.IntN(28)),
			"gender":             pick(customer.Genders()),
			"locale":             place.locale,
			"email":              fmt.Sprintf("%s%d@example.com", login, number),
			"phone":              fmt.Sprintf("%s %08d", place.prefix, random.IntN(1e8)),
			"mobile":             fmt.Sprintf("%s 4%08d", place.prefix, random.IntN(1e8)),
			"address.line":       fmt.Sprintf("%s %d", place.street, 1+random.IntN(200)),
			"address.postalCode": place.postalCode,
			"address.city":       place.city,
			"address.country":    place.country,
			"address.editable":   true,
			"services.grid":      true,
			"services.power":     random.IntN(2) == 0,
		}
		id := uuid.NewSHA1(uuid.NameSpaceURL, []byte("kartotek:demo:"+strconv.Itoa(int(number)))).String()
		if number == demoNumber {
			id = demoID
		}
		entries = append(entries, customer.Upsert{ID: id, Number: number, Edit: p.Apply})
	}
	return entries
}

// ascii returns a name for use in an e-mail address.
func ascii(name string) string {
	plain := strings.NewReplacer("ø", "o", "ß", "ss").Replace(strings.ToLower(name))
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) {
			return -1
		}
		return r
	}, norm.NFD.String(plain))
}

var (
	demoFirstNames = []string{"Kari", "Ola", "Åse", "Jürgen", "Marie", "Jan", "Jiří", "Zoë", "João", "Inés", "Lukas", "Emma", "Noah", "Élodie", "Tomáš"}
	demoLastNames  = []string{"Nordmann", "Peeters", "Janssens", "Müller", "Dvořák", "García", "Ferreira", "Strøm", "Groß", "Lefèvre", "O'Brien", "Van den Berg", "Šimek"}
	demoPlaces     = []struct{ city, postalCode, country, locale, street, prefix string }{
		{"Gent", "9000", "BE", "nl-BE", "Dendermondsesteenweg", "+32"},
		{"Liège", "4000", "BE", "fr-BE", "Rue de la Paix", "+32"},
		{"Berlin", "10115", "DE", "de-DE", "Invalidenstraße", "+49"},
		{"Praha", "110 00", "CZ", "cs-CZ", "Národní", "+420"},
		{"Lisboa", "1100-148", "PT", "pt-PT", "Rua Augusta", "+351"},
		{"Oslo", "0155", "NO", "nb-NO", "Storgata", "+47"},
	}
)
