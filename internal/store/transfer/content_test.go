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

// created counts the customers that tests create.
var created struct {
	sync.Mutex
	n int
}

// people is the initial number of customers of the tenant north.
const people = 40

var (
	tenants = []string{"north", "south", "west"}
	names   = []string{"Müller", "O’Brien", "Dvořák", "Παπαδόπουλος", "李", `"\'`, "Ñ🙂", "van den Berg"}
	now     = time.Date(2025, 3, 1, 12, 0, 0, 123456000, time.UTC)
)

// filledFile creates a store with rows in every table.
func filledFile(t *testing.T) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "k.db")
	s := openFile(t, file)
	entries := make([]customer.Upsert, people)
	for i := range entries {
		entries[i] = customer.Upsert{ID: id(i + 1), Edit: person(i)}
	}
	put(t, s, "north", entries...)
	put(t, s, "south", // ids of another tenant, numbers with gaps, and minimal records
		customer.Upsert{ID: id(1), Number: 1000, Edit: rename("A")},
		customer.Upsert{ID: id(900), Edit: rename("B")},
		customer.Upsert{ID: id(2), Number: 7, Edit: rename("C")})
	put(t, s, "west", customer.Upsert{ID: id(3), Edit: func(c *customer.Customer) error {
		c.LastName, c.Address.Line = strings.Repeat("é", 100), strings.Repeat("ø 1 ", 24)+"x"
		return nil
	}})
	for i := range people {
		update(t, s, i+1, i)
	}
	for _, r := range []customer.IdempotencyRecord{idempotencyRecord("north", "r-1"), idempotencyRecord("north", "r-2"), idempotencyRecord("south", "r-1")} {
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

// writeMore updates customers, creates customers, and changes the small tables.
func writeMore(t *testing.T, s storetest.Store, n int) {
	t.Helper()
	for _, number := range []int{1, 2 + n, people - n} {
		update(t, s, number, 1000+n)
	}
	createOne(t, s, "north")
	createOne(t, s, fmt.Sprintf("new-%d", n))
	check(t, s.SaveResponse(t.Context(), idempotencyRecord("west", fmt.Sprint("late-", n))))
	a := accounts()[0]
	a.ID, a.Login = fmt.Sprint("acc_late", n), fmt.Sprint("late-", n)
	check(t, s.AddAccount(t.Context(), a))
	check(t, s.RevokeAccount(t.Context(), a.Tenant, a.ID, now))
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

func changeMeta() customer.ChangeMeta {
	return customer.ChangeMeta{Actor: "acc_1", ActorName: "kåri", Contract: "native", RequestID: "r-1", At: now}
}

func put(t *testing.T, s storetest.Store, tenant string, entries ...customer.Upsert) {
	t.Helper()
	by := changeMeta()
	by.Contract, by.RequestID = "", ""
	results, err := s.Upsert(t.Context(), tenant, by, entries)
	check(t, err)
	for _, r := range results {
		check(t, r.Err)
	}
}

func createOne(t *testing.T, s storetest.Store, tenant string) customer.Customer {
	t.Helper()
	created.Lock()
	created.n++
	entry := customer.Upsert{GeneratedID: id(100_000 + created.n), Edit: rename("New")}
	created.Unlock()
	ch, err := s.Create(t.Context(), tenant, changeMeta(), entry, nil)
	check(t, err)
	return ch.After
}

func update(t *testing.T, s storetest.Store, number, n int) {
	t.Helper()
	_, err := s.Update(t.Context(), customer.ByNumber("north", int32(number)), changeMeta(), func(c *customer.Customer) error {
		c.Mobile = fmt.Sprintf("+32 470 %06d", n)
		return nil
	}, nil)
	check(t, err)
}

func idempotencyRecord(tenant, key string) customer.IdempotencyRecord {
	return customer.IdempotencyRecord{Tenant: tenant, Actor: "key_Ab3dE6gH", Key: key, Digest: "digest", Response: []byte("\x00\xff" + key), At: now}
}

func accounts() []access.Account {
	return []access.Account{
		{Tenant: "north", ID: "acc_1", Login: "kåri", PasswordHash: "$argon2id$1", Customers: access.AllCustomers(), CreatedAt: now},
		{Tenant: "north", ID: "acc_2", Login: "two", PasswordHash: "$argon2id$2", Customers: access.OnlyCustomers(2, 1), CreatedAt: now},
		{Tenant: "south", ID: "acc_3", Login: "none", PasswordHash: "$argon2id$3", Customers: access.OnlyCustomers(), CreatedAt: now},
		{Tenant: "south", ID: "acc_4", Login: "gone", PasswordHash: "$argon2id$4", Customers: access.OnlyCustomers(1000), CreatedAt: now, RevokedAt: now.Add(time.Hour)},
	}
}

func keys() []access.Key {
	return []access.Key{
		{Tenant: "north", ID: "key_Ab3dE6gH", Name: "shop ø", Hash: [32]byte{1, 0, 255}, Scopes: []access.Scope{access.Read, access.Write}, CreatedAt: now},
		{Tenant: "north", ID: "key_Bb3dE6gH", Name: "careful", Scopes: []access.Scope{access.Read}, CreatedAt: now, Options: access.KeyOptions{RequireIfMatch: true}},
		{Tenant: "south", ID: "key_Cb3dE6gH", Name: "gone", Scopes: access.Scopes(), CreatedAt: now, RevokedAt: now.Add(time.Hour), Options: access.KeyOptions{AllowStaleWrites: true}},
	}
}

// wantEqualStores checks that both stores return the same rows.
func wantEqualStores(t *testing.T, file, dsn string) {
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
		wantSameSearches(t, source, copied, tenant)
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

func wantSameSearches(t *testing.T, source, copied storetest.Store, tenant string) {
	t.Helper()
	for _, text := range []string{"muller", "kari παπ", "kari1", "3247000000", "1001", "9000", "7"} {
		want, err := source.Search(t.Context(), tenant, text, 100)
		check(t, err)
		got, err := copied.Search(t.Context(), tenant, text, 100)
		if err != nil || !slices.Equal(got.Customers, want.Customers) {
			t.Errorf("search %q in %s: got %d (%v), want %d", text, tenant, len(got.Customers), err, len(want.Customers))
		}
	}
	for _, f := range []customer.Filter{{}, {PostalCode: "9000"}, {Number: 7}, {ConfirmedBefore: now}} {
		want, err := source.List(t.Context(), tenant, f, customer.Cursor{}, 1000)
		check(t, err)
		got, err := copied.List(t.Context(), tenant, f, customer.Cursor{}, 1000)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("list %+v in %s: got %d (%v), want %d", f, tenant, len(got), err, len(want))
		}
	}
}

// dump returns the small tables of a store as text, and the number of its changes.
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
			r, err := s.FindResponse(t.Context(), tenant, "key_Ab3dE6gH", key, now)
			fmt.Fprintf(&out, "%#v %v\n", r, err)
		}
	}
	secret, err := s.Secret(t.Context(), "cursor")
	check(t, err)
	return out.String() + fmt.Sprintf("%x", secret)
}

// wantSameIndexes checks that the database has the indexes of a new one.
func wantSameIndexes(t *testing.T, dsn, fresh string) {
	t.Helper()
	const query = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexdef"
	if got, want := texts(t, dsn, query), texts(t, fresh, query); !slices.Equal(got, want) {
		t.Errorf("indexes: got %q, want %q", got, want)
	}
}

// texts returns the rows of a query.
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
		t.Errorf("%s: changed no rows", statement)
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
