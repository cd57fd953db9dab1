package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kartotek/internal/store/postgres"
	"kartotek/internal/store/sqlite"
	"kartotek/internal/store/transfer"
)

func newCopy() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "copy --from sqlite:PATH --to postgres://…",
		Short: "Copy all of a SQLite store into an empty PostgreSQL database",
		Long: `Copy brings everything from a SQLite store into a PostgreSQL database in which there is
nothing yet: the customers of all tenants with their history, idempotency records,
accounts, keys, and what cursors are signed with. Ids, numbers, versions and times stay as they are, and
so do the places in the feed: whoever follows it goes on where he is. In the end both
are read again and compared, row by row.

A copy that was interrupted goes on when it is run again. Until it is complete, no
server and no other command opens the database.

A server may go on writing to the SQLite store. Then the copy ends with status 1 and is
not complete: stop the server and run the copy again, which only brings over what has
been written since.`,
		Example: `  kartotek copy --from sqlite:/var/lib/kartotek/k.db --to postgres://kartotek@db.example.com/kartotek
  kartotek serve --store postgres://kartotek@db.example.com/kartotek`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, dsn, err := copyFlags(cmd)
			if err != nil {
				return err
			}
			return copyStore(cmd, path, dsn)
		},
	}
	cmd.Flags().String("from", "", "what is copied: sqlite:PATH (required)")
	cmd.Flags().String("to", "", "where it goes: postgres://… (required)")
	return cmd
}

// copyFlags are the path of --from and the address of --to.
func copyFlags(cmd *cobra.Command) (path, dsn string, err error) {
	from, err := cmd.Flags().GetString("from")
	if err != nil {
		return "", "", err
	}
	to, err := cmd.Flags().GetString("to")
	if err != nil {
		return "", "", err
	}
	path, isFile := strings.CutPrefix(from, "sqlite:")
	if scheme, _, _ := strings.Cut(to, ":"); path == "" || !isFile || !isPostgres(scheme) {
		return "", "", usagef("want --from sqlite:PATH and --to postgres://…: a copy goes that way only")
	}
	return path, to, nil
}

// copyStore copies the file into the database.
func copyStore(cmd *cobra.Command, path, dsn string) (err error) {
	from, err := sqlite.OpenSnapshot(cmd.Context(), path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := postgres.OpenCopy(cmd.Context(), dsn)
	if err != nil {
		return err
	}
	defer to.Close()

	out := cmd.ErrOrStderr()
	bar := newProgress(out, 0)
	counts, err := transfer.Run(cmd.Context(), from, to, bar.showStep)
	bar.clear()
	if err != nil {
		return err
	}
	list := make([]string, len(counts))
	for i, c := range counts {
		list[i] = fmt.Sprintf("%d %s", c.Rows, c.Table)
	}
	fmt.Fprintf(out, "copied and verified: %s\n", strings.Join(list, ", "))
	return nil
}
