package main

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// workspace is the folder for programs, stores and logs.
type workspace struct {
	dir       string
	temporary bool // removed at the end
}

// newWorkspace returns the folder dir, or a temporary one when dir is empty.
func newWorkspace(dir string) (workspace, error) {
	if dir != "" {
		return workspace{dir: dir}, errors.Join(os.MkdirAll(dir, 0o700), allowTraversal(dir))
	}
	dir, err := os.MkdirTemp("", "kartotek-bench-")
	return workspace{dir: dir, temporary: true}, errors.Join(err, allowTraversal(dir))
}

// allowTraversal lets other users reach subfolders: PostgreSQL runs as another user when this
// process is root.
func allowTraversal(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	return os.Chmod(dir, info.Mode().Perm()|0o011)
}

func (w workspace) close() error {
	if !w.temporary {
		return nil
	}
	return os.RemoveAll(w.dir)
}

// logf writes a line of progress.
func logf(format string, args ...any) {
	fmt.Printf(time.Now().Format("15:04:05 ")+format+"\n", args...)
}
