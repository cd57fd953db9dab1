package sqlite

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"kartotek/internal/fault"
)

func TestServerLockHasOneHolder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "k.db")
	lock, err := LockServer(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LockServer(path); err == nil || err.Error() != "a server has the store "+path+" open" {
		t.Errorf("a second lock: got %v", err)
	}
	other, err := LockServer(path + "2")
	if err != nil {
		t.Errorf("another store: %v", err)
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	if lock, err = LockServer(path); err != nil {
		t.Fatalf("after the lock was released: %v", err)
	}
	for _, l := range []ServerLock{lock, other} {
		if err := l.Unlock(); err != nil {
			t.Error(err)
		}
	}
}

// TestWritesFailWhenTheFileIsReplaced puts another file in the place of the store, and then the
// store again.
func TestWritesFailWhenTheFileIsReplaced(t *testing.T) {
	t.Parallel()
	replacements := map[string]func(path string) error{
		"removed":  func(string) error { return nil },
		"replaced": func(path string) error { return os.WriteFile(path, []byte("another store"), 0o600) },
	}
	for name, replace := range replacements {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "k.db")
			s := open(t, path, Options{})
			fill(t, s, 1)
			must(t, os.Rename(path, path+".moved"))
			must(t, replace(path))
			time.Sleep(2 * checkInterval)
			if err := update(t, s, 1, addOne); !fault.Is(err, fault.Unavailable) {
				t.Errorf("an update: got %v, want an Unavailable fault", err)
			}
			if err := s.Ping(t.Context()); !fault.Is(err, fault.Unavailable) {
				t.Errorf("ping: got %v, want an Unavailable fault", err)
			}
			must(t, os.Rename(path+".moved", path))
			if err := update(t, s, 1, addOne); err != nil {
				t.Errorf("an update after the file is back: %v", err)
			}
			must(t, s.Ping(t.Context()))
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
