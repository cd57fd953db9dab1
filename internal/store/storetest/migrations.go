package storetest

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

// WantMigrations checks that the folder schema has exactly these scripts, numbered from 1, with these
// SHA-256 hashes: a released script never changes.
func WantMigrations(t *testing.T, files fs.FS, want map[string]string) {
	t.Helper()
	names, err := fs.Glob(files, "schema/*.sql")
	if err != nil || len(names) != len(want) {
		t.Fatalf("got migrations %v (%v), want %d", names, err, len(want))
	}
	for i, name := range names {
		script, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(script)); got != want[name] {
			t.Errorf("%s: got hash %s, want %s", name, got, want[name])
		}
		if !strings.HasPrefix(name, fmt.Sprintf("schema/%04d_", i+1)) {
			t.Errorf("%s is migration %d", name, i+1)
		}
	}
}
