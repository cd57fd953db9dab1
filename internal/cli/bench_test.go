package cli_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

// BenchmarkPatch measures PATCHes through contract elw by 64 clients over loopback, to a server
// in a separate process:
//
//	go test ./internal/cli -run '^$' -bench Patch -benchtime 5s
func BenchmarkPatch(b *testing.B) {
	const customers, clients = 10_000, 64
	store := "--store=sqlite:" + filepath.Join(b.TempDir(), "k.db")
	var lines strings.Builder
	for n := 1; n <= customers; n++ {
		fmt.Fprintf(&lines, "{\"number\":%d,\"lastName\":\"N\"}\n", n)
	}
	runCommand(b, lines.String(), "customer", "import", store, "--tenant", "t", "-")
	runCommand(b, "sommerregn\n", "account", "create", store, "--tenant", "t", "--login", "service", "--all")
	program, err := exec.LookPath("kartotek")
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), program, "serve", store, "--listen", "127.0.0.1:0",
		"--rate", "1000000", "--rate-burst", "1000000000") // limits are active but never reached
	url, err := startListening(cmd)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have exited
		_ = cmd.Wait()
	})

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	var sent atomic.Int64
	b.SetParallelism(max(1, clients/runtime.GOMAXPROCS(0)))
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := int(sent.Add(1))
			if !patchPhone(b, client, url, 1+n%customers, fmt.Sprintf("%d", 10_000_000+n)) {
				b.Error("a PATCH got no response")
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "patches/s")
}
