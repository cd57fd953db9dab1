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

// clientAddr is the client address in these tests.
var clientAddr = netip.MustParseAddr("192.0.2.1")

// brokenRules lists the rules in err as "path:rule", in order.
func brokenRules(err error) string {
	if err == nil {
		return ""
	}
	var rules []string
	for _, f := range fault.From(err).Fields {
		rules = append(rules, f.Path+":"+f.Rule)
	}
	return strings.Join(rules, " ")
}

func TestNewAccountStoresHashNotPassword(t *testing.T) {
	t.Parallel()
	got, err := access.NewAccount("north", "kari", "correct horse", access.OnlyCustomers(7, 8), noon)
	if err != nil {
		t.Fatal(err)
	}
	if got.Tenant != "north" || got.Login != "kari" || got.CreatedAt != noon || !got.RevokedAt.IsZero() {
		t.Errorf("account: got %+v, want kari of north, created at %v", got, noon)
	}
	if !got.Customers.Contains(7) || !got.Customers.Contains(8) || got.Customers.Contains(9) || got.Customers.All() {
		t.Errorf("customers: got %v, want only 7 and 8", got.Customers.Numbers())
	}
	if !strings.HasPrefix(got.PasswordHash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash: got %q, want argon2id of 19 MiB, two passes, one lane", got.PasswordHash)
	}
}

func TestNewAccountReportsEveryBrokenRule(t *testing.T) {
	t.Parallel()
	tenant, login, password, some := "north", "kari", "correct horse", access.OnlyCustomers(7)
	x := func(n int) string { return strings.Repeat("x", n) }
	tests := map[string]struct {
		tenant, login, password string
		customers               access.Customers
		want                    string
	}{
		"empty tenant":                         {"", login, password, some, "tenant:format"},
		"tenant starts with hyphen":            {"-north", login, password, some, "tenant:format"},
		"tenant starts with dot":               {".north", login, password, some, "tenant:format"},
		"tenant with space":                    {"no rth", login, password, some, "tenant:format"},
		"tenant with slash":                    {"no/rth", login, password, some, "tenant:format"},
		"tenant not in ASCII":                  {"nörth", login, password, some, "tenant:format"},
		"tenant with newline":                  {"north\n", login, password, some, "tenant:format"},
		"tenant of 64 characters":              {x(64), login, password, some, "tenant:format"},
		"empty login":                          {tenant, "", password, some, "login:format"},
		"login with colon":                     {tenant, "ka:ri", password, some, "login:format"},
		"login starts with space":              {tenant, " kari", password, some, "login:format"},
		"login ends with space":                {tenant, "kari ", password, some, "login:format"},
		"login with NUL":                       {tenant, "ka\x00ri", password, some, "login:format"},
		"login with tab":                       {tenant, "ka\tri", password, some, "login:format"},
		"login with no-break space":            {tenant, "ka\u00a0ri", password, some, "login:format"},
		"login not in UTF-8":                   {tenant, "ka\xffri", password, some, "login:format"},
		"login of 101 characters":              {tenant, x(101), password, some, "login:format"},
		"password of 7 characters":             {tenant, login, "pass wo", some, "password:length"},
		"password of 7 characters in 14 bytes": {tenant, login, "ééééééé", some, "password:length"},
		"a common password":                    {tenant, login, "12345678", some, "password:format"},
		"a common password in capitals":        {tenant, login, "PassWord", some, "password:format"},
		"the login as password":                {tenant, "kari.nordmann", "Kari.Nordmann", some, "password:format"},
		"a short common password":              {tenant, login, "qwerty", some, "password:length password:format"},
		"password of 1001 bytes":               {tenant, login, x(1001), some, "password:length"},
		"empty list of customers":              {tenant, login, password, access.OnlyCustomers(), "customers:required"},
		"zero customers":                       {tenant, login, password, access.Customers{}, "customers:required"},
		"login not in NFC":                     {tenant, "e\u0301", password, some, "login:format"},
		"customer numbers below 1":             {tenant, login, password, access.OnlyCustomers(1, 0, -1), "customers.1:range customers.2:range"},
		"duplicate customer numbers":           {tenant, login, password, access.OnlyCustomers(1, 2, 1, 0, 0), "customers.2:duplicate customers.3:range customers.4:range"},
		"several broken rules": {
			"-", ":", "7 chars", access.OnlyCustomers(), "tenant:format login:format password:length customers:required",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := access.NewAccount(tt.tenant, tt.login, tt.password, tt.customers, noon)
			if brokenRules(err) != tt.want {
				t.Errorf("broken rules: got %q, want %q, for %+v", brokenRules(err), tt.want, tt)
			}
			if got.PasswordHash != "" || got.Login != "" {
				t.Errorf("account: got %+v, want the zero account", got)
			}
			if err == nil {
				return
			}
			if len(tt.login) > 2 && strings.Contains(err.Error(), tt.login) || len(tt.password) > 2 && strings.Contains(err.Error(), tt.password) {
				t.Errorf("the fault contains a value: %v", err)
			}
		})
	}
}

func TestNewAccountAcceptsLimits(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		tenant, login, password string
		customers               access.Customers
	}{
		"shortest":             {"0", "k", "pass wor", access.OnlyCustomers(1)},
		"three dots":           {"0", "...", "pass wor", access.OnlyCustomers(1, 2)},
		"longest":              {strings.Repeat("n", 62) + "-", strings.Repeat("é", 100), strings.Repeat("x", 1000), access.AllCustomers()},
		"printable characters": {"A.b_c-1", "Käri @ 李.example", "éééé\x00\n:字", access.OnlyCustomers(1<<31 - 1)},
	}
	for name, tt := range tests {
		if _, err := access.NewAccount(tt.tenant, tt.login, tt.password, tt.customers, noon); err != nil {
			t.Errorf("%s: got %v, want an account, for %+v", name, err, tt)
		}
		if err := access.CheckTenant(tt.tenant); err != nil {
			t.Errorf("%s: got %v, want the tenant %q accepted", name, err, tt.tenant)
		}
	}
	if got := brokenRules(access.CheckTenant("no:")); got != "tenant:format" {
		t.Errorf("CheckTenant(no:): got %q, want tenant:format", got)
	}
}

func TestCustomersContains(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		set             access.Customers
		all, seven, one bool
	}{
		"all":  {access.AllCustomers(), true, true, true},
		"some": {access.OnlyCustomers(7), false, true, false},
		"none": {access.OnlyCustomers(), false, false, false},
		"zero": {access.Customers{}, false, false, false},
	}
	for name, tt := range tests {
		if tt.set.All() != tt.all || tt.set.Contains(7) != tt.seven || tt.set.Contains(1) != tt.one {
			t.Errorf("%s: got all %v, 7 %v, 1 %v, want %v, %v, %v",
				name, tt.set.All(), tt.set.Contains(7), tt.set.Contains(1), tt.all, tt.seven, tt.one)
		}
	}
	some := access.OnlyCustomers(7)
	some.Numbers()[0] = 1
	if some.Contains(1) || !some.Contains(7) {
		t.Errorf("Numbers returned the internal list: %v", some.Numbers())
	}
}

func TestActorMayChecksScopes(t *testing.T) {
	t.Parallel()
	for _, held := range access.Scopes() {
		by := access.Actor{Scopes: []access.Scope{held}}
		for _, scope := range access.Scopes() {
			if got := by.May(scope); got != (held == scope) {
				t.Errorf("an actor with %s may %s: got %v", held, scope, got)
			}
		}
	}
	if (access.Actor{}).May(access.Read) {
		t.Error("an actor without scopes may read")
	}
}

func TestLogsOmitNamesAndHashes(t *testing.T) {
	t.Parallel()
	key, text, err := access.NewKey("north", "night job", []access.Scope{access.Read}, noon)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(handler).Info("m",
			"account", access.Account{Tenant: "north", Login: "kari", PasswordHash: "$argon2id$secret"},
			"actor", access.Actor{Tenant: "north", ID: "acc_kari", Name: "kari"}, "key", key, "address", &key)
	}
	for _, secret := range []string{"kari", "argon2id", text, "night job", string(key.Hash[:]), "Hash"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the log contains %q: %s", secret, out.String())
		}
	}
}
