package transfer_test

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/store/storetest"
)

// made numbers the customers that tests make on the way.
var made struct {
	sync.Mutex
	n int
}

// people is how many customers the tenant north has at first.
const people = 40

var (
	tenants = []string{"north", "south", "west"}
	names   = []string{"Müller", "O’Brien", "Dvořák", "Παπαδόπουλος", "李", `"\'`, "Ñ🙂", "van den Berg"}
	now     = time.Date(2025, 3, 1, 12, 0, 0, 123456000, time.UTC)
)

// filledFile is a store with something of all that a store keeps.
func filledFile(t *testing.T) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "k.db")
	s := openFile(t, file)
	entries := make([]customer.Upsert, people)
	for i := range entries {
		entries[i] = customer.Upsert{ID: id(i + 1), Edit: person(i)}
	}
	put(t, s, "north", entries...)
	put(t, s, "south", // the same ids as another tenant's, numbers with gaps, and almost nothing in the record
		customer.Upsert{ID: id(1), Number: 1000, Edit: rename("A")},
		customer.Upsert{ID: id(900), Edit: rename("B")},
		customer.Upsert{ID: id(2), Number: 7, Edit: rename("C")})
	put(t, s, "west", customer.Upsert{ID: id(3), Edit: func(c *customer.Customer) error {
		c.LastName, c.Address.Line = strings.Repeat("é", 100), strings.Repeat("ø 1 ", 24)+"x"
		return nil
	}})
	for i := range people {
		revise(t, s, i+1, i)
	}
	for _, r := range []customer.IdempotencyRecord{receipt("north", "r-1"), receipt("north", "r-2"), receipt("south", "r-1")} {
		check(t, s.SaveResponse(t.Context(), r))
	}
	for _, a := range accounts() {
		check(t, s.AddAccount(t.Context(), a))
	}
	for _, k := range keys() {
		check(t, s.AddKey(t.Context(), k))
	}
	check(t, s.Close())
	return file
}

// writeMore changes someone, makes someone, and moves what is no customer.
func writeMore(t *testing.T, s storetest.Store, n int) {
	t.Helper()
	for _, number := range []int{1, 2 + n, people - n} {
		revise(t, s, number, 1000+n)
	}
	createOne(t, s, "north")
	createOne(t, s, fmt.Sprintf("new-%d", n))
	check(t, s.SaveResponse(t.Context(), receipt("west", fmt.Sprint("late-", n))))
	a := accounts()[0]
	a.Login = fmt.Sprint("late-", n)
	check(t, s.AddAccount(t.Context(), a))
	check(t, s.RevokeAccount(t.Context(), a.Tenant, a.Login, now))
}

func person(i int) customer.Edit {
	return func(c *customer.Customer) error {
		c.FirstName, c.LastName = fmt.Sprint("Kari ", i), names[i%len(names)]
		c.Email, c.Phone, c.Mobile = fmt.Sprintf("kari%d@example.com", i), fmt.Sprintf("+47 22 %04d", i), ""
		c.NationalID = fmt.Sprintf("800229-%03d", i)
		c.BirthDate, c.Gender, c.Locale = "1980-02-29", customer.Genders()[i%4], "nb-NO"
		c.Address = customer.Address{Line: "Storgata 1", City: "Bø", PostalCode: "9000", Country: "NO", POBox: customer.POBox{Valid: i%2 == 0}, Editable: i%3 == 0}
		c.Services = customer.Services{Grid: i%2 == 0, Power: i%3 == 0, Broadband: i%5 == 0}
		if i%2 == 0 {
			c.ConfirmedAt = now.Add(-time.Duration(i) * time.Hour)
		}
		return nil
	}
}

func rename(name string) customer.Edit {
	return func(c *customer.Customer) error {
		c.LastName = name
		return nil
	}
}

func signature() customer.ChangeMeta {
	return customer.ChangeMeta{Actor: "account:kåri", Contract: "native", RequestID: "r-1", At: now}
}

func put(t *testing.T, s storetest.Store, tenant string, entries ...customer.Upsert) {
	t.Helper()
	by := signature()
	by.Contract, by.RequestID = "", ""
	results, err := s.Upsert(t.Context(), tenant, by, entries)
	check(t, err)
	for _, r := range results {
		check(t, r.Err)
	}
}

func createOne(t *testing.T, s storetest.Store, tenant string) customer.Customer {
	t.Helper()
	made.Lock()
	made.n++
	entry := customer.Upsert{GeneratedID: id(100_000 + made.n), Edit: rename("New")}
	made.Unlock()
	ch, err := s.Create(t.Context(), tenant, signature(), entry, nil)
	check(t, err)
	return ch.After
}

func revise(t *testing.T, s storetest.Store, number, n int) {
	t.Helper()
	_, err := s.Update(t.Context(), customer.ByNumber("north", int32(number)), signature(), func(c *customer.Customer) error {
		c.Mobile = fmt.Sprintf("+32 470 %06d", n)
		return nil
	}, nil)
	check(t, err)
}

func receipt(tenant, key string) customer.IdempotencyRecord {
	return customer.IdempotencyRecord{Tenant: tenant, Key: key, Digest: "digest", Response: []byte("\x00\xff" + key), At: now}
}

func accounts() []access.Account {
	return []access.Account{
		{Tenant: "north", Login: "kåri", PasswordHash: "$argon2id$1", Customers: access.AllCustomers(), CreatedAt: now},
		{Tenant: "north", Login: "two", PasswordHash: "$argon2id$2", Customers: access.OnlyCustomers(2, 1), CreatedAt: now},
		{Tenant: "south", Login: "none", PasswordHash: "$argon2id$3", Customers: access.OnlyCustomers(), CreatedAt: now},
		{Tenant: "south", Login: "gone", PasswordHash: "$argon2id$4", Customers: access.OnlyCustomers(1000), CreatedAt: now, RevokedAt: now.Add(time.Hour)},
	}
}

func keys() []access.Key {
	return []access.Key{
		{Tenant: "north", ID: "Ab3dE6gH", Name: "shop ø", Hash: [32]byte{1, 0, 255}, Scopes: []access.Scope{access.Read, access.Write}, CreatedAt: now},
		{Tenant: "north", ID: "Bb3dE6gH", Name: "careful", Scopes: []access.Scope{access.Read}, CreatedAt: now, Options: access.KeyOptions{RequireIfMatch: true}},
		{Tenant: "south", ID: "Cb3dE6gH", Name: "gone", Scopes: access.Scopes(), CreatedAt: now, RevokedAt: now.Add(time.Hour), Options: access.KeyOptions{AllowStaleWrites: true}},
	}
}

// wantAlike reports unless both stores answer all questions alike.
func wantAlike(t *testing.T, file, dsn string) {
	t.Helper()
	source, copied := openFile(t, file), openDatabase(t, dsn)
	defer source.Close()
	defer copied.Close()
	all := slices.Clone(tenants)
	for n := range 12 {
		all = append(all, fmt.Sprintf("new-%d", n)) // see writeMore
	}
	for _, tenant := range all {
		want, got := feed(t, source, tenant), feed(t, copied, tenant)
		if !sameChanges(got, want) {
			t.Errorf("feed of %s: got %d changes, want %d: %+v, %+v", tenant, len(got), len(want), got, want)
		}
		seen := map[string]bool{}
		for _, r := range want {
			if !seen[r.CustomerID] {
				wantSameCustomer(t, source, copied, customer.ByID(tenant, r.CustomerID), customer.ByNumber(tenant, r.Number))
			}
			seen[r.CustomerID] = true
		}
		wantSameFound(t, source, copied, tenant)
	}
	if got, want := dump(t, copied), dump(t, source); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func wantSameCustomer(t *testing.T, source, copied storetest.Store, refs ...customer.Ref) {
	t.Helper()
	for _, ref := range refs {
		want, err := source.Find(t.Context(), ref)
		check(t, err)
		if got, err := copied.Find(t.Context(), ref); err != nil || got != want {
			t.Errorf("find %+v: got %#v (%v), want %#v", ref, got, err, want)
		}
	}
	want, err := source.Changes(t.Context(), refs[0].Tenant, refs[0].ID, 1<<40, 1000)
	check(t, err)
	got, err := copied.Changes(t.Context(), refs[0].Tenant, refs[0].ID, 1<<40, 1000)
	if err != nil || len(want) == 0 || !sameChanges(got, want) {
		t.Errorf("changes of %+v: got %+v (%v), want %+v", refs[0], got, err, want)
	}
}

func sameChanges(a, b []customer.ChangeRecord) bool {
	return slices.EqualFunc(a, b, func(a, b customer.ChangeRecord) bool { return reflect.DeepEqual(a, b) })
}

func wantSameFound(t *testing.T, source, copied storetest.Store, tenant string) {
	t.Helper()
	for _, q := range []customer.Query{{}, {Words: "muller"}, {Name: "kari παπ"}, {Email: "kari1"}, {Phone: "3247000000"}, {Phone: "1001"}, {PostalCode: "9000"}, {Number: 7}, {ConfirmedBefore: now}} {
		want, err := source.Search(t.Context(), tenant, q, customer.Position{}, 1000)
		check(t, err)
		got, err := copied.Search(t.Context(), tenant, q, customer.Position{}, 1000)
		if err != nil || !slices.Equal(got.Customers, want.Customers) {
			t.Errorf("search %+v in %s: got %d (%v), want %d", q, tenant, len(got.Customers), err, len(want.Customers))
		}
	}
}

// dump is what a store keeps besides customers, as its ports tell it, and how many
// changes it has.
func dump(t *testing.T, s storetest.Store) string {
	t.Helper()
	var out strings.Builder
	for _, tenant := range tenants {
		list, err := s.Accounts(t.Context(), tenant, "", 1000)
		check(t, err)
		fmt.Fprintf(&out, "%#v\n", list)
		keys, err := s.Keys(t.Context(), tenant, "", 1000)
		check(t, err)
		fmt.Fprintf(&out, "%#v\n%d changes\n", keys, len(feed(t, s, tenant)))
		for _, key := range []string{"r-1", "r-2", "late-1", "late-11"} {
			r, err := s.FindResponse(t.Context(), tenant, key, now)
			fmt.Fprintf(&out, "%#v %v\n", r, err)
		}
	}
	secret, err := s.Secret(t.Context(), "cursor")
	check(t, err)
	return out.String() + fmt.Sprintf("%x", secret)
}

// wantSameIndexes reports unless the database has the indexes of one that no copy was
// made in.
func wantSameIndexes(t *testing.T, dsn, fresh string) {
	t.Helper()
	const query = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexdef"
	if got, want := texts(t, dsn, query), texts(t, fresh, query); !slices.Equal(got, want) {
		t.Errorf("indexes: got %q, want %q", got, want)
	}
}

// texts are what a query finds.
func texts(t *testing.T, dsn, query string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	check(t, err)
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), query)
	check(t, err)
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	check(t, err)
	return list
}

func execute(t *testing.T, dsn, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	check(t, err)
	defer conn.Close(t.Context())
	tag, err := conn.Exec(t.Context(), statement)
	check(t, err)
	if tag.RowsAffected() == 0 {
		t.Errorf("%s: wrote nothing", statement)
	}
}

func vacuumInto(t *testing.T, from, to string) {
	t.Helper()
	executeInFile(t, from, "VACUUM INTO '"+to+"'")
}

func executeInFile(t *testing.T, file, statement string) {
	t.Helper()
	conn, err := zombie.OpenConn(file, zombie.OpenReadWrite)
	check(t, err)
	defer conn.Close()
	check(t, sqlitex.ExecuteTransient(conn, statement, nil))
}
