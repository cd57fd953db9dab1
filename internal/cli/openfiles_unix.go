//go:build unix

package cli

import "syscall"

// maxOpenFiles is the number of files and connections that the process may have open, or 0 when it is
// not known.
func maxOpenFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(limit.Cur, 1<<20))
}
