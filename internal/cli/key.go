package cli

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kartotek/internal/access"
)

func newKey() *cobra.Command {
	return newGroup("key", "Manage API keys", newKeyCreate(), newKeyList(), newKeyRevoke())
}

func newKeyCreate() *cobra.Command {
	var name string
	var scopes []string
	var options access.KeyOptions
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Create an API key and write it to standard output",
		Long: `Create writes the new key, and nothing else, to standard output. The key is not stored
and cannot be shown again.`,
		Example: "  KEY=$(kartotek key create --tenant t --name shop --scope customers:read,customers:write)",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			tenant, err := tenantOf(cmd)
			if err != nil {
				return err
			}
			key, text, err := access.NewKey(tenant, name, toScopes(scopes), time.Now())
			if err != nil {
				return usagef("%s", reasons(err))
			}
			key.Options = options
			return withStore(cmd, func(store backend) error {
				if err := store.AddKey(cmd.Context(), key); err != nil {
					return err
				}
				fmt.Fprintln(cmd.ErrOrStderr(), "key", key.ID, "created")
				_, err := fmt.Fprintln(cmd.OutOrStdout(), text)
				return err
			})
		},
	}
	tenantFlag(cmd)
	cmd.Flags().StringVar(&name, "name", "", "name of the key, for display")
	cmd.Flags().StringSliceVar(&scopes, "scope", nil, "permissions: "+scopesText(access.Scopes())+" (repeatable)")
	cmd.Flags().BoolVar(&options.RequireIfMatch, requireIfMatch, false, "reject changes without If-Match")
	cmd.Flags().BoolVar(&options.AllowStaleWrites, allowStaleWrites, false, "let a value that the client sends back unchanged overwrite a newer one")
	_ = cmd.RegisterFlagCompletionFunc("scope", // fails for an unknown flag only
		cobra.FixedCompletions(strings.Split(scopesText(access.Scopes()), ", "), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// The flags of access.KeyOptions.
const (
	requireIfMatch   = "require-if-match"
	allowStaleWrites = "allow-stale-writes"
)

func optionsText(m access.KeyOptions) string {
	var texts []string
	if m.RequireIfMatch {
		texts = append(texts, requireIfMatch)
	}
	if m.AllowStaleWrites {
		texts = append(texts, allowStaleWrites)
	}
	return cmp.Or(strings.Join(texts, ", "), "-")
}

func toScopes(texts []string) []access.Scope {
	var scopes []access.Scope
	for _, text := range texts {
		scopes = append(scopes, access.Scope(strings.TrimSpace(text)))
	}
	return scopes
}

func scopesText(scopes []access.Scope) string {
	var texts []string
	for _, s := range scopes {
		texts = append(texts, string(s))
	}
	return strings.Join(texts, ", ")
}

func newKeyList() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the tenant's API keys",
		Example: "  kartotek key list --tenant t",
		Args:    cobra.NoArgs,
		RunE: withTenant(func(cmd *cobra.Command, _ []string, tenant string, store backend) error {
			table := newTable(cmd, "ID", "NAME", "SCOPES", "OPTIONS", "CREATED", "REVOKED")
			err := eachPage(func(after string) (last string, n int, err error) {
				keys, err := store.Keys(cmd.Context(), tenant, after, listPage)
				for _, k := range keys {
					table.row(k.ID, k.Name, scopesText(k.Scopes), optionsText(k.Options), timeText(k.CreatedAt), timeText(k.RevokedAt))
					last = k.ID
				}
				return last, len(keys), err
			})
			return errors.Join(err, table.Flush())
		}),
	}
	tenantFlag(cmd)
	return cmd
}

func newKeyRevoke() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "revoke ID",
		Short:   "Revoke an API key: it stops working within 5 seconds",
		Example: "  kartotek key revoke --tenant t Ab3dE6gH",
		Args:    cobra.ExactArgs(1),
		RunE: withTenant(func(cmd *cobra.Command, args []string, tenant string, store backend) error {
			return store.RevokeKey(cmd.Context(), tenant, args[0], time.Now())
		}),
	}
	tenantFlag(cmd)
	return cmd
}
