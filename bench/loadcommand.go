package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

// loadCommand measures one load on one server, for whoever wants to look at the
// server meanwhile.
func loadCommand(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	target := flags.String("target", "kartotek", "what is measured: kartotek")
	method := flags.String("method", http.MethodPatch, "GET or PATCH, of random customers")
	connections := flags.Int("connections", 64, "how many connections")
	rate := flags.Float64("rate", 0, "requests a second, counted from the moment each was due; 0: as fast as the server answers")
	customers := flags.Int("customers", 100_000, "how many customers")
	seconds := flags.Float64("seconds", 5, "how long")
	dir := flags.String("dir", "", "the folder where the store is kept for the next time; none: made anew and removed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	work, err := newWorkspace(*dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, work.close()) }()
	if *target != "kartotek" {
		return fmt.Errorf("-target: no such server: %s", *target)
	}
	program, err := buildKartotek(ctx, work.dir)
	if err != nil {
		return err
	}
	k, err := openKartotek(ctx, program, work.dir, *customers)
	if err != nil {
		return err
	}
	s, err := k.start(ctx, nil, filepath.Join(work.dir, "kartotek.log"))
	if err != nil {
		return err
	}
	defer s.stop()
	say("%s, process %d, serves %d customers; it answered after %.2f s", s.URL, s.pid, s.customers, s.startUp.Seconds())
	l := load{
		kind:        kind{name: *method, method: strings.ToUpper(*method)},
		connections: *connections,
		rate:        *rate,
		warmUp:      time.Second,
		length:      time.Duration(*seconds * float64(time.Second)),
		seed:        1,
	}
	f, err := l.measure(ctx, s)
	if err != nil {
		return err
	}
	say("%v", f)
	return nil
}
