package postgres

import (
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"kartotek/internal/store/pgtest"
	"kartotek/internal/store/storetest"
)

// TestStoreOnCitus holds a store whose tables are spread to what all promise, on the
// Citus whose address is in KARTOTEK_TEST_CITUS: a user there who may create
// databases, and extensions in them.
func TestStoreOnCitus(t *testing.T) {
	t.Parallel()
	dsn := os.Getenv("KARTOTEK_TEST_CITUS")
	if dsn == "" {
		t.Skip("KARTOTEK_TEST_CITUS names no Citus")
	}
	var making sync.Mutex // a template is copied by one at a time
	made := map[string]string{}
	storetest.Run(t, 0, func(t testing.TB, dir string) storetest.Store {
		making.Lock()
		defer making.Unlock()
		if made[dir] == "" {
			made[dir] = createCitus(t, dsn, dir)
		}
		s, err := Open(context.Background(), made[dir], Options{}) // the caller closes it
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Distribute(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s
	})
}

// createCitus makes a database with Citus in it, and returns its address.
func createCitus(t testing.TB, dsn, dir string) string {
	t.Helper()
	hash := fnv.New64a()
	hash.Write([]byte(dir))
	name := fmt.Sprintf("kartotek_test_%x", hash.Sum64())
	execute(t, dsn, "CREATE DATABASE "+name)
	t.Cleanup(func() { execute(t, dsn, "DROP DATABASE "+name+" WITH (FORCE)") })
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	own := strings.Replace(dsn, "/"+config.Database, "/"+name, 1)
	execute(t, own, "CREATE EXTENSION citus")
	return own
}

func execute(t testing.TB, dsn, sql string) {
	t.Helper()
	if err := pgtest.Run(context.Background(), dsn, sql); err != nil { // also when the test has ended
		t.Fatal(err)
	}
}

func TestDistributeWithoutCitusFails(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	if err := s.Distribute(t.Context()); err == nil || !strings.Contains(err.Error(), "CREATE EXTENSION citus") {
		t.Errorf("got %v, want how to have Citus", err)
	}
	fill(t, s, 1)
	if _, err := rename(t, s, 1, "King"); err != nil {
		t.Error(err)
	}
}
