package postgres

import (
	"fmt"
	"io/fs"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"kartotek/internal/customer"
	"kartotek/internal/store/pgtest"
)

// found is the numbers of the customers whom a search finds.
func found(t *testing.T, s *Store, q customer.Query) (numbers []int32) {
	t.Helper()
	page, err := s.Search(t.Context(), "north", q, customer.Position{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range page.Customers {
		numbers = append(numbers, c.Number)
	}
	return numbers
}

// wantCalled wants customer 1 to be found by the first of the phones, and by no other.
func wantCalled(t *testing.T, s *Store, phones ...string) {
	t.Helper()
	for i, phone := range phones {
		for _, q := range []customer.Query{{Phone: phone}, {Words: phone}, {Phone: phone[4:]}, {Words: phone, Name: "lovelace"}} {
			if got := len(found(t, s, q)); got != 1 && i == 0 || got != 0 && i > 0 {
				t.Errorf("%+v finds %d customers", q, got)
			}
		}
		for _, q := range []customer.Query{{Phone: phone[6:]}, {Phone: phone[6:], Name: "lovelace"}} { // which no index finds
			if i == 0 && len(found(t, s, q)) != 1 {
				t.Errorf("%+v finds nobody", q)
			}
		}
	}
}

// asBefore changes the phone of customer 1 as the program did that knew no table of
// phones.
func asBefore(t *testing.T, s *Store, phone, keys string) {
	t.Helper()
	run(t, s, fmt.Sprintf(`
		WITH moved AS (
			UPDATE customers
			SET phone = '%s', keys = '%s', version = version + 1
			WHERE tenant = 'north' AND number = 1
			RETURNING *
		)
		INSERT INTO changes (tenant, customer_id, version, number, at, seq, event, actor, fields)
		SELECT tenant, id, version, number, updated_at, %s, 'customer.updated', 'test', '{}'
		FROM moved`, phone, keys, seq(strconv.FormatInt(s.feedBase, 10), "0")))
}

// TestAPhoneIsFoundHoweverItWasWritten has the phones of a customer change beside
// his keys, with them, and as by a program that knows no table of phones.
func TestAPhoneIsFoundHoweverItWasWritten(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *Store) {
		fill(t, s, 1)
		ref := customer.ByNumber("north", 1)
		change := func(edit customer.Edit) {
			t.Helper()
			if _, err := s.Update(t.Context(), ref, byTest, edit, nil); err != nil {
				t.Fatal(err)
			}
		}
		change(func(c *customer.Customer) error { c.Phone = "+47 22 33 44 11"; return nil })
		wantCalled(t, s, "22334411")
		change(func(c *customer.Customer) error { c.Phone, c.Mobile = "+47 22 33 44 22", "+47 99 88 77 66"; return nil })
		wantCalled(t, s, "22334422", "22334411")
		wantCalled(t, s, "99887766")
		change(func(c *customer.Customer) error { c.Email = "ada@example.no"; return nil })
		wantCalled(t, s, "22334422", "22334411")
		if got := found(t, s, customer.Query{Email: "ada@", Phone: "99887766"}); len(got) != 1 {
			t.Errorf("by e-mail and mobile: got %v", got)
		}
		change(func(c *customer.Customer) error {
			c.Email, c.Phone = "countess@example.no", "+47 22 33 44 33"
			return nil
		})
		wantCalled(t, s, "22334433", "22334422")
		asBefore(t, s, "+47 22 33 44 44", " lovelace countess@example.no  4722334444 4799887766")
		wantCalled(t, s, "22334444", "22334433")
		change(func(c *customer.Customer) error { c.Phone = ""; return nil })
		wantCalled(t, s, "99887766", "22334444")
		change(func(c *customer.Customer) error { c.Mobile = ""; return nil })
		if got := found(t, s, customer.Query{Phone: "99887766"}); len(got) != 0 {
			t.Errorf("a phone that nobody has finds %v", got)
		}
	})
}

// TestMorePhonesThanAreListed asks for digits that more customers have than a search
// looks up at once.
func TestMorePhonesThanAreListed(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	fill(t, s, 2)
	if err := call(t, s, 2, "+47 22 33 44 55"); err != nil {
		t.Fatal(err)
	}
	run(t, s, "INSERT INTO phones (tenant, id, digits) SELECT 'north', 'gone' || n, ' 4722334455 ' FROM generate_series(1, 11000) AS n")
	if got := found(t, s, customer.Query{Phone: "22334455"}); len(got) != 1 || got[0] != 2 {
		t.Errorf("got %v, want customer 2", got)
	}
}

// TestThePreviousSchemaIsTaken has a server start on the schema before the newest,
// with what the program of that time wrote.
func TestThePreviousSchemaIsTaken(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t, "fsync=off").DSN("postgres")
	pool, err := connect(t.Context(), dsn, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	migrateTo(t, pool, 1)
	old := &Store{pool: pool}
	run(t, old, `
		INSERT INTO customers (tenant, id, number, version, kind, last_name, phone, address_editable, broadband, district_heating, grid, power,
			created_at, updated_at, last_key, first_key, keys)
		VALUES ('north', '018f3c5a-9b1e-7d3a-8c4b-000000000001', 1, 1, 'person', 'Lovelace', '+47 22 33 44 11', true, false, false, false, false,
			1, 1, 'lovelace', '', ' lovelace   4722334411 ');
		INSERT INTO numbers VALUES ('north', 1, '018f3c5a-9b1e-7d3a-8c4b-000000000001');
		INSERT INTO tenants VALUES ('north', 1, 1);
		INSERT INTO changes (tenant, customer_id, version, seq, number, event, actor, at, fields)
		VALUES ('north', '018f3c5a-9b1e-7d3a-8c4b-000000000001', 1, 1, 1, 'customer.created', 'test', 1, '{}')`)
	s := open(t, dsn)
	wantCalled(t, s, "22334411")
	// The old program goes on while servers are replaced.
	if err := call(t, s, 1, "+47 22 33 44 22"); err != nil {
		t.Fatal(err)
	}
	asBefore(t, old, "+47 22 33 44 33", " lovelace   4722334433 ")
	wantCalled(t, s, "22334433", "22334422", "22334411")
	if ch, err := rename(t, s, 1, "King"); err != nil || ch.After.Version != 4 || ch.After.Phone != "+47 22 33 44 33" {
		t.Errorf("got %+v (%v)", ch.After, err)
	}
	if got := found(t, s, customer.Query{Phone: "22334433", Name: "king"}); len(got) != 1 {
		t.Errorf("after a new name got %v", got)
	}
}

// migrateTo brings an empty database to a schema as it was.
func migrateTo(t *testing.T, pool *pgxpool.Pool, version int64) {
	t.Helper()
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	scripts, err := fs.Sub(schema, "schema")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, scripts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
}
