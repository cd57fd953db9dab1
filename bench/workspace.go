package main

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// workspace is the folder where programs, stores and logs are.
type workspace struct {
	dir     string
	removed bool // in the end
}

// newWorkspace returns the folder dir, or without one a folder for this run alone.
func newWorkspace(dir string) (workspace, error) {
	if dir != "" {
		return workspace{dir: dir}, errors.Join(os.MkdirAll(dir, 0o700), passable(dir))
	}
	dir, err := os.MkdirTemp("", "kartotek-bench-")
	return workspace{dir: dir, removed: true}, errors.Join(err, passable(dir))
}

// passable lets others through the folder, to what is theirs in it: PostgreSQL does
// not run as root, and so is another user where we are.
func passable(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	return os.Chmod(dir, info.Mode().Perm()|0o011)
}

func (w workspace) close() error {
	if !w.removed {
		return nil
	}
	return os.RemoveAll(w.dir)
}

// say tells people who watch what goes on.
func say(format string, args ...any) {
	fmt.Printf(time.Now().Format("15:04:05 ")+format+"\n", args...)
}
