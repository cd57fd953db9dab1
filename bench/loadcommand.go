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

// loadCommand runs one trial, for whoever wants to look at the server meanwhile.
func loadCommand(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	var t trial
	target := flags.String("target", slug(theKartotek), "what is measured: "+strings.Join(targets(), ", "))
	flags.StringVar(&t.kind, "method", patch, "GET or PATCH of random customers, "+searchByName+", "+searchByEmail+" or "+searchByPhone)
	flags.IntVar(&t.connections, "connections", many, "how many connections")
	flags.IntVar(&t.customers, "customers", 100_000, "how many customers")
	flags.Float64Var(&t.rate, "rate", 0, "requests a second, each counted from when it was due; 0: as many as are answered")
	seconds := flags.Float64("seconds", 5, "how long, after a warm-up of a second")
	slow := flags.Bool("slow-disk", false, "each fsync takes "+diskDelay.String()+" longer (needs strace)")
	dir := flags.String("dir", "", "the folder where stores are kept for the next time; none: made anew and removed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if t.subject, err = subjectOf(*target); err != nil {
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
	subject, err := l.subject(ctx, t.subject, t.customers)
	if err != nil {
		return err
	}
	s, err := subject.start(ctx, tracer)
	if err != nil {
		return err
	}
	defer s.stop()
	say("%s, process %d, serves %d customers; it answered after %.2f s", s.URL, s.pid, s.customers, s.startUp.Seconds())
	set := settings{length: time.Duration(*seconds * float64(time.Second)), warmUp: time.Second}
	f, err := t.load(set, uint64(time.Now().Unix())).measure(ctx, s)
	if err != nil {
		return err
	}
	say("%v", f)
	return nil
}

// servers are the subjects that load can run on.
var servers = []string{theKartotek, onPostgres, pbFull, pbShipped, bareHTTP}

func targets() []string {
	var all []string
	for _, name := range servers {
		all = append(all, slug(name))
	}
	return all
}

// slug is a subject's name as it is typed: pocketbase-full.
func slug(name string) string {
	return strings.NewReplacer(" ", "-", "/", "-").Replace(strings.ToLower(name))
}

func subjectOf(target string) (string, error) {
	n := slices.Index(targets(), target)
	if n < 0 {
		return "", fmt.Errorf("-target: there is no %q; want one of %s", target, strings.Join(targets(), ", "))
	}
	return servers[n], nil
}
