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
	"kartotek/internal/patch"
	"kartotek/internal/web"
)

// Fixture is what the transcripts of a contract run against: a store in a temporary directory,
// a fixed clock, and these customers, accounts and keys.
//
// Tenant "hafslund" has the customers 42 (Kari Nordmann, with all fields), 43 (an
// organisation with hardly any) and 44 (a Swede, whose country lochting cannot show);
// tenant "other" has one that is also 42. The accounts are kari (password
// sommerregn; her own 42), ola (vinterdag; 44 and 99, which does not exist), service
// (all customers), gone (revoked) and olga (of the other tenant). The keys are
// writer, partner (also with write access), careful (must send If-Match), blunt
// (may write stale values), reader, admin (with that scope alone), revoked and
// other.
type Fixture struct {
	Customers     *customer.Service
	Authenticator contract.Authenticator // of the directory, without limits
	Idempotency   *contract.IdempotencyMiddleware
	Registry      access.Registry
	CursorSecret  []byte
	Now           func() time.Time

	texts     map[string]string // what "$name" stands for: the texts of keys, and what was kept of answers
	captures  *[]capture        // of the next answer
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
	trouble := &failure{}
	customers := customer.New(failingStore{renumberedStore{db}, trouble}, db, clock.Now, sequentialIDs())
	secret, err := db.Secret(t.Context(), "cursor")
	if err != nil {
		t.Fatal(err)
	}
	world := Fixture{
		Customers:     customers,
		Authenticator: contract.Authenticator{Directory: access.NewDirectory(db, clock.Now)},
		Idempotency:   contract.NewIdempotencyMiddleware(customers),
		Registry:      failingRegistry{db, trouble},
		CursorSecret:  secret,
		Now:           clock.Now,
		texts:         maps.Clone(keyTexts),
		captures:      new([]capture),
		clock:         clock,
		failure:       trouble,
		bodyError:     new(error),
	}
	world.addCustomers(t)
	addCallers(t, db)
	return world
}

// countedIDs are the ids of customers whom a contract makes.
func sequentialIDs() func() string {
	var n atomic.Int64
	return func() string { return fmt.Sprintf("0195e3a0-0000-7000-8000-%012d", 100+n.Add(1)) }
}

// Handler is the whole server with this one contract, and a body limit of 64 KiB.
func (w Fixture) Handler(c contract.Contract) http.Handler {
	server := web.Server{
		Mounts:  []web.Mount{c.Mount()},
		Metrics: web.NewMetrics(),
		Log:     slog.New(slog.NewTextHandler(io.Discard, nil)),
		MaxBody: 64 << 10,
	}
	return server.Handler()
}

// Key is the text of the key with this name.
func (w Fixture) Key(name string) string { return w.texts[name] }

// Advance moves the clock.
func (w Fixture) Advance(d time.Duration) { w.clock.advance(d) }

// happen makes an event of a transcript come true.
func (w *Fixture) applyEvent(t *testing.T, event string) {
	t.Helper()
	switch subject, what, _ := strings.Cut(event, " "); {
	case event == "store down":
		w.failure.set(errors.New("the disk is on fire"))
	case event == "store busy":
		w.failure.set(fault.New(fault.Unavailable, "too many writes are waiting"))
	case event == "store full":
		w.failure.set(fault.New(fault.StorageFull, "the disk is full"))
	case event == "store rival":
		w.failure.set(fault.New(fault.IdempotencyInProgress, "another request with this key came first"))
	case event == "store up":
		w.failure.set(nil)
	case event == "body slow":
		*w.bodyError = os.ErrDeadlineExceeded
	case event == "body cut":
		*w.bodyError = io.ErrUnexpectedEOF
	case event == "restart": // the stage does the rest
	case subject == "rate":
		var perSecond, burst int
		if _, err := fmt.Sscanf(what, "%d %d", &perSecond, &burst); err != nil {
			t.Fatalf("%s: %v", event, err)
		}
		w.Authenticator.Limits = access.NewRateLimits(perSecond, burst, w.Now)
	case subject == "keep":
		name, member, _ := strings.Cut(what, " ")
		*w.captures = append(*w.captures, capture{name, member})
	case subject == "clock":
		d, err := time.ParseDuration(what)
		if err != nil {
			t.Fatal(err)
		}
		w.Advance(d)
	default:
		t.Fatalf("no such event: %s", event)
	}
}

// takeBody is how reading the next body ends.
func (w Fixture) takeBodyError() error {
	err := *w.bodyError
	*w.bodyError = nil
	return err
}

func (w Fixture) addCustomers(t testing.TB) {
	t.Helper()
	confirmed := w.Now().Add(-24 * time.Hour)
	kari := customer.Patch{
		FirstName: patch.Set("Kari"), LastName: patch.Set("Nordmann"), BirthDate: patch.Set("1968-03-05"),
		Gender: patch.Set("female"), Locale: patch.Set("nl-BE"), NationalID: patch.Set("05036812345"),
		Email: patch.Set("kari@example.com"), Phone: patch.Set("+47 22 33 44 55"), Mobile: patch.Set("90000000"),
		Address: customer.AddressPatch{
			Line: patch.Set("Storgata 1 B"), CareOf: patch.Set("c/o Ola Nordmann"), HouseNumber: patch.Set("1"),
			HouseLetter: patch.Set("B"), Entrance: patch.Set("A"), Floor: patch.Set("2"),
			POBox:      patch.Set(customer.POBox{Given: true, Number: 10}),
			PostalCode: patch.Set("9000"), City: patch.Set("Gent"), Country: patch.Set("BE"), Editable: patch.Set(true),
		},
		Services:    customer.ServicesPatch{Broadband: patch.Set(true), Grid: patch.Set(true)},
		ConfirmedAt: patch.Set(confirmed),
	}
	firm := customer.Patch{
		Kind: patch.Set(customer.Organisation), LastName: patch.Set("Lys & Varme <AS>"),
		OrganisationNumber: patch.Set("974760673"),
	}
	swede := customer.Patch{
		FirstName: patch.Set("Åsa"), LastName: patch.Set("Öberg"), Locale: patch.Set("sv-SE"),
		Address: customer.AddressPatch{Country: patch.Set("SE")},
	}
	other := customer.Patch{LastName: patch.Set("Another tenant's")}
	w.put(t, "hafslund",
		customer.Upsert{ID: kariID, Number: 42, Edit: kari.Apply},
		customer.Upsert{ID: firmID, Number: 43, Edit: firm.Apply},
		customer.Upsert{ID: swedeID, Number: 44, Edit: swede.Apply})
	w.put(t, "other", customer.Upsert{ID: otherID, Number: 42, Edit: other.Apply})
}

func (w Fixture) put(t testing.TB, tenant string, entries ...customer.Upsert) {
	t.Helper()
	by := access.Actor{Tenant: tenant, Name: "test", Customers: access.AllCustomers(), Scopes: access.Scopes()}
	results, err := w.Customers.Upsert(t.Context(), by, entries)
	for _, r := range results {
		err = errors.Join(err, r.Err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// accounts are made once in a process: argon2 is slow on purpose.
var accounts = sync.OnceValue(func() []access.Account {
	born := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var all []access.Account
	add := func(tenant, login, password string, customers access.Customers) {
		a, err := access.NewAccount(tenant, login, password, customers, born)
		if err != nil {
			panic(err)
		}
		all = append(all, a)
	}
	add("hafslund", "kari", "sommerregn", access.OnlyCustomers(42))
	add("hafslund", "ola", "vinterdag", access.OnlyCustomers(44, 99))
	add("hafslund", "service", "sommerregn", access.AllCustomers())
	add("hafslund", "gone", "sommerregn", access.AllCustomers())
	add("other", "olga", "sommerregn", access.AllCustomers())
	return all
})

// keyTexts are the keys, by name. They are the same in every world, since
// transcripts show their ids.
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
	born := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var err error
	for _, a := range accounts() {
		err = errors.Join(err, db.AddAccount(t.Context(), a))
	}
	err = errors.Join(err, db.RevokeAccount(t.Context(), "hafslund", "gone", born))
	add := func(tenant, name string, manners access.KeyOptions, scopes ...access.Scope) {
		key := access.ParseKey(tenant, name, scopes, keyTexts[name], born)
		key.Options = manners
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
	if err = errors.Join(err, db.RevokeKey(t.Context(), "hafslund", "revoked0", born)); err != nil {
		t.Fatal(err)
	}
}

// clock stands still until it is moved.
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
