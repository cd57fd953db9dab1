package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// serverLog is a log with an update of a customer between two other statements.
const serverLog = `2026-11-22 07:48:47.496 UTC [6374] LOG:  execute stmtcache_b9: 
		SELECT version
		FROM customers
		WHERE tenant = $1 AND id = $2
2026-11-22 07:48:47.497 UTC [6374] DETAIL:  parameters: $1 = 'bench', $2 = '01a2'
2026-11-22 07:48:47.498 UTC [6374] LOG:  execute stmtcache_75: 
		WITH moved AS (
		UPDATE customers
		SET (version, first_name, gender, phone, address_line) = ($1, $2, $3, $4, $5),
		    last_key = coalesce($6::text, last_key),
		    first_key = coalesce($7::text, first_key),
		    keys = coalesce($8::text, keys)
		WHERE tenant = $9 AND id = $10 AND version = $11 AND xmin = $14
			RETURNING tenant, id), called AS (
			INSERT INTO phones (tenant, id, digits)
			SELECT tenant, id, $13::text
			FROM moved
			WHERE $13::text IS NOT NULL)
		INSERT INTO changes (tenant, fields)
		SELECT tenant, $12::text
		FROM moved
2026-11-22 07:48:47.498 UTC [6374] DETAIL:  parameters: $1 = '2', $2 = 'Ga''b', $3 = NULL, $4 = '+47 2201 2345', $5 = 'Storgata 1234', $6 = NULL, $7 = NULL, $8 = NULL, $9 = 'bench', $10 = '01a2', $11 = '1', $12 = '{"phone":["a","b"]}', $13 = ' 4722012345 474', $14 = '751'
2026-11-22 07:48:47.499 UTC [6374] LOG:  execute stmtcache_76: 
		SELECT 1
2026-11-22 07:48:47.499 UTC [6374] DETAIL:  parameters: $1 = 'bench'
`

func TestScriptRunsStatementForRandomCustomers(t *testing.T) {
	t.Parallel()
	st, err := findUpdate(serverLog)
	if err != nil {
		t.Fatal(err)
	}
	got, err := st.script(500)
	if err != nil {
		t.Fatal(err)
	}
	const want = `\set id random(100000000001, 100000000500)
\set phone random(1000000000000, 9999999999999)
\set line random(1000000000000, 9999999999999)
\set digits random(4722000000, 4722999999)
\set mobile random(47400000000, 47499999999)
WITH moved AS ( UPDATE customers SET (version, first_name, gender, phone, address_line) = (version + 1, :value2, NULL, :phone, :line), ` +
		`last_key = coalesce(NULL::text, last_key), first_key = coalesce(NULL::text, first_key), keys = coalesce(NULL::text, keys) ` +
		`WHERE tenant = :value9 AND id = ('00000000-0000-7000-8000-' || :id::text) AND version = customers.version AND xmin = customers.xmin ` +
		`RETURNING tenant, id), called AS ( INSERT INTO phones (tenant, id, digits) SELECT tenant, id, (' ' || :digits::text || ' ' || :mobile::text)::text ` +
		`FROM moved WHERE (' ' || :digits::text || ' ' || :mobile::text)::text IS NOT NULL) ` +
		`INSERT INTO changes (tenant, fields) SELECT tenant, :value12::text FROM moved;
`
	if got.text != want {
		t.Errorf("got  %s\nwant %s", got.text, want)
	}
	variables := []string{"-D", `value12={"phone":["a","b"]}`, "-D", "value2=Ga'b", "-D", "value9=bench"}
	if !slices.Equal(got.variables, variables) {
		t.Errorf("variables: got %q, want %q", got.variables, variables)
	}
}

func TestScriptRejectsKeysOfOneCustomer(t *testing.T) {
	t.Parallel()
	st, err := findUpdate(strings.Replace(serverLog, "$8 = NULL", "$8 = ' gab b '", 1))
	if err == nil {
		_, err = st.script(500)
	}
	if err == nil {
		t.Error("got no error for the keys of one customer")
	}
}

func TestScriptRejectsUnknownStatement(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"UPDATE customers", "SET (", "version,", "phone,", "address_line)", "INTO phones", "id = $10", "version = $11", "xmin ="} {
		st, err := findUpdate(strings.Replace(serverLog, part, strings.ToUpper("other")+part[len(part)-1:], 1))
		if err == nil {
			_, err = st.script(500)
		}
		if err == nil {
			t.Errorf("without %q: got no error", part)
		}
	}
}

func TestPgbenchWritesWhatKartotekWrites(t *testing.T) {
	t.Parallel()
	if err := checkPostgres(t.Context()); err != nil {
		t.Skip(err)
	}
	const customers = 50
	work, err := newWorkspace("")
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(work)
	defer func() {
		if err := l.close(); err != nil {
			t.Error(err)
		}
	}()
	for _, name := range []string{onPostgres, pgBench} {
		s, err := l.target(t.Context(), name, customers)
		if err != nil {
			t.Fatal(err)
		}
		of := run{target: name, customers: customers, kind: patch, connections: 2}
		p := preparedTarget{target: s}
		if s.start != nil {
			if p.server, err = s.start(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			defer p.server.stop()
		}
		f, err := of.execute(t.Context(), p, settings{length: 300 * time.Millisecond, warmUp: 300 * time.Millisecond}, 1)
		if err != nil {
			t.Fatal(err)
		}
		if f.Rate < customers || f.CPU <= 0 {
			t.Errorf("%s: got figures that cannot be: %+v", name, f)
		}
	}
	ours, theirs := l.cluster.written(t, kartotekDatabase), l.cluster.written(t, pgbenchDatabase)
	if ours.same != theirs.same {
		t.Error("pgbench changed columns that a PATCH does not change")
	}
	for name, n := range map[string][2]int{
		"bytes of a customer": {ours.record, theirs.record}, "of a change": {ours.change, theirs.change}, "digits of its phones": {ours.digits, theirs.digits},
	} {
		if difference := n[0] - n[1]; difference*difference > n[0]*n[0]/100 {
			t.Errorf("%s: got %d from Kartotek, %d from pgbench", name, n[0], n[1])
		}
	}
}

// written describes the content of a database after every customer was changed.
type written struct {
	same                   string // digest of the columns that no change sets
	record, change, digits int    // mean sizes in bytes
}

func (c *cluster) written(t *testing.T, database string) (w written) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, c.DSN(database))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	var unchanged, lost int
	err = conn.QueryRow(ctx, `
		SELECT md5(string_agg(concat(tenant, id, number, last_key, first_key, keys, created_at), ',' ORDER BY number)),
			avg(pg_column_size(customers.*))::int, avg(length(digits))::int, count(*) FILTER (WHERE version = 1 OR digits IS NULL),
			sum(version) - (SELECT count(*) FROM changes),
			(SELECT avg(pg_column_size(changes.*))::int FROM changes WHERE event = 'customer.updated')
		FROM customers LEFT JOIN phones USING (tenant, id)`).Scan(&w.same, &w.record, &w.digits, &unchanged, &lost, &w.change)
	if err != nil {
		t.Fatal(err)
	}
	if unchanged > 0 || lost != 0 {
		t.Errorf("%s: %d customers are unchanged, and %d changes are missing in the history", database, unchanged, lost)
	}
	return w
}
