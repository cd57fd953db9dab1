package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"kartotek/internal/access"
)

func newAccount() *cobra.Command {
	return newGroup("account", "Manage accounts: logins with a password", newAccountCreate(), newAccountList(), newAccountRevoke())
}

func newAccountCreate() *cobra.Command {
	var login string
	var numbers []int32
	var all bool
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Create an account",
		Long: `Create makes an account for its own customers, or for all of the tenant's. The
password is read from standard input: its first line, or what is typed at a prompt.
A login that was revoked may be given out again, with a new password.`,
		Example: `  kartotek account create --tenant t --login kari --customer 42 < password.txt
  kartotek account create --tenant t --login billing --all`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			tenant, err := tenantOf(cmd)
			if err != nil {
				return err
			}
			if all == (len(numbers) > 0) {
				return usagef("want either --customer or --all")
			}
			password, err := readPassword(cmd)
			if err != nil {
				return err
			}
			customers := access.OnlyCustomers(numbers...)
			if all {
				customers = access.AllCustomers()
			}
			account, err := access.NewAccount(tenant, login, password, customers, time.Now())
			if err != nil {
				return usagef("%s", reasons(err))
			}
			return withStore(cmd, func(store backend) error {
				if err := store.AddAccount(cmd.Context(), account); err != nil {
					return err
				}
				fmt.Fprintln(cmd.ErrOrStderr(), "account created")
				return nil
			})
		},
	}
	tenantFlag(cmd)
	cmd.Flags().StringVar(&login, "login", "", "the login, unique on the server")
	cmd.Flags().Int32SliceVar(&numbers, "customer", nil, "number of a customer that is the account's own (repeatable)")
	cmd.Flags().BoolVar(&all, "all", false, "all customers of the tenant")
	return cmd
}

// maxPassword is the longest line that is read as a password, in bytes; accounts
// take less.
const maxPassword = 4096

func readPassword(cmd *cobra.Command) (string, error) {
	if f, ok := cmd.InOrStdin().(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(cmd.ErrOrStderr(), "Password: ")
		password, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(cmd.ErrOrStderr())
		return string(password), err
	}
	line, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), maxPassword)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func newAccountList() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the tenant's accounts",
		Example: "  kartotek account list --tenant t",
		Args:    cobra.NoArgs,
		RunE: withTenant(func(cmd *cobra.Command, _ []string, tenant string, store backend) error {
			table := newTable(cmd, "LOGIN", "CUSTOMERS", "CREATED", "REVOKED")
			err := eachPage(func(after string) (last string, n int, err error) {
				accounts, err := store.Accounts(cmd.Context(), tenant, after, listPage)
				for _, a := range accounts {
					table.row(a.Login, customersText(a.Customers), timeText(a.CreatedAt), timeText(a.RevokedAt))
					last = a.Login
				}
				return last, len(accounts), err
			})
			return errors.Join(err, table.Flush())
		}),
	}
	tenantFlag(cmd)
	return cmd
}

func newAccountRevoke() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "revoke LOGIN",
		Short:   "Revoke an account: it stops working within 5 seconds",
		Example: "  kartotek account revoke --tenant t kari",
		Args:    cobra.ExactArgs(1),
		RunE: withTenant(func(cmd *cobra.Command, args []string, tenant string, store backend) error {
			return store.RevokeAccount(cmd.Context(), tenant, args[0], time.Now())
		}),
	}
	tenantFlag(cmd)
	return cmd
}

func customersText(c access.Customers) string {
	if c.All() {
		return "all"
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(c.Numbers()), " ", ","), "[]")
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// table is columns on standard output.
type table struct{ *tabwriter.Writer }

func newTable(cmd *cobra.Command, titles ...string) table {
	t := table{tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)}
	t.row(titles...)
	return t
}

// row adds a row; Flush tells of errors.
func (t table) row(cells ...string) { fmt.Fprintln(t, strings.Join(cells, "\t")) }
