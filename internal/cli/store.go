package cli

import (
	"context"
	"os"
	"os/user"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/store/postgres"
	"kartotek/internal/store/sqlite"
)

// anyStore is what the commands need of a store, on whatever engine.
type anyStore interface {
	customer.Store
	customer.IdempotencyStore
	access.Credentials
	access.Registry
	// Secret is one of those that all servers on the store share.
	Secret(ctx context.Context, name string) ([]byte, error)
	// Ping returns an error unless the store answers.
	Ping(ctx context.Context) error
	// Queued is the number of calls that wait for their turn.
	Queued() int
	Close() error
}

// options are what openStore is told.
type options struct {
	onCommit   func(writes int, took time.Duration) // may be nil
	leaveIndex bool                                 // for a command that does not search
}

// openStore opens the store that --store names.
func openStore(cmd *cobra.Command, opts options) (anyStore, error) {
	url, err := cmd.Flags().GetString("store")
	if err != nil {
		return nil, err
	}
	switch scheme, path, _ := strings.Cut(url, ":"); {
	case scheme == "sqlite" && path != "":
		bar := newProgress(cmd.ErrOrStderr(), 0)
		defer bar.clear()
		return sqlite.Open(cmd.Context(), path, sqlite.Options{OnCommit: opts.onCommit, LeaveIndex: opts.leaveIndex, OnIndex: bar.indexing})
	case isPostgres(scheme):
		return postgres.Open(cmd.Context(), url, postgres.Options{OnCommit: opts.onCommit})
	}
	return nil, usagef("--store: want sqlite:PATH or postgres://…")
}

func isPostgres(scheme string) bool { return scheme == "postgres" || scheme == "postgresql" }

// garbageApart is how much garbage may gather, in percent of what is in use, before
// it is collected in a server whose records another process keeps. It takes some 30 MB
// more than Go's own 100, and a change takes less of the processor. Where the records
// are in this process it stays as it is: more gives next to nothing, and with less a
// read takes longer.
const garbageApart = 300

// collectGarbage says when, unless the environment does.
func collectGarbage(store anyStore) {
	if _, apart := store.(*postgres.Store); apart && os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbageApart)
	}
}

// withStore runs f, which does not search, on the store that --store names.
func withStore(cmd *cobra.Command, f func(anyStore) error) (err error) {
	store, err := openStore(cmd, options{leaveIndex: true})
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := store.Close(); err == nil {
			err = closeErr
		}
	}()
	return f(store)
}

// inTenant is the RunE of a command on what one tenant has in the store.
func inTenant(f func(cmd *cobra.Command, args []string, tenant string, store anyStore) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		tenant, err := tenantOf(cmd)
		if err != nil {
			return err
		}
		return withStore(cmd, func(store anyStore) error { return f(cmd, args, tenant, store) })
	}
}

// newService returns the use cases on store, with the real clock and ids.
func newService(store anyStore) *customer.Service {
	return customer.New(store, store, time.Now, newID)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// operator is whoever runs the command: the owner of the process may do all, and
// the history names him.
func operator(tenant string) access.Actor {
	name := "operator"
	if u, err := user.Current(); err == nil {
		name += ":" + u.Username
	}
	return access.Actor{
		Tenant:    tenant,
		Name:      name,
		Customers: access.AllCustomers(),
		Scopes:    access.Scopes(),
		Contract:  "cli",
		RequestID: newID(),
	}
}

// tenantFlag adds --tenant, which the command cannot do without.
func tenantFlag(cmd *cobra.Command) {
	cmd.Flags().String("tenant", "", "whose records (required)")
}

func tenantOf(cmd *cobra.Command) (string, error) {
	tenant, err := cmd.Flags().GetString("tenant")
	if err != nil {
		return "", err
	}
	if tenant == "" {
		return "", usagef("--tenant is required")
	}
	if err := access.CheckTenant(tenant); err != nil {
		return "", usagef("--%s", reasons(err))
	}
	return tenant, nil
}

// listPage is how many rows a command reads at once.
const listPage = 500

// eachPage calls page with where the one before ended, until one is not full.
func eachPage(page func(after string) (last string, n int, err error)) error {
	for after, n := "", listPage; n == listPage; {
		var err error
		if after, n, err = page(after); err != nil {
			return err
		}
	}
	return nil
}
