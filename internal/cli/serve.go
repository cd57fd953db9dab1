package cli

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/spf13/cobra"

	"kartotek/internal/access"
	"kartotek/internal/contract"
	"kartotek/internal/contract/elw"
	"kartotek/internal/contract/lochting"
	"kartotek/internal/store/sqlite"
	"kartotek/internal/web"
)

// settings is what a server is started with.
type settings struct {
	listen       string
	confirmAfter time.Duration
	maxBody      int64
	tlsCert      string
	tlsKey       string
}

func (s *settings) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.listen, "listen", "127.0.0.1:8080", "address and port to listen on")
	f.DurationVar(&s.confirmAfter, "confirm-after", 8760*time.Hour, "contact details confirmed longer ago, or never, need confirmation")
	f.Int64Var(&s.maxBody, "max-body", 64<<10, "largest request body, in bytes")
	f.StringVar(&s.tlsCert, "tls-cert", "", "file with the certificate, in PEM; with --tls-key: serve HTTPS")
	f.StringVar(&s.tlsKey, "tls-key", "", "file with the certificate's key, in PEM")
}

func (s *settings) check() error {
	switch {
	case s.confirmAfter < 0:
		return usagef("--confirm-after: must not be negative")
	case s.maxBody < 1:
		return usagef("--max-body: must be 1 or more")
	case (s.tlsCert == "") != (s.tlsKey == ""):
		return usagef("--tls-cert and --tls-key go together")
	}
	return nil
}

func newServe() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve all contracts",
		Long: `Serve opens the store, brings its schema up to date, and serves every contract until
it is told to stop (SIGINT, SIGTERM). It then finishes the requests it has accepted.

Operators find /healthz, /readyz and /metrics beside the contracts.`,
		Example: "  kartotek serve --store sqlite:/var/lib/kartotek/k.db --listen 127.0.0.1:9001",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.check(); err != nil {
				return err
			}
			log, err := logger(cmd)
			if err != nil {
				return err
			}
			metrics := newMetrics()
			store, err := openStore(cmd.Context(), cmd, sqlite.Options{OnCommit: metrics.commit})
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
func (s *settings) serve(ctx context.Context, log *slog.Logger, m *metrics, store *sqlite.Store, ready func(baseURL string)) error {
	defer func() {
		if err := store.Close(); err != nil {
			log.Error("close store", "error", err)
		}
	}()
	m.watch(store)
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
	err = s.newServer(log, m, store).Run(ctx, ln)
	log.Info("stopped")
	return err
}

// newServer puts everything together. A contract is one line here.
func (s *settings) newServer(log *slog.Logger, m *metrics, store *sqlite.Store) *web.Server {
	customers := newService(store)
	gate := contract.Gate{Directory: access.NewDirectory(store, time.Now)}
	repeats := contract.NewRepeats(customers)
	return &web.Server{
		Mounts: []web.Mount{
			elw.New(elw.Settings{Customers: customers, Gate: gate, Repeats: repeats, Now: time.Now, ConfirmAfter: s.confirmAfter}).Mount(),
			lochting.New(lochting.Settings{Customers: customers, Gate: gate, Repeats: repeats}).Mount(),
		},
		Ready:   store.Ping,
		Metrics: m.web,
		Log:     log,
		MaxBody: s.maxBody,
		TLSCert: s.tlsCert,
		TLSKey:  s.tlsKey,
	}
}
