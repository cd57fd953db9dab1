package customer_test

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"kartotek/internal/customer"
)

func TestLogsHoldNothingPersonal(t *testing.T) {
	t.Parallel()
	c := born(t, full())
	p := customer.Patch{"firstName": c.FirstName, "email": c.Email, "nationalId": c.NationalID, "address.line": c.Address.Line}
	ch := customer.Change{After: c, Meta: kari}
	personal := []string{
		c.ID, c.FirstName, c.LastName, c.BirthDate, c.Gender, c.Locale, c.NationalID, c.OrganisationNumber,
		c.Email, c.Phone, c.Mobile, c.Address.Line, c.Address.CareOf, c.Address.Entrance, c.Address.Floor,
		c.Address.PostalCode, c.Address.City, c.Address.Region, "4242", "\"12\"", "\"BE\"", c.ConfirmedAt.Format(time.TimeOnly), "kari",
	}
	for name, value := range map[string]any{
		"a record":            c,
		"a record's address":  &c,
		"an address":          c.Address,
		"a change":            ch,
		"a change's address":  &ch,
		"a signature":         ch.Meta,
		"a field's change":    customer.FieldChange{Path: "email", Before: c.Email, After: c.Phone},
		"a result":            customer.UpsertResult{Change: ch},
		"a recorded change":   customer.ChangeRecord{CustomerID: c.ID, Meta: kari, Fields: ch.Diff()},
		"a receipt":           customer.IdempotencyRecord{Tenant: c.Tenant, Key: c.Email, Response: []byte(c.Phone)},
		"a patch":             p,
		"a patch's address":   &p,
		"a group of a record": slog.GroupValue(slog.Any("c", c)),
	} {
		for _, line := range logged(value) {
			for _, secret := range personal {
				if strings.Contains(line, secret) {
					t.Errorf("the log of %s tells %q: %s", name, secret, line)
				}
			}
		}
	}
}

// logged is value in both of slog's forms, the time left out.
func logged(value any) []string {
	var lines []string
	noTime := &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			return slog.Attr{}
		}
		return a
	}}
	for _, handler := range []func(io.Writer) slog.Handler{
		func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, noTime) },
		func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, noTime) },
	} {
		var out bytes.Buffer
		slog.New(handler(&out)).Info("m", "value", value)
		slog.New(handler(&out)).With("value", value).Info("m")
		lines = append(lines, out.String())
	}
	return lines
}
