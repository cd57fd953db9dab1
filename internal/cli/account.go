package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

func newAccount() *cobra.Command {
	return newGroup("account", "Manage accounts: logins with a password",
		newAccountCreate(),
		newList("List the tenant's accounts", "  kartotek account list --tenant t", backend.Accounts,
			[]string{"ID", "LOGIN", "CUSTOMERS", "CREATED", "REVOKED"},
			func(a access.Account) []string {
				return []string{a.ID, a.Login, customersText(a.Customers), timeText(a.CreatedAt), timeText(a.RevokedAt)}
			}),
		newRevoke("revoke LOGIN", "Revoke an account, within 5 seconds",
			"  kartotek account revoke --tenant t kari", revokeAccount))
}

// revokeAccount revokes the tenant's active account with this login.
func revokeAccount(store backend, ctx context.Context, tenant, login string, at time.Time) error {
	account, err := store.Account(ctx, login)
	if err != nil {
		return err
	}
	return store.RevokeAccount(ctx, tenant, account.ID, at)
}

func newAccountCreate() *cobra.Command {
	var login string
	var numbers []int32
	var all bool
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Create an account",
		Long: `Create an account for some of the tenant's customers, or for all of them. The password is
the first line of standard input, or is typed at a prompt. The login of a revoked account can
be given to another account.`,
		Example: `  kartotek account create --tenant t --login kari --customer 42 < password.txt
  kartotek account create --tenant t --login billing --all`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&login, "login", "", "`name` to log in with, unique on the server (required)")
	cmd.Flags().Int32SliceVar(&numbers, "customer", nil, "`number` of a customer that the account may access (repeatable)")
	cmd.Flags().Lookup("customer").DefValue = "" // otherwise help shows "default []"
	cmd.Flags().BoolVar(&all, "all", false, "allow access to all customers of the tenant")
	createTenant := createTenantFlag(cmd)
	return withTenant(cmd, func(cmd *cobra.Command, _ []string, tenant string) error {
		if all == (len(numbers) > 0) {
			return usagef("set either --customer or --all")
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
		return withStore(cmd, options{}, func(store backend) error {
			if err := requireTenant(cmd.Context(), store, tenant, *createTenant); err != nil {
				return err
			}
			if err := requireCustomers(cmd.Context(), store, tenant, numbers); err != nil {
				return err
			}
			if err := store.AddAccount(cmd.Context(), account); err != nil {
				return err
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "account", account.ID, "created")
			return nil
		})
	})
}

// requireCustomers returns an error when the tenant has no customer with one of the numbers.
func requireCustomers(ctx context.Context, store backend, tenant string, numbers []int32) error {
	for _, number := range numbers {
		_, err := store.Find(ctx, customer.ByNumber(tenant, number))
		if fault.Is(err, fault.NotFound) {
			return fmt.Errorf("--customer: tenant %s has no customer %d", tenant, number)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxPassword is the longest line to read, in bytes. It exceeds the longest valid password.
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

func customersText(c access.Customers) string {
	if c.All() {
		return "all"
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(c.Numbers()), " ", ","), "[]")
}
