package cli

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kartotek/internal/access"
	"kartotek/internal/contract"
	"kartotek/internal/contract/elw"
	"kartotek/internal/contract/lochting"
	"kartotek/internal/contract/native"
	"kartotek/internal/portal"
	"kartotek/internal/store/terms"
	"kartotek/internal/web"
)

type settings struct {
	listen       string
	confirmAfter time.Duration
	phoneRegion  string
	maxBody      int64
	rate         int
	rateBurst    int
	tenantRate   int
	maxConns     int
	corsOrigins  []string
	drain        time.Duration
	proxies      []netip.Prefix
	tlsCert      string
	tlsKey       string
	publicURL    string
	portalDemo   portal.Demo // empty unless this is the demo
}

func (s *settings) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.listen, "listen", "127.0.0.1:8080", "`address` and port to listen on")
	f.Var(newDurationFlag(&s.confirmAfter, 8760*time.Hour), "confirm-after", "ask for confirmation of contact details confirmed longer ago than this `duration`, or never")
	f.StringVar(&s.phoneRegion, "phone-region", "", "`country` (ISO 3166-1, such as NO) of phones without a country code, of customers without a country")
	f.Var(newSizeFlag(&s.maxBody, 64<<10), "max-body", "largest request body, in `bytes`")
	f.IntVar(&s.rate, "rate", 1000, "`requests` per second of each account and each key; 0 for no limit")
	f.IntVar(&s.rateBurst, "rate-burst", 2000, "`requests` in a burst of each account and each key")
	f.IntVar(&s.tenantRate, "tenant-rate", 0, "`requests` per second of all accounts and keys of a tenant together; 0 for twice --rate")
	f.IntVar(&s.maxConns, "max-connections", 0, "`connections` at a time; 0 for 64 less than the open files that the system allows")
	f.Func("trusted-proxy", "`address` or CIDR of a proxy whose X-Forwarded-For is trusted (repeatable)", s.addProxies)
	f.StringSliceVar(&s.corsOrigins, "cors-origin", nil, "`origin`, such as https://app.example.com, whose pages may send requests (repeatable)")
	f.StringVar(&s.publicURL, "public-url", "", "`URL` of the server for clients, such as https://api.example.com, in its documentation; by default, as in the request")
	f.StringVar(&s.tlsCert, "tls-cert", "", "`file` with the TLS certificate, in PEM; with --tls-key, serve HTTPS")
	f.StringVar(&s.tlsKey, "tls-key", "", "`file` with the private key of the certificate, in PEM")
}

func (s *settings) check() error {
	switch {
	case s.confirmAfter < 0:
		return usagef("--confirm-after: must not be negative")
	case s.phoneRegion != "" && !terms.IsRegion(s.phoneRegion):
		return usagef("--phone-region: must be a country of ISO 3166-1 in capital letters, such as NO")
	case s.maxBody < 1:
		return usagef("--max-body: must be 1 or more")
	case s.rate < 0 || s.rate > maxRate:
		return usagef("--rate: must be 0 to %d", maxRate)
	case s.rateBurst < 1 || s.rateBurst > maxRate:
		return usagef("--rate-burst: must be 1 to %d", maxRate)
	case s.tenantRate < 0 || s.tenantRate > maxRate:
		return usagef("--tenant-rate: must be 0 to %d", maxRate)
	case s.checkOrigins() != nil:
		return usagef("--cors-origin: %v", s.checkOrigins())
	case s.publicURL != "" && !portal.IsServerURL(s.publicURL):
		return usagef("--public-url: must be a scheme and a host, such as https://api.example.com")
	case s.maxConns < 0:
		return usagef("--max-connections: must be 0 or more")
	case s.drain < 0:
		return usagef("--drain: must not be negative")
	case (s.tlsCert == "") != (s.tlsKey == ""):
		return usagef("--tls-cert and --tls-key: set both or neither")
	}
	return nil
}

func (s *settings) checkOrigins() error {
	for _, origin := range s.corsOrigins {
		if err := web.CheckOrigin(origin); err != nil {
			return err
		}
	}
	return nil
}

// maxRate bounds --rate and --rate-burst so that the time to refill a burst fits into a
// time.Duration.
const maxRate = 1_000_000_000

// addProxies adds the proxies of one --trusted-proxy, separated by commas.
func (s *settings) addProxies(list string) error {
	for text := range strings.SplitSeq(list, ",") {
		proxy, err := parseProxy(strings.TrimSpace(text))
		if err != nil {
			return errors.New("must be an address or a CIDR such as 10.0.0.0/8")
		}
		s.proxies = append(s.proxies, proxy)
	}
	return nil
}

func parseProxy(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		address = address.Unmap()
		return address.Prefix(address.BitLen())
	}
	return netip.ParsePrefix(text)
}

func newServe() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve all API contracts",
		Long: `Open the store, update its schema, and serve every API contract. On SIGINT, finish the
accepted requests and stop. On SIGTERM, first return 503 to /readyz for the time of --drain, so
that a load balancer sends requests elsewhere; a second signal ends that time.

A SQLite store has one server at a time; other commands work beside it. A TLS certificate is read
again when its file changes; SIGHUP has no effect.

/healthz, /readyz and /metrics are for operators. /readyz returns 503 when the store is not
available. It returns 200 while the disk is full or failing: reads continue, and changes are
rejected with 507 or 503 until the disk recovers.

Each account and each key may send --rate requests per second, in bursts of up to --rate-burst;
all of a tenant together --tenant-rate.
Failed logins are throttled: after 10 to one account from one address, one more attempt is
allowed every 6 seconds; after 100 from one address, one every second; after 50 to one account
from addresses that have never logged in to it, one every 2 seconds. Behind a proxy, all clients
share the proxy's address unless you set --trusted-proxy: then the client's address is
the rightmost address in X-Forwarded-For that is not a trusted proxy.`,
		Example: "  kartotek serve --store sqlite:/var/lib/kartotek/k.db --listen 127.0.0.1:9001",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.check(); err != nil {
				return err
			}
			log, flush, err := logger(cmd)
			if err != nil {
				return err
			}
			defer flush()
			signal.Ignore(syscall.SIGHUP) // a certificate is read again when its file changes
			metrics := newMetrics()
			store, err := openStore(cmd, options{onCommit: metrics.observeCommit, phoneRegion: s.phoneRegion, create: true})
			if err != nil {
				return err
			}
			unlock, err := lockServer(cmd)
			if err != nil {
				return errors.Join(err, store.Close())
			}
			return errors.Join(s.serve(cmd.Context(), log, metrics, store, func(string) {}), unlock())
		},
	}
	s.flags(cmd)
	cmd.Flags().Var(newDurationFlag(&s.drain, 5*time.Second), "drain", "serve for this `duration` after SIGTERM, with /readyz at 503")
	return cmd
}

// serve serves until ctx is done, and then closes store. It calls ready with the base URL
// once the server listens.
func (s *settings) serve(ctx context.Context, log *slog.Logger, m *metrics, store backend, ready func(baseURL string)) error {
	defer func() {
		if err := store.Close(); err != nil {
			log.Error("close store", "error", err)
		}
	}()
	m.watch(store)
	drained := s.afterDrain(ctx)
	server, err := s.newServer(drained, log, m, store)
	if err != nil {
		return err
	}
	server.Draining = ctx.Done()
	server.MaxConnections = cmp.Or(s.maxConns, max(0, maxOpenFiles()-64))
	ln, err := net.Listen("tcp", s.listen)
	if err != nil {
		return err
	}
	baseURL := "http://" + ln.Addr().String()
	if s.tlsCert != "" {
		baseURL = "https://" + ln.Addr().String()
	}
	ready(baseURL)
	log.Info("listening", "url", baseURL, "version", version())
	err = server.Run(drained, ln)
	log.Info("stopped")
	return err
}

// afterDrain returns a context that ends after ctx: when SIGTERM has ended ctx, as an orchestrator
// does, by the time that it needs to send requests elsewhere. A second signal ends it at once.
func (s *settings) afterDrain(ctx context.Context) context.Context {
	drained, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		defer cancel()
		if !strings.HasPrefix(context.Cause(ctx).Error(), syscall.SIGTERM.String()) {
			return
		}
		again := make(chan os.Signal, 1)
		signal.Notify(again, syscall.SIGINT, syscall.SIGTERM)
		defer signal.Stop(again)
		select {
		case <-time.After(s.drain):
		case <-again:
		}
	})
	return drained
}

// newServer assembles the server. To add a contract, add a line. ctx ends when the server is
// to stop.
func (s *settings) newServer(ctx context.Context, log *slog.Logger, m *metrics, store backend) (*web.Server, error) {
	cursorSecret, err := store.Secret(ctx, "cursor")
	if err != nil {
		return nil, err
	}
	customers := newService(store)
	authenticator := contract.Authenticator{Directory: access.NewDirectory(store, time.Now), Proxies: s.proxies, Log: log}
	if s.rate > 0 {
		authenticator.Limits = access.NewRateLimits(s.rate, s.rateBurst, cmp.Or(s.tenantRate, 2*s.rate), time.Now)
	}
	idempotency := contract.NewIdempotencyMiddleware(customers)
	elwContract := elw.New(elw.Settings{Customers: customers, Authenticator: authenticator, Idempotency: idempotency, Now: time.Now, ConfirmAfter: s.confirmAfter})
	contracts := []contract.Contract{
		elwContract,
		lochting.New(lochting.Settings{Customers: customers, Authenticator: authenticator, Idempotency: idempotency}),
		native.New(native.Settings{Customers: customers, Authenticator: authenticator, Idempotency: idempotency, Registry: store, CursorSecret: cursorSecret, Now: time.Now, ConfirmAfter: s.confirmAfter, Stopping: ctx.Done()}),
	}
	var mounts []web.Mount
	for _, c := range contracts {
		mounts = append(mounts, c.Mount())
	}
	mounts = append(mounts, native.Problems())
	mounts = append(mounts, portal.Mounts(portal.Settings{Contracts: contracts, Help: elwContract, URL: s.publicURL, Demo: s.portalDemo})...)
	return &web.Server{
		Mounts:      mounts,
		Ready:       store.Ping,
		Metrics:     m.web,
		Log:         log,
		MaxBody:     s.maxBody,
		CORSOrigins: s.corsOrigins,
		TLSCert:     s.tlsCert,
		TLSKey:      s.tlsKey,
	}, nil
}
