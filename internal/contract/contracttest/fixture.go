package contracttest

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/contract"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/web"
)

// Fixture is the environment of transcripts: a store in a temporary directory, a fixed clock, and
// these customers, accounts and keys.
//
// Tenant "hafslund" has the customers 42 (Kari Nordmann, with all fields), 43 (an organisation with
// few fields) and 44 (a Swede, whose country lochting cannot express); tenant "other" has another
// customer 42. The accounts are kari (password sommerregn, customer 42), ola (vinterdag, customers
// 44 and 99, which does not exist), service (sommerregn, all customers), gone (revoked) and olga (of
// tenant other). The keys are writer, partner (also read and write), careful (requires If-Match),
// blunt (allows stale writes), reader, admin (only this scope), revoked and other (of tenant other).
type Fixture struct {
	Customers     *customer.Service
	Authenticator contract.Authenticator // of the directory, without limits
	Idempotency   *contract.IdempotencyMiddleware
	Registry      access.Registry
	CursorSecret  []byte
	Now           func() time.Time

	texts     map[string]string // of "$name": texts of keys and captured values
	captures  *[]capture        // from the next response
	clock     *clock
	failure   *failure
	bodyError *error
}

const (
	kariID  = "c7d932c1-84e8-410c-a9b2-18bf739d6b8b"
	firmID  = "0195e3a0-0000-7000-8000-000000000043"
	swedeID = "0195e3a0-0000-7000-8000-000000000044"
	otherID = "0195e3a0-0000-7000-8000-0000000000f2"
)

// NewFixture returns a new fixture, which is closed when the test ends.
func NewFixture(t testing.TB) Fixture {
	t.Helper()
	db := openStore(t)
	clock := &clock{now: time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)}
	fail := &failure{}
	customers := customer.New(failingStore{renumberedStore{db}, fail}, db, clock.Now, sequentialIDs())
	secret, err := db.Secret(t.Context(), "cursor")
	if err != nil {
		t.Fatal(err)
	}
	f := Fixture{
		Customers:     customers,
		Authenticator: contract.Authenticator{Directory: access.NewDirectory(db, clock.Now)},
		Idempotency:   contract.NewIdempotencyMiddleware(customers),
		Registry:      failingRegistry{db, fail},
		CursorSecret:  secret,
		Now:           clock.Now,
		texts:         maps.Clone(keyTexts),
		captures:      new([]capture),
		clock:         clock,
		failure:       fail,
		bodyError:     new(error),
	}
	f.addCustomers(t)
	addCallers(t, db)
	return f
}

// sequentialIDs generates the ids of customers that a contract creates.
func sequentialIDs() func() string {
	var n atomic.Int64
	return func() string { return fmt.Sprintf("0195e3a0-0000-7000-8000-%012d", 100+n.Add(1)) }
}

// Handler returns a server with this contract only, and a body limit of 64 KiB.
func (f Fixture) Handler(c contract.Contract) http.Handler {
	server := web.Server{
		Mounts:  []web.Mount{c.Mount()},
		Metrics: web.NewMetrics(),
		Log:     slog.New(slog.NewTextHandler(io.Discard, nil)),
		MaxBody: 64 << 10,
	}
	return server.Handler()
}

// Key returns the text of the key with this name.
func (f Fixture) Key(name string) string { return f.texts[name] }

// Advance advances the clock.
func (f Fixture) Advance(d time.Duration) { f.clock.advance(d) }

// applyEvent applies an event of a transcript.
func (f *Fixture) applyEvent(t *testing.T, event string) {
	t.Helper()
	switch subject, argument, _ := strings.Cut(event, " "); {
	case event == "store down":
		f.failure.set(errors.New("simulated disk failure"))
	case event == "store busy":
		f.failure.set(fault.New(fault.Unavailable, "too many writes are waiting"))
	case event == "store full":
		f.failure.set(fault.New(fault.StorageFull, "the disk is full"))
	case event == "store concurrent":
		f.failure.set(fault.New(fault.IdempotencyInProgress, "another request with this key came first"))
	case event == "store up":
		f.failure.set(nil)
	case event == "body slow":
		*f.bodyError = os.ErrDeadlineExceeded
	case event == "body cut":
		*f.bodyError = io.ErrUnexpectedEOF
	case event == "restart": // the player does this
	case subject == "rate":
		var perSecond, burst int
		if _, err := fmt.Sscanf(argument, "%d %d", &perSecond, &burst); err != nil {
			t.Fatalf("%s: %v", event, err)
		}
		f.Authenticator.Limits = access.NewRateLimits(perSecond, burst, 1_000_000, f.Now)
	case subject == "keep":
		name, property, _ := strings.Cut(argument, " ")
		*f.captures = append(*f.captures, capture{name, property})
	case subject == "clock":
		d, err := time.ParseDuration(argument)
		if err != nil {
			t.Fatal(err)
		}
		f.Advance(d)
	default:
		t.Fatalf("unknown event: %s", event)
	}
}

// takeBodyError returns and clears the error for the body of the next request.
func (f Fixture) takeBodyError() error {
	err := *f.bodyError
	*f.bodyError = nil
	return err
}

func (f Fixture) addCustomers(t testing.TB) {
	t.Helper()
	confirmed := f.Now().Add(-24 * time.Hour)
	kari := customer.Patch{
		"firstName": "Kari", "lastName": "Nordmann", "birthDate": "1968-03-05",
		"gender": "female", "locale": "nl-BE", "nationalId": "05036812345",
		"email": "kari@example.com", "phone": "+47 22 33 44 55", "mobile": "90000000",
		"address.line": "Storgata 1 B", "address.careOf": "c/o Ola Nordmann", "address.houseNumber": "1",
		"address.houseLetter": "B", "address.entrance": "A", "address.floor": "2",
		"address.poBox":      int64(10),
		"address.postalCode": "9000", "address.city": "Gent", "address.country": "BE", "address.editable": true,
		"services.broadband": true, "services.grid": true,
		"confirmedAt": confirmed,
	}
	firm := customer.Patch{
		"kind": customer.Organisation, "lastName": "Lys & Varme <AS>",
		"organisationNumber": "974760673",
	}
	swede := customer.Patch{
		"firstName": "Åsa", "lastName": "Öberg", "locale": "sv-SE",
		"address.country": "SE",
	}
	other := customer.Patch{"lastName": "Another tenant's"}
	f.put(t, "hafslund",
		customer.Upsert{ID: kariID, Number: 42, Edit: kari.Apply},
		customer.Upsert{ID: firmID, Number: 43, Edit: firm.Apply},
		customer.Upsert{ID: swedeID, Number: 44, Edit: swede.Apply})
	f.put(t, "other", customer.Upsert{ID: otherID, Number: 42, Edit: other.Apply})
}

func (f Fixture) put(t testing.TB, tenant string, entries ...customer.Upsert) {
	t.Helper()
	actor := access.Actor{Tenant: tenant, ID: "test", Customers: access.AllCustomers(), Scopes: access.Scopes()}
	results, err := f.Customers.Upsert(t.Context(), actor, entries)
	for _, r := range results {
		err = errors.Join(err, r.Err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// accounts are created once per process because argon2 is slow.
var accounts = sync.OnceValue(func() []access.Account {
	created := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var all []access.Account
	add := func(tenant, login, password string, customers access.Customers) {
		a, err := access.NewAccount(tenant, login, password, customers, created)
		if err != nil {
			panic(err)
		}
		a.ID = "acc_" + login // transcripts contain it
		all = append(all, a)
	}
	add("hafslund", "kari", "sommerregn", access.OnlyCustomers(42))
	add("hafslund", "ola", "vinterdag", access.OnlyCustomers(44, 99))
	add("hafslund", "service", "sommerregn", access.AllCustomers())
	add("hafslund", "gone", "sommerregn", access.AllCustomers())
	add("other", "olga", "sommerregn", access.AllCustomers())
	return all
})

// keyTexts are the texts of the keys by name. They are constant because transcripts contain key
// ids.
var keyTexts = map[string]string{
	"writer":  "kart_writer00_thisKeyIsOnlyForTheTestsOfContractsWriter002gnEdn",
	"reader":  "kart_reader00_thisKeyIsOnlyForTheTestsOfContractsReader002aiOyg",
	"partner": "kart_partner0_thisKeyIsOnlyForTheTestsOfContractsPartner017UF29",
	"blunt":   "kart_blunt000_thisKeyIsOnlyForTheTestsOfContractsBlunt0000VIa3W",
	"admin":   "kart_admin000_thisKeyIsOnlyForTheTestsOfContractsAdmin0002BbYlu",
	"careful": "kart_careful0_thisKeyIsOnlyForTheTestsOfContractsCareful00FG7HS",
	"revoked": "kart_revoked0_thisKeyIsOnlyForTheTestsOfContractsRevoked04MXtVY",
	"other":   "kart_other000_thisKeyIsOnlyForTheTestsOfContractsOther00020hrcP",
}

func addCallers(t testing.TB, db access.Registry) {
	t.Helper()
	created := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var err error
	for _, a := range accounts() {
		err = errors.Join(err, db.AddAccount(t.Context(), a))
	}
	err = errors.Join(err, db.RevokeAccount(t.Context(), "hafslund", "acc_gone", created))
	add := func(tenant, name string, options access.KeyOptions, scopes ...access.Scope) {
		key := access.ParseKey(tenant, name, scopes, keyTexts[name], created)
		key.Options = options
		err = errors.Join(err, db.AddKey(t.Context(), key))
	}
	var none access.KeyOptions
	add("hafslund", "writer", none, access.Read, access.Write)
	add("hafslund", "partner", none, access.Read, access.Write)
	add("hafslund", "careful", access.KeyOptions{RequireIfMatch: true}, access.Read, access.Write)
	add("hafslund", "blunt", access.KeyOptions{AllowStaleWrites: true}, access.Read, access.Write)
	add("hafslund", "reader", none, access.Read)
	add("hafslund", "admin", none, access.Admin)
	add("other", "other", none, access.Read, access.Write)
	add("hafslund", "revoked", none, access.Read, access.Write)
	if err = errors.Join(err, db.RevokeKey(t.Context(), "hafslund", "key_revoked0", created)); err != nil {
		t.Fatal(err)
	}
}

// clock changes only when it is advanced.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
