package access_test

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/fault"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// home is where callers of these tests come from.
var home = netip.MustParseAddr("192.0.2.1")

// broken is the rules that err names, "path:rule", in order.
func broken(err error) string {
	if err == nil {
		return ""
	}
	var rules []string
	for _, f := range fault.From(err).Fields {
		rules = append(rules, f.Path+":"+f.Rule)
	}
	return strings.Join(rules, " ")
}

func TestAnAccountIsMadeWithoutItsPassword(t *testing.T) {
	t.Parallel()
	got, err := access.NewAccount("north", "kari", "correct horse", access.OnlyCustomers(7, 8), noon)
	if err != nil {
		t.Fatal(err)
	}
	if got.Tenant != "north" || got.Login != "kari" || got.CreatedAt != noon || !got.RevokedAt.IsZero() {
		t.Errorf("account: got %+v, want kari of north, made at %v", got, noon)
	}
	if !got.Customers.Contains(7) || !got.Customers.Contains(8) || got.Customers.Contains(9) || got.Customers.All() {
		t.Errorf("customers: got %v, want 7 and 8 alone", got.Customers.Numbers())
	}
	if !strings.HasPrefix(got.PasswordHash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash: got %q, want argon2id of 19 MiB, two passes, one lane", got.PasswordHash)
	}
}

func TestAccountRules(t *testing.T) {
	t.Parallel()
	tenant, login, password, some := "north", "kari", "correct horse", access.OnlyCustomers(7)
	x := func(n int) string { return strings.Repeat("x", n) }
	tests := map[string]struct {
		tenant, login, password string
		customers               access.Customers
		want                    string
	}{
		"a tenant is not empty":               {"", login, password, some, "tenant:format"},
		"a tenant does not begin with -":      {"-north", login, password, some, "tenant:format"},
		"a tenant does not begin with a dot":  {".north", login, password, some, "tenant:format"},
		"a tenant has no space":               {"no rth", login, password, some, "tenant:format"},
		"a tenant has no slash":               {"no/rth", login, password, some, "tenant:format"},
		"a tenant is in ASCII":                {"nörth", login, password, some, "tenant:format"},
		"a tenant has no line end":            {"north\n", login, password, some, "tenant:format"},
		"a tenant has 63 at most":             {x(64), login, password, some, "tenant:format"},
		"a login is not empty":                {tenant, "", password, some, "login:format"},
		"a login has no colon":                {tenant, "ka:ri", password, some, "login:format"},
		"a login does not begin with a space": {tenant, " kari", password, some, "login:format"},
		"a login does not end with a space":   {tenant, "kari ", password, some, "login:format"},
		"a login has no NUL":                  {tenant, "ka\x00ri", password, some, "login:format"},
		"a login has no tab":                  {tenant, "ka\tri", password, some, "login:format"},
		"a login has no wide space":           {tenant, "ka\u00a0ri", password, some, "login:format"},
		"a login is UTF-8":                    {tenant, "ka\xffri", password, some, "login:format"},
		"a login has 100 at most":             {tenant, x(101), password, some, "login:format"},
		"a password has 8 at least":           {tenant, login, "pass wo", some, "password:length"},
		"a password is counted in characters": {tenant, login, "ééééééé", some, "password:length"},
		"a password has 1000 bytes at most":   {tenant, login, x(1001), some, "password:length"},
		"customers are some":                  {tenant, login, password, access.OnlyCustomers(), "customers:required"},
		"customers are said":                  {tenant, login, password, access.Customers{}, "customers:required"},
		"a login is no dot":                   {tenant, ".", password, some, "login:format"},
		"a login is not two dots":             {tenant, "..", password, some, "login:format"},
		"a login is composed":                 {tenant, "e\u0301", password, some, "login:format"},
		"customers begin at 1":                {tenant, login, password, access.OnlyCustomers(1, 0, -1), "customers.1:range customers.2:range"},
		"customers are not repeated":          {tenant, login, password, access.OnlyCustomers(1, 2, 1, 0, 0), "customers.2:duplicate customers.3:range customers.4:range"},
		"all faults are listed": {
			"-", ":", "7 chars", access.OnlyCustomers(), "tenant:format login:format password:length customers:required",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := access.NewAccount(tt.tenant, tt.login, tt.password, tt.customers, noon)
			if broken(err) != tt.want {
				t.Errorf("broken rules: got %q, want %q, for %+v", broken(err), tt.want, tt)
			}
			if got.PasswordHash != "" || got.Login != "" {
				t.Errorf("account: got %+v, want the zero account", got)
			}
			if err == nil {
				return
			}
			if len(tt.login) > 2 && strings.Contains(err.Error(), tt.login) || len(tt.password) > 2 && strings.Contains(err.Error(), tt.password) {
				t.Errorf("the fault repeats a value: %v", err)
			}
		})
	}
}

func TestAccountsAtTheirLimits(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		tenant, login, password string
		customers               access.Customers
	}{
		"the shortest":  {"0", "k", "pass wor", access.OnlyCustomers(1)},
		"three dots":    {"0", "...", "pass wor", access.OnlyCustomers(1, 2)},
		"the longest":   {strings.Repeat("n", 62) + "-", strings.Repeat("é", 100), strings.Repeat("x", 1000), access.AllCustomers()},
		"any printable": {"A.b_c-1", "Käri @ 李.example", "éééé\x00\n:字", access.OnlyCustomers(1<<31 - 1)},
	}
	for name, tt := range tests {
		if _, err := access.NewAccount(tt.tenant, tt.login, tt.password, tt.customers, noon); err != nil {
			t.Errorf("%s: got %v, want an account, for %+v", name, err, tt)
		}
		if err := access.CheckTenant(tt.tenant); err != nil {
			t.Errorf("%s: got %v, want the tenant %q accepted", name, err, tt.tenant)
		}
	}
	if got := broken(access.CheckTenant("no:")); got != "tenant:format" {
		t.Errorf("CheckTenant(no:): got %q, want tenant:format", got)
	}
}

func TestCustomersAreASet(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		set                  access.Customers
		everyone, seven, one bool
	}{
		"all":      {access.AllCustomers(), true, true, true},
		"some":     {access.OnlyCustomers(7), false, true, false},
		"none":     {access.OnlyCustomers(), false, false, false},
		"not said": {access.Customers{}, false, false, false},
	}
	for name, tt := range tests {
		if tt.set.All() != tt.everyone || tt.set.Contains(7) != tt.seven || tt.set.Contains(1) != tt.one {
			t.Errorf("%s: got everyone %v, 7 %v, 1 %v, want %v, %v, %v",
				name, tt.set.All(), tt.set.Contains(7), tt.set.Contains(1), tt.everyone, tt.seven, tt.one)
		}
	}
	some := access.OnlyCustomers(7)
	some.Numbers()[0] = 1
	if some.Contains(1) || !some.Contains(7) {
		t.Errorf("the set follows the list that it gave away: %v", some.Numbers())
	}
}

func TestAnActorMayWhatItsScopesSay(t *testing.T) {
	t.Parallel()
	for _, held := range access.Scopes() {
		by := access.Actor{Scopes: []access.Scope{held}}
		for _, asked := range access.Scopes() {
			if got := by.May(asked); got != (held == asked) {
				t.Errorf("an actor with %s may %s: got %v", held, asked, got)
			}
		}
	}
	if (access.Actor{}).May(access.Read) {
		t.Error("an actor without scopes may read")
	}
}

func TestLogsHoldNoNameAndNoHash(t *testing.T) {
	t.Parallel()
	key, text, err := access.NewKey("north", "night job", []access.Scope{access.Read}, noon)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(handler).Info("m",
			"account", access.Account{Tenant: "north", Login: "kari", PasswordHash: "$argon2id$secret"},
			"actor", access.Actor{Tenant: "north", Name: "account:kari"}, "key", key, "address", &key)
	}
	for _, secret := range []string{"kari", "argon2id", text, "night job", string(key.Hash[:]), "Hash"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the log tells %q: %s", secret, out.String())
		}
	}
}
