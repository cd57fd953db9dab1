package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"
)

// loadCommand puts one server under load, for profiling.
func loadCommand(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	var r run
	target := flags.String("target", slug(kartotekName), "`program` to measure: "+strings.Join(targetSlugs(), ", "))
	flags.StringVar(&r.kind, "method", patch, "`kind` of request: GET or PATCH of random customers, "+searchByName+", "+searchByEmail+" or "+searchByPhone)
	flags.IntVar(&r.connections, "connections", defaultConnections, "`number` of connections")
	flags.IntVar(&r.customers, "customers", 100_000, "`number` of customers")
	flags.Float64Var(&r.rate, "rate", 0, "`requests` per second, with latencies from the due time; 0: no fixed rate")
	seconds := flags.Float64("seconds", 5, "`seconds` to measure, after a warm-up of a second")
	slow := flags.Bool("slow-disk", false, "delay each fsync by "+diskDelay.String()+" (needs strace)")
	dir := flags.String("dir", "", "`folder` to keep the stores in; empty: a temporary folder")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if r.target, err = targetBySlug(*target); err != nil {
		return err
	}
	var tracer []string
	if *slow {
		tracer = slowDisk()
	}
	work, err := newWorkspace(*dir)
	if err != nil {
		return err
	}
	l := newLab(work)
	defer func() { err = errors.Join(err, l.close()) }()
	measured, err := l.target(ctx, r.target, r.customers)
	if err != nil {
		return err
	}
	s, err := measured.start(ctx, tracer)
	if err != nil {
		return err
	}
	defer s.stop()
	logf("%s, process %d, serves %d customers; first response after %.2f s", s.URL, s.pid, s.customers, s.startUp.Seconds())
	set := settings{length: time.Duration(*seconds * float64(time.Second)), warmUp: time.Second}
	f, err := r.load(set, uint64(time.Now().Unix())).measure(ctx, s)
	if err != nil {
		return err
	}
	logf("%v", f)
	return nil
}

// loadTargets are the targets with a server.
var loadTargets = []string{kartotekName, onPostgres, pbFull, pbShipped, bareHTTP}

func targetSlugs() []string {
	var all []string
	for _, name := range loadTargets {
		all = append(all, slug(name))
	}
	return all
}

// slug returns a target's name for the command line, such as pocketbase-full.
func slug(name string) string {
	return strings.NewReplacer(" ", "-", "/", "-").Replace(strings.ToLower(name))
}

func targetBySlug(target string) (string, error) {
	n := slices.Index(targetSlugs(), target)
	if n < 0 {
		return "", fmt.Errorf("-target: unknown program %q; use one of %s", target, strings.Join(targetSlugs(), ", "))
	}
	return loadTargets[n], nil
}
