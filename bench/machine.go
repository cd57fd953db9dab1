package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// machine describes the machine and the commit of the benchmark.
type machine struct {
	cpu    string
	cores  int
	memory int64 // bytes
	kernel string
	fsync  time.Duration // median for 4 kB
	commit string
}

func inspectMachine(ctx context.Context, dir string) (machine, error) {
	m := machine{cores: runtime.NumCPU(), cpu: cpuModel(), commit: commit(ctx)}
	memory, errMemory := kilobytes("/proc/meminfo", "MemTotal:")
	kernel, errKernel := os.ReadFile("/proc/sys/kernel/osrelease")
	fsync, errFsync := fsyncTime(dir)
	m.memory, m.kernel, m.fsync = memory, strings.TrimSpace(string(kernel)), fsync
	return m, errors.Join(errMemory, errKernel, errFsync)
}

func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH // some processors have no model name
}

// commit returns git's description of the working tree.
func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// fsyncTime returns the median time to append 4 kB to a file durably.
func fsyncTime(dir string) (time.Duration, error) {
	f, err := os.CreateTemp(dir, "fsync-")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	block := make([]byte, 4096)
	var took []time.Duration
	for range 200 {
		began := time.Now()
		if _, err := f.Write(block); err != nil {
			return 0, err
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return 0, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// versions lists Go, the database libraries of the programs, and PostgreSQL.
func (l *lab) versions() ([]string, error) {
	modules := []string{"github.com/pocketbase/pocketbase", "modernc.org/sqlite", "zombiezen.com/go/sqlite"}
	all := []string{runtime.Version()}
	for _, program := range l.programs {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return nil, err
		}
		for _, dep := range info.Deps {
			if slices.Contains(modules, dep.Path) {
				all = append(all, fmt.Sprintf("%s: %s %s", filepath.Base(program), dep.Path, dep.Version))
			}
		}
	}
	slices.Sort(all)
	if l.cluster != nil {
		all = append(all, l.cluster.settings)
	}
	return all, nil
}
