package sqlite

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"kartotek/internal/customer"
)

// TestDamagedFileIsReported overwrites pages of the file, as a failing disk may do.
func TestDamagedFileIsReported(t *testing.T) {
	const customers = 2000
	path := filepath.Join(t.TempDir(), "test.db")
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, customers)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	for at := 40 * page; at+page <= len(content); at += 3 * page {
		copy(content[at:], bytes.Repeat([]byte{0xa5}, page))
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, Options{})
	if err := s.Ping(t.Context()); err != nil || s.Corrupt() {
		t.Errorf("before a read: got %v, want no error", err)
	}
	failed := 0
	for n := range int32(customers) {
		if _, err := s.Find(t.Context(), customer.ByNumber("north", n+1)); err != nil {
			failed++
		}
	}
	if failed == 0 {
		t.Fatal("no read failed")
	}
	if err := s.Ping(t.Context()); err == nil || !s.Corrupt() {
		t.Errorf("after %d failed reads: got %v, want an error", failed, err)
	}
}
