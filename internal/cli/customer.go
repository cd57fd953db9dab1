package cli

import (
	"fmt"
	"strconv"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"kartotek/internal/contract/native"
	"kartotek/internal/customer"
)

func newCustomer() *cobra.Command {
	return newGroup("customer", "Import and read customers", newImport(), newGet())
}

func newGet() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "get ID|NUMBER",
		Short: "Print a customer as a line of JSON",
		Long: `Print the customer with this id or number to standard output, in the format of
"customer import".`,
		Example: "  kartotek customer get --tenant t 42",
		Args:    cobra.ExactArgs(1),
	}
	return withTenant(cmd, func(cmd *cobra.Command, args []string, tenant string) error {
		ref, err := parseRef(tenant, args[0])
		if err != nil {
			return err
		}
		return withStore(cmd, options{}, func(store backend) error {
			c, err := newService(store).Get(cmd.Context(), cliActor(tenant), ref)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", native.Format(c))
			return err
		})
	})
}

func parseRef(tenant, text string) (customer.Ref, error) {
	if number, err := strconv.ParseInt(text, 10, 32); err == nil {
		return customer.ByNumber(tenant, int32(number)), nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return customer.Ref{}, usagef("ID|NUMBER: must be the id (a UUID) or the number of a customer")
	}
	return customer.ByID(tenant, id.String()), nil
}
