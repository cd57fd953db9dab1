package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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

// backend is a store on any engine.
type backend interface {
	customer.Store
	customer.IdempotencyStore
	access.Credentials
	access.Registry
	// Secret returns a secret that all servers on the store share.
	Secret(ctx context.Context, name string) ([]byte, error)
	// Ping returns an error unless the store is available.
	Ping(ctx context.Context) error
	// Queued returns the number of writes that wait in the queue.
	Queued() int
	// Corrupt reports whether a call has failed because the store is damaged.
	Corrupt() bool
	Close() error
}

// distributor is a backend that can distribute its tables over the nodes of Citus.
type distributor interface {
	Distribute(ctx context.Context) error
}

type options struct {
	onCommit    func(writes int, took time.Duration) // may be nil
	phoneRegion string                               // may be empty
	create      bool                                 // create a file that does not exist
}

// openStore opens the store that --store names.
func openStore(cmd *cobra.Command, opts options) (backend, error) {
	url, err := cmd.Flags().GetString("store")
	if err != nil {
		return nil, err
	}
	tuneGC()
	switch scheme, path, _ := strings.Cut(url, ":"); {
	case scheme == "sqlite" && path != "":
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && !opts.create {
			return nil, fmt.Errorf("there is no store %s: create it with kartotek migrate, serve or customer import", path)
		}
		return sqlite.Open(cmd.Context(), path, sqlite.Options{OnCommit: opts.onCommit, PhoneRegion: opts.phoneRegion})
	case isPostgres(scheme):
		return postgres.Open(cmd.Context(), url, postgres.Options{OnCommit: opts.onCommit, PhoneRegion: opts.phoneRegion})
	}
	return nil, usagef("--store: must be sqlite:PATH or postgres://…")
}

// lockServer makes this process the only server of a SQLite store. Servers share a PostgreSQL store.
func lockServer(cmd *cobra.Command) (unlock func() error, err error) {
	url, err := cmd.Flags().GetString("store")
	if err != nil {
		return nil, err
	}
	path, isFile := strings.CutPrefix(url, "sqlite:")
	if !isFile {
		return func() error { return nil }, nil
	}
	lock, err := sqlite.LockServer(path)
	return lock.Unlock, err
}

func isPostgres(scheme string) bool { return scheme == "postgres" || scheme == "postgresql" }

// gcPercent is the default of GOGC. The live heap is small, so a value above Go's 100 costs
// about 20 MB and saves CPU time in every request.
const gcPercent = 300

// tuneGC sets GOGC unless the environment does.
func tuneGC() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// withStore opens the store that --store names and calls f.
func withStore(cmd *cobra.Command, opts options, f func(backend) error) (err error) {
	store, err := openStore(cmd, opts)
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

// withTenant returns cmd with the required flag --tenant; it runs f.
func withTenant(cmd *cobra.Command, f func(cmd *cobra.Command, args []string, tenant string) error) *cobra.Command {
	tenant := cmd.Flags().String("tenant", "", "`name` of the tenant (required)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *tenant == "" {
			return usagef("--tenant is required")
		}
		if err := access.CheckTenant(*tenant); err != nil {
			return usagef("--%s", reasons(err))
		}
		return f(cmd, args, *tenant)
	}
	return cmd
}

// createTenantFlag adds the flag for requireTenant.
func createTenantFlag(cmd *cobra.Command) *bool {
	return cmd.Flags().Bool("create-tenant", false, "create the tenant if it does not exist")
}

// requireTenant returns an error when the tenant has no customers, accounts or keys, because its name
// may be a mistake, unless it is to be created.
func requireTenant(ctx context.Context, store backend, tenant string, create bool) error {
	if create {
		return nil
	}
	customers, err := store.List(ctx, tenant, customer.Filter{}, customer.Cursor{}, 1)
	if err != nil || len(customers) > 0 {
		return err
	}
	accounts, err := store.Accounts(ctx, tenant, "", 1)
	if err != nil || len(accounts) > 0 {
		return err
	}
	keys, err := store.Keys(ctx, tenant, "", 1)
	if err != nil || len(keys) > 0 {
		return err
	}
	return fmt.Errorf("there is no tenant %s: set --create-tenant to create it", tenant)
}

// withTenantStore is withTenant for a command that needs nothing but the store.
func withTenantStore(cmd *cobra.Command, f func(cmd *cobra.Command, args []string, tenant string, store backend) error) *cobra.Command {
	return withTenant(cmd, func(cmd *cobra.Command, args []string, tenant string) error {
		return withStore(cmd, options{}, func(store backend) error { return f(cmd, args, tenant, store) })
	})
}

// newService returns the use cases on store, with the real clock and ids.
func newService(store backend) *customer.Service {
	return customer.New(store, store, time.Now, newID)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// cliActor is the actor of commands. It has every permission, and the history records the
// operating system's user name.
func cliActor(tenant string) access.Actor {
	var name string
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return access.Actor{
		Tenant:    tenant,
		ID:        "operator",
		Name:      name,
		Customers: access.AllCustomers(),
		Scopes:    access.Scopes(),
		Contract:  "cli",
		RequestID: newID(),
	}
}
