package main

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

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
		f, err := of.execute(t.Context(), p, settings{length: time.Second, warmUp: 300 * time.Millisecond}, 1)
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
		"bytes of a customer": {ours.record, theirs.record}, "bytes of a change": {ours.change, theirs.change}, "terms of the customers": {ours.terms, theirs.terms},
	} {
		if difference := n[0] - n[1]; difference*difference > n[0]*n[0]/100 {
			t.Errorf("%s: got %d from Kartotek, %d from pgbench", name, n[0], n[1])
		}
	}
}

// written describes the content of a database after every customer was changed.
type written struct {
	same                  string // digest of the columns that no change sets
	record, change, terms int    // mean sizes in bytes, and the number of terms
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
		SELECT md5(string_agg(concat(tenant, id, number, last_name, email, mobile, created_at), ',' ORDER BY number)),
			avg(pg_column_size(customers.*))::int, count(*) FILTER (WHERE version = 1),
			sum(version) - (SELECT count(*) FROM changes),
			(SELECT avg(pg_column_size(changes.*))::int FROM changes WHERE event = 'customer.updated'),
			(SELECT count(*) FROM terms)
		FROM customers`).Scan(&w.same, &w.record, &unchanged, &lost, &w.change, &w.terms)
	if err != nil {
		t.Fatal(err)
	}
	if unchanged > 0 || lost != 0 {
		t.Errorf("%s: %d customers are unchanged, and %d changes are missing in the history", database, unchanged, lost)
	}
	return w
}
