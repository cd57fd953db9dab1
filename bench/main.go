// Command bench measures Kartotek beside its peers and its limits: over HTTP on
// loopback, each server a process of its own, in runs that take turns.
//
// Read rows.go for what is compared, run.go for how a run goes, load.go for the
// load, subject.go for what a server has to do to be measured.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage: go run . COMMAND [FLAGS]

  load   put one server under load, and print what was measured
  run    measure every row of the table of targets, and write results.md
  smoke  measure some of them for a minute, and fail when one is far off

Each command tells its flags with -h.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := command(ctx, os.Args[1:])
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// command runs the command that args name. Whatever it started has ended, and
// what it made for itself is removed, when it returns.
func command(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "load":
			return loadCommand(ctx, args[1:])
		case "run":
			return runCommand(ctx, args[1:])
		case "smoke":
			return smokeCommand(ctx, args[1:])
		}
	}
	fmt.Fprint(os.Stderr, usage)
	return flag.ErrHelp
}
