package cli

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newMigrate() *cobra.Command {
	citus := false
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Create or update the store's schema",
		Long: `Create the store if it does not exist, and update its schema. Serve does the same when it
starts.

With --citus, also distribute the tables over the nodes of Citus. Stop the servers first,
because existing rows move to their shards.`,
		Example: `  kartotek migrate --store sqlite:/var/lib/kartotek/k.db
  kartotek migrate --store postgres://kartotek@coordinator/kartotek --citus`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, options{create: true}, func(store backend) error {
				if citus {
					tables, ok := store.(distributor)
					if !ok {
						return usagef("--citus: only PostgreSQL stores can be distributed")
					}
					if err := tables.Distribute(cmd.Context()); err != nil {
						return err
					}
				}
				fmt.Fprintln(cmd.ErrOrStderr(), "the schema is up to date")
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&citus, "citus", false, "distribute the tables over the nodes of Citus")
	return cmd
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  kartotek version",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "kartotek", version())
			return err
		},
	}
}

// version returns the commit that the program was built from, or the module's version.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return info.Main.Version
}
