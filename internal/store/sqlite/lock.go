package sqlite

import (
	"errors"
	"fmt"
	"os"
)

var errLocked = errors.New("another process has the lock")

// ServerLock is held by the one server of a store. Other commands work beside the server.
type ServerLock struct{ file *os.File }

// LockServer locks the store at path. It fails when a server or a copy has the lock. The lock is on
// a file beside the store, because SQLite has locks of its own on the store.
func LockServer(path string) (ServerLock, error) {
	file, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return ServerLock{}, err
	}
	if err := lockFile(file); err != nil {
		err = errors.Join(fmt.Errorf("lock %s: %w", file.Name(), err), file.Close())
		if errors.Is(err, errLocked) {
			return ServerLock{}, fmt.Errorf("a server has the store %s open", path)
		}
		return ServerLock{}, err
	}
	return ServerLock{file}, nil
}

// Unlock releases the lock.
func (l ServerLock) Unlock() error { return l.file.Close() }
