package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// newRevoke returns the command that revokes an account or key; revoke is the store's method.
func newRevoke(use, short, example string, revoke func(store backend, ctx context.Context, tenant, id string, at time.Time) error) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Example: example, Args: cobra.ExactArgs(1)}
	return withTenantStore(cmd, func(cmd *cobra.Command, args []string, tenant string, store backend) error {
		return revoke(store, cmd.Context(), tenant, args[0], time.Now())
	})
}

// newList returns the command that lists accounts or keys as a table; list is the store's
// method. The first cell of a row is the position that the next page starts after.
func newList[T any](short, example string, list func(store backend, ctx context.Context, tenant, after string, limit int) ([]T, error), titles []string, row func(T) []string) *cobra.Command {
	const pageSize = 500
	cmd := &cobra.Command{Use: "list", Short: short, Example: example, Args: cobra.NoArgs}
	return withTenantStore(cmd, func(cmd *cobra.Command, _ []string, tenant string, store backend) error {
		table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, strings.Join(titles, "\t")) // Flush returns the errors
		for after, n := "", pageSize; n == pageSize; {
			page, err := list(store, cmd.Context(), tenant, after, pageSize)
			if err != nil {
				return errors.Join(err, table.Flush())
			}
			for _, item := range page {
				cells := row(item)
				fmt.Fprintln(table, strings.Join(cells, "\t"))
				after = cells[0]
			}
			n = len(page)
		}
		return table.Flush()
	})
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
