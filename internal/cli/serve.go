package cli

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kartotek/internal/access"
	"kartotek/internal/contract"
	"kartotek/internal/contract/elw"
	"kartotek/internal/contract/lochting"
	"kartotek/internal/contract/native"
	"kartotek/internal/portal"
	"kartotek/internal/portal/help"
	"kartotek/internal/web"
)

// settings is what a server is started with.
type settings struct {
	listen       string
	confirmAfter time.Duration
	maxBody      int64
	rate         int
	rateBurst    int
	proxyTexts   []string
	proxies      []netip.Prefix // that proxyTexts name
	tlsCert      string
	tlsKey       string
	credentials  portal.Credentials // public ones, of a demo
}

func (s *settings) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.listen, "listen", "127.0.0.1:8080", "address and port to listen on")
	f.DurationVar(&s.confirmAfter, "confirm-after", 8760*time.Hour, "contact details confirmed longer ago, or never, need confirmation")
	f.Int64Var(&s.maxBody, "max-body", 64<<10, "largest request body, in bytes")
	f.IntVar(&s.rate, "rate", 1000, "requests a second that each account and each key may send; 0: as many as it likes")
	f.IntVar(&s.rateBurst, "rate-burst", 2000, "requests at once that each may send after a rest")
	f.StringSliceVar(&s.proxyTexts, "trusted-proxy", nil, "address or CIDR of a proxy whose X-Forwarded-For is trusted (repeatable)")
	f.StringVar(&s.tlsCert, "tls-cert", "", "file with the certificate, in PEM; with --tls-key: serve HTTPS")
	f.StringVar(&s.tlsKey, "tls-key", "", "file with the certificate's key, in PEM")
}

func (s *settings) check() error {
	switch {
	case s.confirmAfter < 0:
		return usagef("--confirm-after: must not be negative")
	case s.maxBody < 1:
		return usagef("--max-body: must be 1 or more")
	case s.rate < 0 || s.rate > maxRate:
		return usagef("--rate: must be 0 to %d", maxRate)
	case s.rateBurst < 1 || s.rateBurst > maxRate:
		return usagef("--rate-burst: must be 1 to %d", maxRate)
	case (s.tlsCert == "") != (s.tlsKey == ""):
		return usagef("--tls-cert and --tls-key go together")
	}
	return s.parseProxies()
}

// maxRate is the most that --rate and --rate-burst take: the time that such a
// burst lasts still is a duration.
const maxRate = 1_000_000_000

func (s *settings) parseProxies() error {
	for _, text := range s.proxyTexts {
		proxy, err := parseProxy(strings.TrimSpace(text))
		if err != nil {
			return usagef("--trusted-proxy: want an address or a CIDR, such as 10.0.0.0/8")
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
		Short: "Serve all contracts",
		Long: `Serve opens the store, brings its schema up to date, and serves every contract until
it is told to stop (SIGINT, SIGTERM). It then finishes the requests it has accepted.

Operators find /healthz, /readyz and /metrics beside the contracts. /readyz is red when the
store does not answer. A full disk, or one that fails, leaves it green: reads go on, and
changes are refused (507, 503) until the disk takes them again.

Each account and each key may send --rate requests a second, in bursts of --rate-burst.
After 10 failed logins to an account from one address, one more attempt is allowed every 6
seconds; after 100 to any accounts, one every second. Behind a proxy all callers share one
address, unless --trusted-proxy names the proxy: then the address is the rightmost in
X-Forwarded-For that is no trusted proxy's.`,
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
			metrics := newMetrics()
			store, err := openStore(cmd, options{onCommit: metrics.observeCommit})
			if err != nil {
				return err
			}
			return s.serve(cmd.Context(), log, metrics, store, func(string) {})
		},
	}
	s.flags(cmd)
	return cmd
}

// serve serves on store until ctx is done, and then closes store. It calls ready
// with the server's base URL once it listens.
func (s *settings) serve(ctx context.Context, log *slog.Logger, m *metrics, store backend, ready func(baseURL string)) error {
	tuneGC(store)
	defer func() {
		if err := store.Close(); err != nil {
			log.Error("close store", "error", err)
		}
	}()
	m.watchQueue(store)
	server, err := s.newServer(ctx, log, m, store)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", s.listen)
	if err != nil {
		return err
	}
	baseURL := "http://" + ln.Addr().String()
	if s.tlsCert != "" {
		baseURL = "https://" + ln.Addr().String()
	}
	ready(baseURL)
	log.Info("listening", "url", baseURL)
	err = server.Run(ctx, ln)
	log.Info("stopped")
	return err
}

// newServer puts everything together. A contract is one line here. ctx is done when
// the server is to stop.
func (s *settings) newServer(ctx context.Context, log *slog.Logger, m *metrics, store backend) (*web.Server, error) {
	cursorSecret, err := store.Secret(ctx, "cursor")
	if err != nil {
		return nil, err
	}
	customers := newService(store)
	gate := contract.Authenticator{Directory: access.NewDirectory(store, time.Now), Proxies: s.proxies}
	if s.rate > 0 {
		gate.Limits = access.NewRateLimits(s.rate, s.rateBurst, time.Now)
	}
	repeats := contract.NewIdempotencyMiddleware(customers)
	utility := elw.New(elw.Settings{Customers: customers, Authenticator: gate, Idempotency: repeats, Now: time.Now, ConfirmAfter: s.confirmAfter})
	contracts := []contract.Contract{
		utility,
		lochting.New(lochting.Settings{Customers: customers, Authenticator: gate, Idempotency: repeats}),
		native.New(native.Settings{Customers: customers, Authenticator: gate, Idempotency: repeats, Registry: store, CursorSecret: cursorSecret, Now: time.Now, ConfirmAfter: s.confirmAfter, Stopping: ctx.Done()}),
	}
	var mounts []web.Mount
	for _, c := range contracts {
		mounts = append(mounts, c.Mount())
	}
	mounts = append(mounts, help.Mount(utility), native.Problems())
	mounts = append(mounts, portal.Mounts(portal.Settings{Contracts: contracts, Demo: s.credentials})...)
	return &web.Server{
		Mounts:  mounts,
		Ready:   store.Ping,
		Metrics: m.web,
		Log:     log,
		MaxBody: s.maxBody,
		TLSCert: s.tlsCert,
		TLSKey:  s.tlsKey,
	}, nil
}
