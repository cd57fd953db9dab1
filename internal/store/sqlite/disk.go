package sqlite

import (
	"os"
	"slices"
	"sync"
)

// disk waits until what SQLite has written to the file is on the disk. SQLite does
// so as well, but only at the end of a checkpoint, while the writer waits; what is
// on the disk by then, it need not wait for.
//
// POSIX drops all locks that a process holds on a file when any of its descriptors
// is closed, SQLite's among them. So the stores that have a file open share one
// descriptor, and the last to close it comes after its connections.
type disk struct {
	file *os.File
	info os.FileInfo
	used int // by so many stores
}

var disks struct {
	sync.Mutex
	open []*disk
}

func openDisk(path string) (*disk, error) {
	disks.Lock()
	defer disks.Unlock()
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	for _, d := range disks.open {
		if os.SameFile(d.info, info) {
			d.used++
			return d, nil
		}
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	d := &disk{file, info, 1}
	disks.open = append(disks.open, d)
	return d, nil
}

// wait returns when all that was written before is on the disk.
func (d *disk) wait() error { return d.file.Sync() }

// close is called when the store's connections are closed.
func (d *disk) close() error {
	disks.Lock()
	defer disks.Unlock()
	if d.used--; d.used > 0 {
		return nil
	}
	disks.open = slices.DeleteFunc(disks.open, func(other *disk) bool { return other == d })
	return d.file.Close()
}
