package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// pauseBetweenRuns lets the servers finish background work.
const pauseBetweenRuns = 300 * time.Millisecond

// runCommand measures every row and writes the report.
func runCommand(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	repetitions := flags.Int("repetitions", 5, "`number` of repetitions of each run")
	seconds := flags.Float64("seconds", 10, "`seconds` of each run, after a warm-up of a fifth of it")
	customers := flags.Int("customers", 100_000, "`number` of customers")
	large := flags.Int("large", 10_000_000, "`number` of customers of the large store; 0: skip it")
	dir := flags.String("dir", "", "`folder` to keep the stores in; empty: a temporary folder")
	out := flags.String("out", "results.md", "`file` for the report")
	only := flags.String("rows", "", "measure only rows with names that match this `pattern`, and write no report")
	if err := flags.Parse(args); err != nil {
		return err
	}
	wanted, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("-rows: %w", err)
	}
	length := time.Duration(*seconds * float64(time.Second))
	set := settings{repetitions: *repetitions, length: length, warmUp: length / 5, pause: pauseBetweenRuns}
	if err := set.check(); err != nil {
		return err
	}
	phases := []phase{competitors(*customers), ordinaryDisk(*customers)}
	if *large > 0 {
		phases = append(phases, growth(*customers, *large))
	}
	phases = append(phases, postgreSQL(*customers))
	if *only != "" {
		phases = matching(phases, wanted)
	}
	if len(phases) == 0 {
		return fmt.Errorf("-rows: no row matches %q", *only)
	}
	r := report{
		command: strings.TrimSpace("go run . run " + strings.Join(args, " ")),
		began:   time.Now(),
		set:     set,
	}
	if err := r.measure(ctx, *dir, phases); err != nil {
		return err
	}
	fmt.Print(r.goals())
	if *only != "" {
		return nil
	}
	return os.WriteFile(*out, []byte(r.String()), 0o644)
}

// smokeCommand measures small stores for a short time, and fails when a row is far below its
// goal.
func smokeCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("smoke", flag.ContinueOnError)
	dir := flags.String("dir", "", "`folder` to keep the stores in; empty: a temporary folder")
	if err := flags.Parse(args); err != nil {
		return err
	}
	const customers, fewer = 20_000, 5_000 // fewer on PostgreSQL, which imports them each time
	r := report{set: settings{repetitions: 3, length: time.Second, warmUp: pauseBetweenRuns, pause: pauseBetweenRuns}}
	everything := regexp.MustCompile("")
	phases := []phase{competitors(customers), ordinaryDisk(customers), postgreSQL(fewer)}
	err := r.measure(ctx, *dir, matching(phases, everything))
	if err != nil {
		return err
	}
	fmt.Print(r.goals())
	return r.checkSmoke()
}

// checkSmoke returns an error that lists the rows beyond their smoke limit.
func (r report) checkSmoke() error {
	var errs []error
	for _, o := range r.results {
		for _, row := range o.phase.rows {
			if v := row.result(o.samples); !row.meets(v, row.smokeLimit()) {
				errs = append(errs, fmt.Errorf("%s: %s, want %s even in a smoke test", row.name, row.unit.format(v), row.formatLimit(row.smokeLimit())))
			}
		}
	}
	return errors.Join(errs...)
}

func (s settings) check() error {
	if s.repetitions < 1 || s.length <= 0 {
		return errors.New("-repetitions and -seconds: must be more than 0")
	}
	return nil
}

// matching returns the phases with the rows that match, and only the runs of these rows.
func matching(phases []phase, name *regexp.Regexp) []phase {
	var kept []phase
	for _, ph := range phases {
		ph.extra, ph.fsyncRuns, ph.paced = nil, nil, nil
		ph.rows = slices.DeleteFunc(ph.rows, func(r row) bool { return !name.MatchString(r.name) })
		if len(ph.rows) > 0 {
			kept = append(kept, ph)
		}
	}
	return kept
}

// measure executes the phases one by one.
func (r *report) measure(ctx context.Context, dir string, phases []phase) (err error) {
	work, err := newWorkspace(dir)
	if err != nil {
		return err
	}
	l := newLab(work)
	defer func() { err = errors.Join(err, l.close()) }()
	if r.machine, err = inspectMachine(ctx, work.dir); err != nil {
		return err
	}
	for _, ph := range phases {
		if ph.requires != nil {
			if err := ph.requires(ctx); err != nil {
				logf("skipped %s: %v", ph.title, err)
				r.skipped = append(r.skipped, ph.title+" ("+ph.skipReason+")")
				continue
			}
		}
		o, err := ph.execute(ctx, l, r.set)
		if err != nil {
			return err
		}
		r.results = append(r.results, o)
	}
	r.duration = time.Since(r.began)
	r.stores = l.stores
	r.versions, err = l.versions()
	return err
}
