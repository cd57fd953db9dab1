package main

import (
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
		return workspace{dir: dir}, os.MkdirAll(dir, 0o700)
	}
	dir, err := os.MkdirTemp("", "kartotek-bench-")
	return workspace{dir: dir, removed: true}, err
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
