package access

import (
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"kartotek/internal/fault"
)

// Account is a login with a password. It may access the listed customers of its tenant,
// or all of them.
type Account struct {
	Tenant       string
	ID           string // "acc_" and 16 base62 characters; never reused
	Login        string // of one active account on the server: it is what selects the tenant
	PasswordHash string // argon2id, as a PHC string
	Customers    Customers
	CreatedAt    time.Time
	RevokedAt    time.Time // zero while the account is active
}

const accountPrefix = "acc_"

// NewAccount returns an account, or an Invalid fault that lists every broken rule.
func NewAccount(tenant, login, password string, customers Customers, now time.Time) (Account, error) {
	var checks fault.Validator
	checkTenant(&checks, tenant)
	checkLogin(&checks, login)
	checks.Require(utf8.RuneCountInString(password) >= 8, "password", fault.Length, "must have at least 8 characters")
	checks.Require(len(password) <= 1000, "password", fault.Length, "must have at most 1000 bytes")
	checks.Require(!isGuessable(password, login), "password", fault.Format, "must not be the login or one of the most common passwords")
	checks.Require(customers.All() || len(customers.numbers) > 0, "customers", fault.Required, "is required: list numbers, or choose all")
	listed := map[int32]bool{}
	for i, n := range customers.numbers {
		path := fmt.Sprintf("customers.%d", i)
		checks.Require(n >= 1, path, fault.Range, "must be 1 or more")
		checks.Require(n < 1 || !listed[n], path, fault.Duplicate, "must not be repeated")
		listed[n] = true
	}
	if err := checks.Err(); err != nil {
		return Account{}, err
	}
	return Account{
		Tenant:       tenant,
		ID:           accountPrefix + randomBase62(16),
		Login:        login,
		PasswordHash: hashPassword(password),
		Customers:    customers,
		CreatedAt:    now,
	}, nil
}

// checkLogin accepts what HTTP Basic (RFC 7617: no colon) can carry. It requires NFC
// because ByPassword normalizes to it.
func checkLogin(checks *fault.Validator, login string) {
	checks.Require(isPrintableName(login) && !strings.Contains(login, ":"), "login", fault.Format, "must be 1 to 100 printable characters, without a colon and without leading or trailing spaces")
	checks.Require(norm.NFC.IsNormalString(login), "login", fault.Format, "must be in Unicode NFC: a letter and its accent as one character")
}

// isPrintableName reports whether s has 1 to 100 printable characters and no leading or
// trailing space.
func isPrintableName(s string) bool {
	n := utf8.RuneCountInString(s)
	unprintable := strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
	return n >= 1 && n <= 100 && utf8.ValidString(s) && !unprintable && strings.TrimSpace(s) == s
}

var tenantName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

func checkTenant(checks *fault.Validator, tenant string) {
	checks.Require(tenantName.MatchString(tenant), "tenant", fault.Format, "must be 1 to 63 letters, digits, dots, underscores or hyphens, and start with a letter or digit")
}

// CheckTenant returns an Invalid fault for a tenant name that is not allowed.
func CheckTenant(tenant string) error {
	var checks fault.Validator
	checkTenant(&checks, tenant)
	return checks.Err()
}

func (a Account) actor() Actor {
	return Actor{
		Tenant:    a.Tenant,
		ID:        a.ID,
		Name:      a.Login,
		Customers: a.Customers,
		Scopes:    []Scope{Read, Write},
	}
}

// LogValue keeps the login, which may be personal data, and the hash out of logs.
func (a Account) LogValue() slog.Value { return slog.StringValue(a.ID) }
