// Package cli is the commands: flags and environment in, everything wired here.
// It is the only package that knows all the others.
//
// Read serve.go for how the server is put together; each other file is the
// command of its name.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kartotek/internal/fault"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// Main runs one command and returns its exit status. SIGINT and SIGTERM end it
// in good order.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	root, running := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(stderr, "kartotek: %v\n", userError(err))
	if _, wrong := errors.AsType[usageError](err); wrong || !*running {
		return exitUsage
	}
	return exitFailed
}

// userError is an error in the words of its fault, when it is one.
func userError(err error) error {
	if f, ok := err.(*fault.Fault); ok {
		return errors.New(reasons(f))
	}
	return err
}

// usageError is a command used wrongly, found out when it runs already.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// newRoot returns all commands. What fails before running is set was the caller's
// way to use them.
func newRoot() (root *cobra.Command, running *bool) {
	running = new(bool)
	root = &cobra.Command{
		Use:   "kartotek",
		Short: "One record of each customer, through every API contract",
		Long: `Kartotek keeps one record of each customer and serves it, and lets it be changed,
through every API contract that its consumers already speak.

Every flag can be given in the environment as well: --store is KARTOTEK_STORE.
A flag on the command line wins.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := fromEnvironment(cmd); err != nil {
				return err
			}
			*running = true
			return nil
		},
	}
	root.PersistentFlags().String("store", "sqlite:kartotek.db", "where customers are kept: sqlite:PATH or postgres://…")
	root.PersistentFlags().String("log-level", "info", "how much to log: debug, info, warn or error")
	_ = root.RegisterFlagCompletionFunc("log-level", // fails for an unknown flag only
		cobra.FixedCompletions([]string{"debug", "info", "warn", "error"}, cobra.ShellCompDirectiveNoFileComp))
	root.AddCommand(newServe(), newDemo(), newMigrate(), newCopy(), newCustomer(), newAccount(), newKey(), newVersion())
	return root, running
}

// newGroup returns a command that is only there for its subcommands: alone it
// shows them, and another word is a command used wrongly.
func newGroup(use, short string, subcommands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(subcommands...)
	return cmd
}

// fromEnvironment gives each flag that was not on the command line the value of
// its variable.
func fromEnvironment(cmd *cobra.Command) error {
	var wrong []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := "KARTOTEK_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, set := os.LookupEnv(name)
		if f.Changed || !set || f.Name == "help" {
			return
		}
		if err := cmd.Flags().Set(f.Name, value); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", name, err))
		}
	})
	return errors.Join(wrong...)
}
