package sqlite

import (
	"os"
	"slices"
	"sync"
)

// syncFile flushes the database file to the disk. SQLite does so itself, but only at the end of a
// checkpoint, while the writer waits; the writer need not wait for pages that are already flushed.
//
// POSIX drops all locks that a process holds on a file, SQLite's among them, when the process
// closes any descriptor of the file. So all stores of a file share one descriptor, and the last
// store closes it after its connections.
type syncFile struct {
	file   *os.File
	info   os.FileInfo
	stores int // that use it
}

var syncFiles struct {
	sync.Mutex
	open []*syncFile
}

func openSyncFile(path string) (*syncFile, error) {
	syncFiles.Lock()
	defer syncFiles.Unlock()
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	for _, f := range syncFiles.open {
		if os.SameFile(f.info, info) {
			f.stores++
			return f, nil
		}
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	f := &syncFile{file, info, 1}
	syncFiles.open = append(syncFiles.open, f)
	return f, nil
}

// isAt reports whether the file at path is this one.
func (f *syncFile) isAt(path string) bool {
	info, err := os.Stat(path)
	return err == nil && os.SameFile(f.info, info)
}

// sync returns when everything written before is on the disk.
func (f *syncFile) sync() error { return f.file.Sync() }

// close must be called after the store's connections are closed.
func (f *syncFile) close() error {
	syncFiles.Lock()
	defer syncFiles.Unlock()
	if f.stores--; f.stores > 0 {
		return nil
	}
	syncFiles.open = slices.DeleteFunc(syncFiles.open, func(other *syncFile) bool { return other == f })
	return f.file.Close()
}
