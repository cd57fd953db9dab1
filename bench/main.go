// Command bench compares Kartotek with its competitors and with upper bounds. Each server is a
// separate process, HTTP goes over loopback, and the runs of all targets are interleaved.
//
// Read phases.go for what is compared, benchmark.go for the whole benchmark, load.go for the
// load, and target.go for the measured programs.
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

  load   put one server under load and print the figures
  run    measure every row of the table of goals and write results.md
  smoke  measure most rows for a minute and fail when one is far below its goal

Run a command with -h for its flags.
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

// command runs the command in args. When it returns, it has stopped every process and removed
// every temporary file.
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
