package postgres

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/store/pgtest"
	"kartotek/internal/store/storetest"
)

// citus returns the URL of a database with Citus and its nodes. KARTOTEK_TEST_CITUS is the URL of
// the coordinator, of a superuser that can connect to the workers as well, or "start": then the test
// starts a coordinator and two workers, for which Citus must be installed.
func citus(t *testing.T) string {
	t.Helper()
	setting := os.Getenv("KARTOTEK_TEST_CITUS")
	switch setting {
	case "":
		t.Skip("KARTOTEK_TEST_CITUS is not set")
	case "start":
		return startCitus(t)
	}
	return setting
}

func startCitus(t *testing.T) string {
	t.Helper()
	var urls []string
	for range 3 {
		server := pgtest.New(t, "shared_preload_libraries=citus", "citus.node_conninfo=sslmode=disable", "fsync=off")
		urls = append(urls, fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres", server.Port()))
	}
	connectNodes(t, urls[0], urls[1:])
	return urls[0]
}

// connectNodes creates the extension in a database of each node, and adds the workers.
func connectNodes(t testing.TB, coordinator string, workers []string) {
	t.Helper()
	for _, node := range append([]string{coordinator}, workers...) {
		execute(t, node, "CREATE EXTENSION citus")
	}
	add := func(function, node string) {
		config := parseURL(t, node)
		execute(t, coordinator, fmt.Sprintf("SELECT %s('%s', %d)", function, config.Host, config.Port))
	}
	add("citus_set_coordinator_host", coordinator)
	for _, worker := range workers {
		add("citus_add_node", worker)
	}
}

func parseURL(t testing.TB, dsn string) *pgx.ConnConfig {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// withDatabase returns the URL of another database, and on another node unless host is empty.
func withDatabase(t testing.TB, dsn, host, database string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Host, u.Path = cmp.Or(host, u.Host), "/"+database
	return u.String()
}

// createCitus creates a database on all nodes and returns its URL.
func createCitus(t testing.TB, dsn, dir string) string {
	t.Helper()
	hash := fnv.New64a()
	hash.Write([]byte(dir))
	name := fmt.Sprintf("kartotek_test_%x", hash.Sum64())
	hosts := workers(t, dsn)
	for _, host := range append([]string{""}, hosts...) {
		node := withDatabase(t, dsn, host, "postgres")
		execute(t, node, "CREATE DATABASE "+name)
		t.Cleanup(func() { execute(t, node, "DROP DATABASE "+name+" WITH (FORCE)") })
	}
	var urls []string
	for _, host := range hosts {
		urls = append(urls, withDatabase(t, dsn, host, name))
	}
	coordinator := withDatabase(t, dsn, "", name)
	connectNodes(t, coordinator, urls)
	return coordinator
}

// workers returns the host and port of each worker.
func workers(t testing.TB, dsn string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	rows, err := conn.Query(t.Context(), "SELECT node_name || ':' || node_port FROM citus_get_active_worker_nodes()")
	if err != nil {
		t.Fatal(err)
	}
	hosts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return hosts
}

func execute(t testing.TB, dsn, sql string) {
	t.Helper()
	if err := pgtest.Run(context.Background(), dsn, sql); err != nil { // also in a cleanup
		t.Fatal(err)
	}
}

// openCitus opens a store with distributed tables.
func openCitus(t testing.TB, dsn string) *Store {
	t.Helper()
	s, err := Open(context.Background(), dsn, Options{}) // the caller closes it
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Distribute(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStoreOnCitus(t *testing.T) {
	dsn := citus(t)
	var mu sync.Mutex
	created := map[string]string{}
	storetest.Run(t, func(t testing.TB, dir string) storetest.Store {
		mu.Lock()
		defer mu.Unlock()
		if created[dir] == "" {
			created[dir] = createCitus(t, dsn, dir)
		}
		return openCitus(t, created[dir])
	})
}

// TestRequestsAreRouterQueriesOnCitus checks that Citus runs each statement of a request as one task on
// one node.
func TestRequestsAreRouterQueriesOnCitus(t *testing.T) {
	s := openCitus(t, createCitus(t, citus(t), t.TempDir()))
	defer s.Close()
	fill(t, s, 3)
	for name, st := range requestStatements(t, s) {
		rows, err := s.pool.Query(t.Context(), "EXPLAIN "+st.query, append([]any{pgx.QueryExecModeExec}, st.args...)...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if plan := strings.Join(lines, "\n"); err != nil || strings.Count(plan, "Custom Scan (Citus") != 1 || !strings.Contains(plan, "Task Count: 1") {
			t.Errorf("%s: got plan (%v)\n%s\nwant one task", name, err, plan)
		}
	}
}

func TestFeedOnCitusMissesNoChange(t *testing.T) {
	dsn := createCitus(t, citus(t), t.TempDir())
	first, second := openCitus(t, dsn), openCitus(t, dsn)
	defer first.Close()
	defer second.Close()
	feedMissesNoChange(t, first, second)
}

func TestDistributeWithoutCitusFails(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	if err := s.Distribute(t.Context()); err == nil || !strings.Contains(err.Error(), "CREATE EXTENSION citus") {
		t.Errorf("got %v, want an error that tells to create the extension", err)
	}
	fill(t, s, 1)
	if _, err := rename(t, s, 1, "King"); err != nil {
		t.Error(err)
	}
}
