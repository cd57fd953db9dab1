package postgres

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// TestEveryStatementUsesAnIndex checks the plan of each statement of a request, with sequential scans
// made expensive.
func TestEveryStatementUsesAnIndex(t *testing.T) {
	t.Parallel()
	s := open(t, testDatabase(t, t.TempDir())+"&enable_seqscan=off&enable_sort=on")
	fill(t, s, 3)
	for name, st := range requestStatements(t, s) {
		wantIndex(t, s, name, st.query, st.args)
	}
	for name, st := range map[string]statement{
		"account":        {layout.SelectAccount, []any{"kari"}},
		"accounts":       {layout.SelectAccounts, []any{"north", "acc_1", 10}},
		"revoke account": {layout.RevokeAccount, []any{int64(1), "north", "acc_1"}},
		"key":            {layout.SelectKey, []any{"k"}},
		"keys":           {layout.SelectKeys, []any{"north", "k", 10}},
		"revoke key":     {layout.RevokeKey, []any{int64(1), "north", "k"}},
		"secret":         {layout.SelectSecret, []any{"cursor"}},
	} {
		wantIndex(t, s, name, st.query, st.args)
	}
}

type statement struct {
	query string
	args  []any
}

// requestStatements returns the statements of reads and writes of tenant north, which has customer 1.
func requestStatements(t *testing.T, s *Store) map[string]statement {
	t.Helper()
	c, err := s.Find(t.Context(), customer.ByNumber("north", 1))
	if err != nil {
		t.Fatal(err)
	}
	created := c
	created.ID, created.Number = "018f3c5a-9b1e-7d3a-8c4b-ffffffffffff", 1_000_000
	return map[string]statement{
		"find by id":         {selectByID, []any{"north", c.ID}},
		"find by number":     {selectByNumber, []any{"north", 1}},
		"lock tenant":        {lockTenant, []any{"north"}},
		"load by ids":        {selectByIDs, []any{"north", []string{c.ID, "x"}}},
		"load by numbers":    {selectByNumbers, []any{"north", []int32{1, 2}}},
		"load keys":          {selectIdempotencyKeys, []any{"north", []string{"k"}}},
		"free numbers":       {selectNumbersFrom, []any{"north", 1}},
		"insert customer":    {insertCustomer, layout.Values(&created, layout.Columns)},
		"update customer":    {updateCustomer, append(layout.Values(&c, layout.MutableColumns), "north", c.ID, int64(7))},
		"insert term":        {insertTerm, []any{"north", "nx", 1_000_000}},
		"delete term":        {deleteTerm, []any{"north", "nx", 1}},
		"insert change":      {insertChange, []any{"north", int64(1) << 40, c.ID, 1, int64(1) << 40, "e", "a", nil, nil, nil, int64(1), "{}", nil}},
		"update tenant":      {updateTenant, []any{"north", int64(9), 3, 1}},
		"history":            {selectHistory, []any{"north", c.ID, int64(9), 10}},
		"snapshot":           {selectSnapshotAfter, []any{"north", c.ID, int64(1)}},
		"feed":               {selectFeed, []any{"north", int64(1), 10}},
		"idempotency record": {layout.SelectIdempotencyRecord, []any{"north", "a", "k", int64(1)}},
		"save record":        {layout.UpsertIdempotencyRecord, []any{"north", "a", "k", "d", []byte{}, int64(1)}},
		"expired records":    {deleteExpiredRecords, []any{"north", int64(1)}},
		"terms":              {selectTerms, []any{"north", "na", "nb", 10}},
		"list":               {selectAfterNumber, []any{"north", 1, 10}},
		"never confirmed":    {selectNeverConfirmed, []any{"north", 1, 10}},
		"confirmed before":   {selectConfirmedBefore, []any{"north", int64(1), 1, int64(9), 10}},
	}
}

// wantIndex checks that a statement does not scan a whole table.
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
