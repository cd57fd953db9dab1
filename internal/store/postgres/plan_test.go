package postgres

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// TestEveryStatementUsesAnIndex has PostgreSQL say how it would run what is run for
// a request, when it avoids to read all of a table wherever it can.
func TestEveryStatementUsesAnIndex(t *testing.T) {
	t.Parallel()
	s := open(t, testDatabase(t, t.TempDir())+"&enable_seqscan=off&enable_sort=on")
	fill(t, s, 3)
	c, err := s.Find(t.Context(), customer.ByNumber("north", 1))
	if err != nil {
		t.Fatal(err)
	}
	update := append(values(&c, layout.MutableColumns), nil, nil, nil, "north", c.ID, int64(7), int64(0), int64(0))
	move := append(update[:len(update):len(update)], "e", "a", nil, nil, "{}", " 4722334455 ")
	row := append(move[:len(move):len(move)], uint32(9))
	for name, tt := range map[string]struct {
		query string
		args  []any
	}{
		"find":           {alone.find, []any{"north", c.ID}},
		"hold":           {held.find, []any{"north", c.ID}},
		"move":           {alone.move, move},
		"find row":       {selectRow, []any{"north", c.ID}},
		"move row":       {moveRow, row},
		"find many":      {selectCustomers, refRow.arrays([][]any{{"north", nil, int32(1)}})},
		"find number":    {selectNumbered, []any{"north", 1}},
		"move many":      {moveRows, movingRow.arrays([][]any{row})},
		"move held":      {held.move, move},
		"update":         {held.update, update},
		"hold many":      {holdCustomers, []any{"north", []string{c.ID, "x"}}},
		"move many held": {moveHeld, movingRow.arrays([][]any{row})},
		"phones":         {putPhones, []any{"north", c.ID, " 4722334455 "}},
		"number":         {selectNumber, []any{"north", 1}},
		"ids":            {selectIDs, []any{"north", []string{c.ID, "x"}}},
		"numbers":        {selectNumbers, []any{"north", []int32{1, 2}}},
		"free numbers":   {numbersAfter, []any{"north", 1}},
		"grow":           {growTenant, []any{"north", 1, 1}},
		"changes":        {selectChanges, []any{"north", c.ID, int64(9), 10}},
		"feed":           {selectFeed, []any{"north", int64(1), 10}},
		"last change":    {selectLastSeq, []any{"north"}},
		"receipt":        {selectReceipt, []any{"north", "k", int64(1)}},
		"old receipts":   {removeOldReceipts, []any{int64(1)}},
		"account":        {selectAccount, []any{"kari"}},
		"accounts":       {selectAccounts, []any{"north", "kari", 10}},
		"revoke account": {revokeAccount, []any{"north", "kari", int64(1)}},
		"key":            {selectKey, []any{"k"}},
		"keys":           {selectKeys, []any{"north", "k", 10}},
		"revoke key":     {revokeKey, []any{"north", "k", int64(1)}},
		"secret":         {selectSecret, []any{"cursor"}},
	} {
		wantIndex(t, s, name, tt.query, tt.args)
	}
}

// TestSearchesUseAnIndex looks at how candidates are found.
func TestSearchesUseAnIndex(t *testing.T) {
	t.Parallel()
	s := open(t, testDatabase(t, t.TempDir())+"&enable_seqscan=off")
	fill(t, s, 1)
	run(t, s, `
		INSERT INTO customers (`+layout.Names(layout.Columns)+`, last_key, first_key, keys)
		SELECT tenant, gen_random_uuid()::text, n, created_at, `+layout.Names(layout.MutableColumns)+`, 'name' || n, '', ' name' || n || ' 47' || n * 7919 || ' '
		FROM customers, generate_series(2, 30000) AS n;
		INSERT INTO phones (tenant, id, digits)
		SELECT tenant, id, ' 47' || number * 7907
		FROM customers
		WHERE number % 2 = 0;
		SELECT gin_clean_pending_list('phones_digits'), gin_clean_pending_list('customers_keys');
		ANALYZE customers, phones`)
	c, err := s.Find(t.Context(), customer.ByNumber("north", 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		q       customer.Query
		indexes string // that find the candidates
	}{
		{customer.Query{}, "customers_order"},
		{customer.Query{Name: "lo"}, "customers_order"},
		{customer.Query{Name: "lovel"}, "customers_keys"},
		{customer.Query{Email: "ada@"}, "customers_keys"},
		{customer.Query{Phone: "4455"}, "customers_keys phones_digits customers_pkey"},
		{customer.Query{Phone: "44"}, "customers_order"},
		{customer.Query{Number: 2}, "customers_pkey"},
		{customer.Query{Words: "22334455"}, "customers_keys phones_digits customers_pkey"},
		{customer.Query{Name: "lovel", Phone: "4455"}, "customers_keys phones_digits"},
		{customer.Query{Name: "lovel", Phone: "44"}, "customers_keys phones_pkey"},
		{customer.Query{Name: "lovel", ConfirmedBefore: time.Now()}, "customers_keys"},
	} {
		one := &search{tenant: "north", terms: tt.q.Terms(), query: tt.q, limit: 20}
		name := fmt.Sprintf("%+v", tt.q)
		plans := ""
		if slices.ContainsFunc(one.terms, narrow) {
			called := make([][]string, len(one.terms))
			for i, term := range one.terms {
				if len(term.Phones) > 0 && narrow(term) {
					sql, args := one.calledQuery(term)
					plans += wantIndex(t, s, name, sql, args)
					called[i] = []string{c.ID}
				}
			}
			sql, args := one.sortedQuery(called)
			plans += wantIndex(t, s, name, sql, args)
		} else {
			sql, args := one.inOrderQuery()
			plans += wantIndex(t, s, name, sql, args)
		}
		for index := range strings.FieldsSeq(tt.indexes) {
			if !strings.Contains(plans, index) {
				t.Errorf("%+v: want %s in\n%s", tt.q, index, plans)
			}
		}
	}
}

// wantIndex reports when a statement reads all of a table.
func wantIndex(t *testing.T, s *Store, name, query string, args []any) (plan string) {
	t.Helper()
	rows, err := s.pool.Query(t.Context(), "EXPLAIN "+query, append([]any{pgx.QueryExecModeExec}, args...)...)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	plan = strings.Join(lines, "\n")
	if strings.Contains(plan, "Seq Scan") {
		t.Errorf("%s:\n%s", name, plan)
	}
	return plan
}
