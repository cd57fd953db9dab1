//go:build unix

package samples_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// tool is how the test runs the samples of one language. Its commands are shell
// commands, run in the directory of the sample; $TESTDATA is the folder testdata,
// $CACHE a folder that is kept between runs.
type tool struct {
	file    string // name of the sample's file
	version string // prints the installed version; fails if the tool is missing
	install string // command that installs it
	check   string // compiles or parses the sample
	run     string // empty for a language that is only parsed
	send    bool   // send the request as an editor's HTTP client does, instead of running it
}

// everyday are the samples that every "make test" runs. The others need toolchains that
// few machines have; "make test-samples" runs them, once a night.
var everyday = []string{"curl", "Go", "HTTP", "Java", "JavaScript · fetch", "Node.js", "Python · requests"}

// tools are those of each sample, by its label.
var tools = map[string]tool{
	"C# · HttpClient": {
		file:    "Sample.cs",
		version: "mcs --version && mono --version | sed -n '1s/ (.*//p'",
		install: "apt-get install mono-mcs libmono-system-net-http4.0-cil",
		check:   "mcs -warnaserror -main:Entry -r:System.Net.Http.dll Sample.cs $TESTDATA/Entry.cs",
		run:     "mono Sample.exe",
	},
	"C# · RestSharp": {
		file:    "Sample.cs",
		version: "mcs --version",
		install: "apt-get install mono-mcs",
		check:   "mcs --parse Sample.cs",
	},
	"curl": {
		file:    "sample.sh",
		version: "curl --version | sed -n '1s/ (.*//p'",
		install: "apt-get install curl",
		run:     "sh sample.sh",
	},
	"Dart · http": parsed("dart"),
	"Go": {
		file:    "sample.go",
		version: "go version",
		install: "Go",
		check:   "go build sample.go",
		run:     "./sample",
	},
	"HTTP": {
		version: "echo the test itself, as editors do",
		send:    true,
	},
	"Java": {
		file:    "Sample.java",
		version: "javac --version",
		install: "apt-get install default-jdk-headless",
		check:   "javac -J-XX:TieredStopAtLevel=1 Sample.java",
		run:     "java Sample",
	},
	"JavaScript · fetch": {
		file:    "sample.mjs",
		version: "printf 'Node.js ' && node --version",
		install: "apt-get install nodejs",
		run:     "node sample.mjs",
	},
	"Kotlin": {
		file:    "Sample.kt",
		version: "kotlinc -version 2>&1 | sed -n 's/^info: //p'",
		install: "apt-get install kotlin",
		check:   "JAVA_OPTS=-XX:TieredStopAtLevel=1 kotlinc Sample.kt -include-runtime -d sample.jar",
		run:     "java -jar sample.jar",
	},
	"C · libcurl": {
		file:    "sample.c",
		version: "cc --version | sed -n 1p && curl-config --version",
		install: "apt-get install gcc libcurl4-openssl-dev",
		check:   "cc -Wall -Wextra -Werror -o sample sample.c -lcurl",
		run:     "./sample",
	},
	"Node.js": {
		file:    "sample.mjs",
		version: "printf 'Node.js ' && node --version",
		install: "apt-get install nodejs",
		run:     "node sample.mjs",
	},
	"Objective-C": parsed("objc"),
	"OCaml · Cohttp": {
		file:    "sample.ml",
		version: "printf 'OCaml ' && ocamlopt -version && ocamlfind query -format 'cohttp %v' cohttp-lwt-unix",
		install: "apt-get install ocaml-nox ocaml-findlib libcohttp-lwt-unix-ocaml-dev",
		check:   "ocamlfind ocamlopt -thread -package cohttp-lwt-unix -linkpkg -o sample sample.ml",
		run:     "./sample",
	},
	"PHP · cURL": {
		file:    "sample.php",
		version: `php -r 'echo "PHP ", PHP_VERSION, "\n", "curl ", curl_version()["version"], "\n";'`,
		install: "apt-get install php-cli php-curl",
		run:     "php sample.php",
	},
	"PowerShell": parsed("powershell"),
	"Python · requests": {
		file:    "sample.py",
		version: `python3 -c 'import platform, requests; print("Python", platform.python_version()); print("requests", requests.__version__)'`,
		install: "apt-get install python3-requests",
		run:     "python3 sample.py",
	},
	"R · httr2": {
		file:    "sample.R",
		version: `Rscript -e 'cat("R ", format(getRversion()), "\n", "httr2 ", format(packageVersion("httr2")), "\n", sep = "")'`,
		install: "apt-get install r-base-core r-cran-httr2",
		run:     "Rscript sample.R",
	},
	"Ruby": {
		file:    "sample.rb",
		version: "ruby -e 'puts \"Ruby \" + RUBY_VERSION'",
		install: "apt-get install ruby",
		run:     "ruby -w sample.rb",
	},
	"Rust · reqwest": {
		file:    "main.rs",
		version: "rustc --version && cargo fetch --quiet --offline --locked --manifest-path $TESTDATA/rust/Cargo.toml",
		install: "cargo fetch --locked --manifest-path internal/portal/samples/testdata/rust/Cargo.toml",
		check:   "cp -r $TESTDATA/rust/. . && mv main.rs src && cargo build --quiet --offline --locked --target-dir $CACHE/rust && cp $CACHE/rust/debug/sample .",
		run:     "./sample",
	},
	"Shell · wget": {
		file:    "sample.sh",
		version: "wget --version | sed -n '1s/ built.*//p'",
		install: "apt-get install wget",
		run:     "sh sample.sh",
	},
	"Swift": parsed("swift"),
}

// parsed is the tool of a language whose compiler is in no registry that CI reaches,
// but whose parser is.
func parsed(language string) tool {
	return tool{
		file:    "sample",
		version: `python3 -c 'from importlib.metadata import version as v; import tree_sitter_language_pack as p; print(p.__name__.replace("_", "-"), v(p.__name__))'`,
		install: "pip install -r internal/portal/samples/testdata/requirements.txt",
		check:   "python3 $TESTDATA/parse.py " + language + " sample",
	}
}

// way is how the sample is tested, in the words of docs/samples.md.
func (how tool) way() string {
	if how.run == "" && !how.send {
		return "parsed"
	}
	return "run"
}

// target is the make target that tests the sample.
func target(label string) string {
	if slices.Contains(everyday, label) {
		return "make test"
	}
	return "make test-samples"
}

// TestToolsAreInstalled lists the samples that cannot be tested on this machine; "make
// test" prints them.
func TestToolsAreInstalled(t *testing.T) {
	t.Parallel()
	for label, tool := range tools {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			tool.need(t, label)
		})
	}
}

// need returns the installed version on one line. It skips the test if a tool is
// missing and KARTOTEK_TEST_ALL is not set, and a sample that is not everyday unless
// KARTOTEK_TEST_SAMPLES is "all".
func (how tool) need(t *testing.T, label string) string {
	t.Helper()
	all := os.Getenv("KARTOTEK_TEST_SAMPLES") == "all" || updating()
	if !all && !slices.Contains(everyday, label) {
		t.Skip("make test-samples runs this sample")
	}
	once, _ := probes.LoadOrStore(how.version, sync.OnceValues(func() (string, error) {
		stdout, stderr, err := command(t, t.TempDir(), how.version, nil)
		if err != nil {
			err = fmt.Errorf("%s: %w\n%s", how.version, err, stderr)
		}
		return strings.ReplaceAll(strings.TrimSpace(stdout), "\n", ", "), err
	}))
	version, err := once.(func() (string, error))()
	switch {
	case err == nil:
	case os.Getenv("KARTOTEK_TEST_ALL") != "" || all:
		t.Fatalf("needs %s: %v", how.install, err)
	default:
		t.Skipf("skipped: the code sample in %s, which is %s after %s", label, how.way(), how.install)
	}
	return version
}

// probes has the output of each version command, which runs once.
var probes sync.Map

// program runs a sample with the variables of env.
type program func(env map[string]string) (stdout, stderr string, err error)

// build compiles the sample. It returns nil for a sample that is only parsed.
func (how tool) build(t *testing.T, source string) program {
	t.Helper()
	if how.send {
		return func(env map[string]string) (string, string, error) { return sendHTTP(source, env) }
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, how.file), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if stdout, stderr, err := command(t, dir, how.check, nil); err != nil {
		t.Fatalf("%s: %v\n%s%s\nin:\n%s", how.check, err, stdout, stderr, source)
	}
	if how.run == "" {
		return nil
	}
	return func(env map[string]string) (string, string, error) { return command(t, dir, how.run, env) }
}

// command runs a shell command in dir.
func command(t *testing.T, dir, line string, env map[string]string) (stdout, stderr string, err error) {
	t.Helper()
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if deadline, ok := t.Deadline(); ok {
		limited, cancel := context.WithDeadline(ctx, deadline.Add(-10*time.Second)) // leaves time to report the sample
		defer cancel()
		ctx = limited
	}
	cmd := exec.CommandContext(ctx, "bash", "-eo", "pipefail", "-c", line)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // the whole process group
	cmd.Dir = dir
	cmd.Env = append(withoutProxies(os.Environ()), "LC_ALL=C.UTF-8", "TESTDATA="+testdata, "CACHE="+filepath.Join(cache, "kartotek-samples"))
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err = cmd.Run()
	return out.String(), errOut.String(), errors.Join(err, ctx.Err())
}

// withoutProxies returns env without the variables that name a proxy.
func withoutProxies(env []string) []string {
	var direct []string
	for _, variable := range env {
		if name, _, _ := strings.Cut(variable, "="); !strings.HasSuffix(strings.ToLower(name), "_proxy") {
			direct = append(direct, variable)
		}
	}
	return direct
}
