package cli

import (
	"context"
	"os/user"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/store/sqlite"
)

// openStore opens the store that --store names.
func openStore(ctx context.Context, cmd *cobra.Command, opts sqlite.Options) (*sqlite.Store, error) {
	url, err := cmd.Flags().GetString("store")
	if err != nil {
		return nil, err
	}
	scheme, path, _ := strings.Cut(url, ":")
	if scheme != "sqlite" || path == "" {
		return nil, usagef("--store: want sqlite:PATH")
	}
	bar := newProgress(cmd.ErrOrStderr(), 0)
	defer bar.clear()
	opts.OnIndex = bar.indexing
	return sqlite.Open(ctx, path, opts)
}

// withStore runs f, which does not search, on the store that --store names.
func withStore(cmd *cobra.Command, f func(*sqlite.Store) error) (err error) {
	store, err := openStore(cmd.Context(), cmd, sqlite.Options{LeaveIndex: true})
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
func inTenant(f func(cmd *cobra.Command, args []string, tenant string, store *sqlite.Store) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		tenant, err := tenantOf(cmd)
		if err != nil {
			return err
		}
		return withStore(cmd, func(store *sqlite.Store) error { return f(cmd, args, tenant, store) })
	}
}

// newService returns the use cases on store, with the real clock and ids.
func newService(store *sqlite.Store) *customer.Service {
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
		Customers: access.All(),
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
