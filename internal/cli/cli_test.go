package cli_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"kartotek/internal/cli"
)

// TestMain lets scripts, and tests that kill the server, run the program as a separate
// process.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"kartotek": func() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
		"flood":    flood,
	})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": serveCommand,
			"http":  httpCommand,
			"keep":  keepCommand,
		},
	})
}

// serveCommand starts "kartotek ARGS…" on a free port, waits until it listens, and stops it at
// the end of the script. It sets $URL to the base URL.
func serveCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("unsupported: ! serve")
	}
	program, err := exec.LookPath("kartotek")
	ts.Check(err)
	cmd := exec.Command(program, append(args, "--listen", "127.0.0.1:0")...)
	cmd.Dir = ts.Getenv("WORK")
	cmd.Env = []string{"HOME=" + ts.Getenv("HOME"), "PATH=" + ts.Getenv("PATH"), "TMPDIR=" + ts.Getenv("TMPDIR")}
	stdout, err := os.Create(ts.MkAbs("served.stdout"))
	ts.Check(err)
	cmd.Stdout = stdout
	url, err := startListening(cmd)
	ts.Check(err)
	ts.Setenv("URL", url)
	ts.Defer(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			ts.Logf("stop the server: %v", err)
		}
		if err := cmd.Wait(); err != nil {
			ts.Logf("the server exited: %v", err)
		}
		stdout.Close()
	})
}

var listening = regexp.MustCompile(`"msg":"listening","url":"([^"]+)"`)

// startListening starts a server and returns its base URL once it listens.
func startListening(cmd *exec.Cmd) (string, error) {
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	timeout := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() }) // which ends the loop below
	defer timeout.Stop()
	var log strings.Builder
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		log.WriteString(lines.Text() + "\n")
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			go io.Copy(io.Discard, stderr) // ends with the server
			return m[1], nil
		}
	}
	return "", fmt.Errorf("the server did not start to listen:\n%s", log.String())
}

// httpCommand is "http METHOD PATH CREDENTIAL [BODY]". It sends a request to $URL and writes the
// response to standard output, status line first. The credential is a value for the
// Authorization header, login:password, or "-" for none. X-Forwarded-For is $FORWARDED, if set.
func httpCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: http METHOD PATH CREDENTIAL [BODY]")
	}
	req, err := http.NewRequest(args[0], ts.Getenv("URL")+args[1], strings.NewReader(strings.Join(args[3:], " ")))
	ts.Check(err)
	if login, password, ok := strings.Cut(args[2], ":"); ok {
		req.SetBasicAuth(login, password)
	} else if args[2] != "-" {
		req.Header.Set("Authorization", args[2])
	}
	if from := ts.Getenv("FORWARDED"); from != "" {
		req.Header.Set("X-Forwarded-For", from)
	}
	if len(args) > 3 {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	_, err = ts.Stdout().Write([]byte(resp.Status + "\n" + string(body) + "\n"))
	ts.Check(err)
}

// keepCommand is "keep NAME PATTERN". It sets the environment variable to the first match in
// the last standard output.
func keepCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep NAME PATTERN")
	}
	found := regexp.MustCompile(args[1]).FindString(ts.ReadFile("stdout"))
	if found == "" {
		ts.Fatalf("no match for %s in the output", args[1])
	}
	ts.Setenv(args[0], found)
}
