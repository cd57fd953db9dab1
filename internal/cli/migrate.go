package cli

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newMigrate() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the store's schema up to date",
		Long: `Migrate creates the store if there is none, brings its schema up to date, and makes
what searches read, if that is missing. Serve does so as well when it starts; this
command does nothing else.`,
		Example: "  kartotek migrate --store sqlite:/var/lib/kartotek/k.db",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := openStore(cmd, options{})
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "the schema is up to date")
			return store.Close()
		},
	}
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Write the version",
		Example: "  kartotek version",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "kartotek", version())
			return err
		},
	}
}

// version is the module's, or the commit's when the program was built from one.
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
