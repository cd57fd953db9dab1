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
	var from, to string
	cmd := &cobra.Command{
		Use:   "copy --from sqlite:PATH --to postgres://…",
		Short: "Copy a SQLite store into an empty PostgreSQL database",
		Long: `Copy everything from a SQLite store into an empty PostgreSQL database: the customers of all
tenants with their history, idempotency records, accounts, keys and the secret that signs
cursors. Ids, numbers, versions, times and positions in the feed stay the same. At the end,
the command reads both stores again and compares them row by row.

Run the command again to continue an interrupted copy. Until the copy is complete, no server
and no other command can open the database.

Stop the server of the SQLite store first: the command fails while one is running. If another
command writes to the store during the copy, the copy ends with status 1 and is not complete:
run it again, which copies the rest.`,
		Example: `  kartotek copy --from sqlite:/var/lib/kartotek/k.db --to postgres://kartotek@db.example.com/kartotek
  kartotek serve --store postgres://kartotek@db.example.com/kartotek`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, isFile := strings.CutPrefix(from, "sqlite:")
			if scheme, _, _ := strings.Cut(to, ":"); path == "" || !isFile || !isPostgres(scheme) {
				return usagef("--from must be sqlite:PATH and --to must be postgres://…; other copies are not supported")
			}
			return copyStore(cmd, path, to)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "`URL` of the source: sqlite:PATH (required)")
	cmd.Flags().StringVar(&to, "to", "", "`URL` of the destination: postgres://… (required)")
	return cmd
}

func copyStore(cmd *cobra.Command, path, dsn string) (err error) {
	from, err := sqlite.OpenSnapshot(cmd.Context(), path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	lock, err := sqlite.LockServer(path)
	if err != nil {
		return fmt.Errorf("%w: stop it first", err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
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
