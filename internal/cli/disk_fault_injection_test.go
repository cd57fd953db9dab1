package cli_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"zombiezen.com/go/sqlite"
)

// onDisk returns a shell script that runs with a separate disk of this size at $DISK, and the
// directory $WORK outside it. It skips the test where mounting is not permitted.
func onDisk(t *testing.T, megabytes int, script string) (cmd *exec.Cmd, work string) {
	t.Helper()
	work = t.TempDir()
	disk := filepath.Join(work, "disk")
	if err := os.Mkdir(disk, 0o755); err != nil {
		t.Fatal(err)
	}
	command := func(script string) *exec.Cmd {
		mount := fmt.Sprintf(`mount -t tmpfs -o size=%dm kartotek "$DISK" || exit; `, megabytes)
		cmd := exec.CommandContext(t.Context(), "sh", "-c", mount+script)
		cmd.Env = append(os.Environ(), "WORK="+work, "DISK="+disk, "KARTOTEK_STORE=sqlite:"+disk+"/k.db", "KARTOTEK_TENANT=t")
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		if os.Getuid() != 0 {
			cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
		}
		return cmd
	}
	if out, err := command("exit 0").CombinedOutput(); err != nil {
		t.Skipf("cannot mount a disk: %v %s", err, out)
	}
	return command(script), work
}

// writeSeed writes the input files of the scripts.
func writeSeed(t *testing.T, work string) {
	t.Helper()
	var lines strings.Builder
	for n := 1; n <= crashCustomers; n++ {
		fmt.Fprintf(&lines, "{\"id\":%q,\"number\":%d,\"lastName\":\"N\"}\n", crashID(n), n)
	}
	for name, text := range map[string]string{"seed": lines.String(), "password": "sommerregn\n"} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// seedScript fills a store for a load.
const seedScript = `
kartotek customer import "$WORK/seed" &&
kartotek account create --login service --all <"$WORK/password" &&
kartotek key create --name load --scope customers:read,customers:write >"$WORK/key" &&
`

// fillDisk fills the disk of a process until empty is called.
func fillDisk(t *testing.T, pid int, disk string) (empty func()) {
	t.Helper()
	name := filepath.Join(fmt.Sprintf("/proc/%d/root", pid), disk, "fill")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFullDiskLosesNoAcknowledgedChange fills the disk under PATCHes through all contracts,
// frees it, and kills the server.
func TestFullDiskLosesNoAcknowledgedChange(t *testing.T) {
	t.Parallel()
	cmd, work := onDisk(t, 64, seedScript+`exec kartotek serve --listen 127.0.0.1:0 --rate 0`)
	writeSeed(t, work)
	url, err := startListening(cmd)
	if err != nil {
		t.Fatal(err)
	}
	clients := startLoad(t, url, work, 4)
	clients.await("applied", 20)
	empty := fillDisk(t, cmd.Process.Pid, filepath.Join(work, "disk"))
	clients.await("storage-full", 20)
	clients.wantReads()
	clients.wantReady("200  ready\n")
	empty()
	clients.await("applied", 20)
	clients.stop()
	t.Logf("%v, slowest response %v", clients.counts, clients.slowest)

	file := killAndCopyStore(t, cmd, filepath.Join(work, "disk"))
	checkStore(t, sqliteLocation(file), clients.acknowledged)
	for _, phone := range writtenPhones(t, file) {
		if clients.rejected[phone] {
			t.Errorf("rejected phone %s is in the history", phone)
		}
	}
	again, kill := startServer(t, "--store=sqlite:"+file)
	defer kill()
	clients = startLoad(t, again, work, 1)
	clients.await("applied", 1)
	clients.stop()
}

// TestCommandsFailOnFullDiskAndResume fills the disk at each step, and frees it again. "old.db"
// is a store whose customers are not indexed.
func TestCommandsFailOnFullDiskAndResume(t *testing.T) {
	t.Parallel()
	cmd, work := onDisk(t, 4, `
store() { export KARTOTEK_STORE="sqlite:$DISK/$1"; }
fill() { cat /dev/zero >"$DISK/fill" 2>/dev/null; }
leave() { fill; truncate -s -"$1" "$DISK/fill"; }
room() { rm "$DISK/fill"; }
run() { kartotek "$@" 2>&1; echo "= $?"; }

fill; run migrate; room
run migrate
leave 300K; run customer import "$WORK/many"; room
run customer import "$WORK/many"
run customer import "$WORK/many"
leave 36K; run key create --name k --scope admin; run account create --login kari --all <"$WORK/password"; room
run key list
run account list

cp "$DISK/k.db" "$WORK/new.db"
`)
	writeSeed(t, work)
	const customers = 1000
	writeLines(t, work, customers)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	wantOutput(t, string(out), `
kartotek: open .*/k.db: the disk is full: .*
= 1
the schema is up to date
= 0
(250 lines: 250|500 lines: 500|750 lines: 750) created, 0 updated, 0 unchanged, 0 rejected
kartotek: stopped before line [0-9]+1; run the command again to continue: storage-full: the disk is full: .*
= 1
1000 lines: [0-9]+ created, 0 updated, [0-9]+ unchanged, 0 rejected
= 0
1000 lines: 0 created, 0 updated, 1000 unchanged, 0 rejected
= 0
kartotek: write credential: storage-full: the disk is full: .*
= 1
kartotek: write credential: storage-full: the disk is full: .*
= 1
ID .*
= 0
ID +LOGIN .*
= 0
`)
	wantIndexed(t, filepath.Join(work, "new.db"), customers)
}

// writeLines writes an import of many customers.
func writeLines(t *testing.T, work string, customers int) {
	t.Helper()
	var lines strings.Builder
	for n := 1; n <= customers; n++ {
		fmt.Fprintf(&lines, "{\"number\":%d,\"lastName\":\"N%d\",\"email\":\"n%d@example.com\"}\n", n, n, n)
	}
	if err := os.WriteFile(filepath.Join(work, "many"), []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantIndexed checks that every customer has its terms: the name, the e-mail address and its domain.
func wantIndexed(t *testing.T, file string, customers int) {
	t.Helper()
	conn, err := sqlite.OpenConn(file, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	got := query(t, conn, `
		SELECT (SELECT count(*) FROM customers), (SELECT count(*) FROM terms), (SELECT count(DISTINCT number) FROM terms)`)
	if want := fmt.Sprintf("%d|%d|%d", customers, 3*customers, customers); got[0] != want {
		t.Errorf("customers, terms and indexed customers: got %s, want %s", got[0], want)
	}
	if got := query(t, conn, "PRAGMA integrity_check"); got[0] != "ok" {
		t.Errorf("integrity_check: got %q", got)
	}
}

// wantOutput compares each line of the output with a pattern.
func wantOutput(t *testing.T, got, want string) {
	t.Helper()
	lines, patterns := strings.Split(strings.TrimSpace(got), "\n"), strings.Split(strings.TrimSpace(want), "\n")
	for i, pattern := range patterns {
		if i >= len(lines) || !regexp.MustCompile("^"+pattern+"$").MatchString(lines[i]) {
			t.Fatalf("line %d: want %s of\n%s", i+1, pattern, got)
		}
	}
	if len(lines) > len(patterns) {
		t.Errorf("unexpected lines after the last pattern:\n%s", got)
	}
}

// TestReadOnlyStoreIsRejected opens a store on a read-only file and on a read-only disk.
func TestReadOnlyStoreIsRejected(t *testing.T) {
	t.Parallel()
	cmd, _ := onDisk(t, 4, `
run() { kartotek "$@" 2>&1; echo "= $?"; }
migrate_readonly() { mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && run migrate && umount "$1"; }

run migrate
migrate_readonly "$DISK/k.db" && migrate_readonly "$DISK" && run migrate
`)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	wantOutput(t, string(out), `
the schema is up to date
= 0
kartotek: open .*/k.db: the disk cannot be written: check that the file is writable: .*
= 1
kartotek: open .*/k.db: the disk cannot be written: .*
= 1
the schema is up to date
= 0
`)
}

// writtenPhones returns every phone in the history.
func writtenPhones(t *testing.T, file string) []string {
	t.Helper()
	conn, err := sqlite.OpenConn(file, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return query(t, conn, "SELECT fields ->> '$.phone[1]' FROM changes WHERE version > 1")
}

// killAndCopyStore kills the server and copies its store. The disk exists only as long as the
// server, so it opens the directory first.
func killAndCopyStore(t *testing.T, cmd *exec.Cmd, disk string) (file string) {
	t.Helper()
	left, err := os.OpenRoot(filepath.Join(fmt.Sprintf("/proc/%d/root", cmd.Process.Pid), disk))
	if err != nil {
		t.Fatal(err)
	}
	defer left.Close()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	to := t.TempDir()
	for _, name := range []string{"k.db", "k.db-wal"} {
		content, err := left.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(to, "k.db")
}
