package cli

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kartotek/internal/access"
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
	s.portalDemo = portal.Demo{
		Credentials: portal.Credentials{Login: demoLogin, Password: demoPassword, Key: demoKey},
		Commands:    demoCommands,
	}
	return s.serve(ctx, log, metrics, store, func(baseURL string) { writeDemoText(out, baseURL) })
}

func fillDemo(ctx context.Context, store backend) error {
	imp := importer{customers: newService(store), actor: cliActor(demoTenant), report: func(int, string) {}, progress: func(int64) {}}
	if err := imp.run(ctx, strings.NewReader(demoData)); err != nil {
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
	scopes := []access.Scope{access.Read, access.Write, access.Admin}
	return store.AddKey(ctx, access.ParseKey(demoTenant, "demo", scopes, demoKey, time.Now()))
}

// demoData has the customers, in the format of "customer import".
//
//go:embed demo.ndjson
var demoData string

// demoCommands returns a PATCH of each contract, as a curl command.
func demoCommands(url string) []portal.Command {
	patch := "curl -i -X PATCH "
	body := " -H 'Content-Type: application/json' -d '"
	number := strconv.Itoa(demoNumber)
	return []portal.Command{
		{
			Title: "elw: a customer changes their own phone",
			Text:  patch + "-u " + demoLogin + ":" + demoPassword + body + `{"PhoneNumber":"22334455"}' ` + url + "/api/customers/" + number,
		},
		{
			Title: "lochting: a partner updates the same record",
			Text: patch + "-H 'Authorization: " + demoKey + "'" + body + `{"firstName":"Kari","lastName":"Nordmann","locale":"nl_BE",` +
				`"emailAddress":"kari@example.org","gender":"female","country":"BE"}' ` + url + "/public/v1/customer/customer-" + demoID,
		},
		{
			Title: "native: Kartotek's own API; null clears a field, an absent field stays unchanged",
			Text: patch + "-H 'Authorization: Bearer " + demoKey + "' -H 'Content-Type: application/merge-patch+json' " +
				`-d '{"mobile":null,"address":{"city":"Brugge","postalCode":"8000"}}' ` + url + "/v1/customers/" + number,
		},
	}
}

func writeDemoText(out io.Writer, url string) {
	fmt.Fprintf(out, "\nKartotek serves %d fictitious customers. Change one through each API contract:\n\n", demoCustomers)
	for _, command := range demoCommands(url) {
		fmt.Fprintf(out, "# %s\n%s\n\n", command.Title, command.Text)
	}
	fmt.Fprintf(out, "To send requests from a browser, and for the documentation, open %s/docs\n\n", url)
}
