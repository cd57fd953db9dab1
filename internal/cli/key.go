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
	return newGroup("key", "Manage API keys",
		newKeyCreate(),
		newList("List the tenant's API keys", "  kartotek key list --tenant t", backend.Keys,
			[]string{"ID", "NAME", "SCOPES", "OPTIONS", "CREATED", "REVOKED"},
			func(k access.Key) []string {
				return []string{k.ID, k.Name, scopesText(k.Scopes), optionsText(k.Options), timeText(k.CreatedAt), timeText(k.RevokedAt)}
			}),
		newRevoke("revoke ID", "Revoke an API key, within 5 seconds",
			"  kartotek key revoke --tenant t key_Ab3dE6gH", backend.RevokeKey))
}

func newKeyCreate() *cobra.Command {
	var name string
	var texts []string
	var keyOptions access.KeyOptions
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Create an API key",
		Long: `Create an API key and write it to standard output. The key is not stored and cannot be
shown again.`,
		Example: "  KEY=$(kartotek key create --tenant t --name shop --scope customers:read,customers:write)",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&name, "name", "", "display `name` of the key (required)")
	cmd.Flags().StringSliceVar(&texts, "scope", nil, "`scopes` of the key: "+scopesText(access.Scopes())+" (repeatable)")
	cmd.Flags().BoolVar(&keyOptions.RequireIfMatch, requireIfMatch, false, "reject changes without If-Match")
	cmd.Flags().BoolVar(&keyOptions.AllowStaleWrites, allowStaleWrites, false, "let a value that the client sends back unchanged overwrite a newer one")
	_ = cmd.RegisterFlagCompletionFunc("scope", // fails for an unknown flag only
		cobra.FixedCompletions(strings.Split(scopesText(access.Scopes()), ", "), cobra.ShellCompDirectiveNoFileComp))
	createTenant := createTenantFlag(cmd)
	return withTenant(cmd, func(cmd *cobra.Command, _ []string, tenant string) error {
		var scopes []access.Scope
		for _, text := range texts {
			scopes = append(scopes, access.Scope(strings.TrimSpace(text)))
		}
		key, text, err := access.NewKey(tenant, name, scopes, time.Now())
		if err != nil {
			return usagef("%s", reasons(err))
		}
		key.Options = keyOptions
		return withStore(cmd, options{}, func(store backend) error {
			if err := requireTenant(cmd.Context(), store, tenant, *createTenant); err != nil {
				return err
			}
			if err := store.AddKey(cmd.Context(), key); err != nil {
				return err
			}
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), text); err != nil {
				err = fmt.Errorf("print the key, which is now revoked: %w", err)
				return errors.Join(err, store.RevokeKey(cmd.Context(), tenant, key.ID, time.Now()))
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "key", key.ID, "created")
			return nil
		})
	})
}

// The flags of access.KeyOptions.
const (
	requireIfMatch   = "require-if-match"
	allowStaleWrites = "allow-stale-writes"
)

func optionsText(o access.KeyOptions) string {
	var texts []string
	if o.RequireIfMatch {
		texts = append(texts, requireIfMatch)
	}
	if o.AllowStaleWrites {
		texts = append(texts, allowStaleWrites)
	}
	return cmp.Or(strings.Join(texts, ", "), "-")
}

func scopesText(scopes []access.Scope) string {
	var texts []string
	for _, s := range scopes {
		texts = append(texts, string(s))
	}
	return strings.Join(texts, ", ")
}
