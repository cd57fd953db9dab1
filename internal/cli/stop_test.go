package cli_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestServerDrainsAfterSIGTERM stops servers by signals, the way that an orchestrator and a person at
// a terminal do.
func TestServerDrainsAfterSIGTERM(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		drain    string
		signals  []os.Signal
		min, max time.Duration
	}{
		"SIGTERM":                 {"1500ms", []os.Signal{syscall.SIGTERM}, 1500 * time.Millisecond, 20 * time.Second},
		"SIGTERM and another one": {"1m", []os.Signal{syscall.SIGTERM, syscall.SIGTERM}, 0, 20 * time.Second},
		"SIGTERM and SIGINT":      {"1m", []os.Signal{syscall.SIGTERM, os.Interrupt}, 0, 20 * time.Second},
		"SIGTERM without a drain": {"0", []os.Signal{syscall.SIGTERM}, 0, 20 * time.Second},
		"SIGINT":                  {"1m", []os.Signal{os.Interrupt}, 0, 20 * time.Second},
		"SIGHUP and SIGTERM":      {"0", []os.Signal{syscall.SIGHUP, syscall.SIGTERM}, 0, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program, err := exec.LookPath("kartotek")
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), program, "serve", "--store=sqlite:"+filepath.Join(t.TempDir(), "k.db"), "--listen=127.0.0.1:0", "--drain="+tt.drain)
			url, err := startListening(cmd)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			for i, signal := range tt.signals {
				if err := cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				if signal == syscall.SIGTERM && i == 0 && tt.drain != "0" {
					awaitStatus(t, url+"/readyz", http.StatusServiceUnavailable)
					awaitStatus(t, url+"/healthz", http.StatusOK)
				}
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("the server exited with %v", err)
			}
			if took := time.Since(began); took < tt.min || took > tt.max {
				t.Errorf("the server stopped after %v, want %v to %v", took, tt.min, tt.max)
			}
		})
	}
}
