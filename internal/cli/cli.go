// Package cli implements the commands. It reads flags and the environment, and is the only
// package that may import all others.
//
// Read serve.go for how the server is assembled and store.go for what a store must do.
// Most other files are named after their command.
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

// Main runs one command and returns its exit status. SIGINT and SIGTERM stop the command
// gracefully.
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
	if _, misused := errors.AsType[usageError](err); misused || !*running {
		return exitUsage
	}
	return exitFailed
}

// userError shortens a fault to its reasons.
func userError(err error) error {
	if f, ok := err.(*fault.Fault); ok {
		return errors.New(reasons(f))
	}
	return err
}

// usageError is a wrong argument that cobra does not detect.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// newRoot returns the root command. An error before running is set is a usage error.
func newRoot() (root *cobra.Command, running *bool) {
	running = new(bool)
	root = &cobra.Command{
		Use:   "kartotek",
		Short: "Serve one record per customer through several API contracts",
		Long: `Kartotek is a customer-record server. It keeps one record per customer and serves it
through several HTTP API contracts.

Every flag can also be set by an environment variable: --store by KARTOTEK_STORE. A flag on
the command line takes precedence. An empty variable is ignored.`,
		Args:                       rejectUnknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceUsage:               true,
		SilenceErrors:              true,
		SuggestionsMinimumDistance: 2,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			for _, name := range unknownSettings(cmd.Root()) {
				fmt.Fprintf(cmd.ErrOrStderr(), "kartotek: warning: no command has the setting %s\n", name)
			}
			if err := fromEnvironment(cmd); err != nil {
				return err
			}
			*running = true
			return nil
		},
	}
	root.PersistentFlags().String("store", "sqlite:kartotek.db", "`URL` of the store: sqlite:PATH or postgres://…")
	root.PersistentFlags().String("log-level", "info", "lowest `level` to log: debug, info, warn or error")
	_ = root.RegisterFlagCompletionFunc("log-level", // fails for an unknown flag only
		cobra.FixedCompletions([]string{"debug", "info", "warn", "error"}, cobra.ShellCompDirectiveNoFileComp))
	root.PersistentFlags().String("log-format", "", "`format` of the log: text or json; by default text on a terminal, else json")
	root.Version = version()
	root.SetVersionTemplate("kartotek {{.Version}}\n")
	root.AddCommand(newServe(), newDemo(), newMigrate(), newCopy(), newCustomer(), newAccount(), newKey(), newVersion())
	return root, running
}

// newGroup returns a command with subcommands. It shows its help when run without one.
func newGroup(use, short string, subcommands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  rejectUnknownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		// Flags of a mistyped subcommand are not the mistake to report.
		FParseErrWhitelist:         cobra.FParseErrWhitelist{UnknownFlags: true},
		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(subcommands...)
	return cmd
}

// rejectUnknownCommand is the argument check of a command with subcommands.
func rejectUnknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		hint = "; did you mean " + strings.Join(similar, " or ") + "?"
	}
	return fmt.Errorf("unknown command %q for %q%s", args[0], cmd.CommandPath(), hint)
}

// fromEnvironment sets each flag that is not on the command line from its environment
// variable.
func fromEnvironment(cmd *cobra.Command) error {
	var errs []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := settingName(f)
		value := os.Getenv(name) // empty means unset, as Docker Compose makes it
		if f.Changed || value == "" || f.Name == "help" || f.Name == "version" {
			return
		}
		if err := cmd.Flags().Set(f.Name, value); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	})
	return errors.Join(errs...)
}

// settingName is the environment variable of a flag.
func settingName(f *pflag.Flag) string {
	return "KARTOTEK_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
}

// unknownSettings returns the environment variables that look like settings, but belong to no flag.
// Tests have variables of their own.
func unknownSettings(root *cobra.Command) (unknown []string) {
	known := map[string]bool{}
	add := func(f *pflag.Flag) { known[settingName(f)] = true }
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(add)
		cmd.PersistentFlags().VisitAll(add)
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(root)
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "KARTOTEK_") && !strings.HasPrefix(name, "KARTOTEK_TEST_") && value != "" && !known[name] {
			unknown = append(unknown, name)
		}
	}
	return unknown
}

// reasons joins the texts of an error's fields. Unknown fields have a JSON Pointer as path.
func reasons(err error) string {
	f := fault.From(err)
	if len(f.Fields) == 0 {
		return f.Text
	}
	var out []string
	for _, field := range f.Fields {
		path := strings.ReplaceAll(strings.TrimPrefix(field.Path, "/"), "/", ".")
		out = append(out, strings.TrimPrefix(path+": "+field.Text, ": "))
	}
	return strings.Join(out, "; ")
}
