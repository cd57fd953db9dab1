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

// rest is how long the servers have to finish what a load has left them.
const rest = 300 * time.Millisecond

// runCommand measures every row, and writes the report.
func runCommand(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	repetitions := flags.Int("repetitions", 5, "how often each trial is run; the rows tell medians")
	seconds := flags.Float64("seconds", 10, "how long each trial is, after a warm-up of a fifth of it")
	customers := flags.Int("customers", 100_000, "how many customers Kartotek and its peers have")
	large := flags.Int("large", 10_000_000, "how many customers Kartotek has to grow to; 0: it does not grow")
	dir := flags.String("dir", "", "the folder where stores are kept for the next run; none: made anew and removed")
	out := flags.String("out", "results.md", "the report's file")
	only := flags.String("rows", "", "measure only the rows whose names match, and write no report")
	if err := flags.Parse(args); err != nil {
		return err
	}
	wanted, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("-rows: %w", err)
	}
	length := time.Duration(*seconds * float64(time.Second))
	set := settings{repetitions: *repetitions, length: length, warmUp: length / 5, rest: rest}
	if err := set.check(); err != nil {
		return err
	}
	stages := []stage{peers(*customers), ordinaryDisk(*customers)}
	if *large > 0 {
		stages = append(stages, growth(*customers, *large))
	}
	stages = append(stages, postgreSQL(*customers))
	if *only != "" {
		stages = matching(stages, wanted)
	}
	if len(stages) == 0 {
		return fmt.Errorf("-rows: no row has a name like %q", *only)
	}
	r := report{
		command: strings.TrimSpace("go run . run " + strings.Join(args, " ")),
		began:   time.Now(),
		set:     set,
	}
	if err := r.measure(ctx, *dir, stages); err != nil {
		return err
	}
	fmt.Print(r.targets())
	if *only != "" {
		return nil
	}
	return os.WriteFile(*out, []byte(r.String()), 0o644)
}

// smokeCommand measures what a short run can, and fails when a row is far from
// what it must be.
func smokeCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("smoke", flag.ContinueOnError)
	dir := flags.String("dir", "", "the folder where stores are kept for the next run; none: made anew and removed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	const customers, fewer = 20_000, 5_000 // which PostgreSQL has to import each time
	r := report{set: settings{repetitions: 3, length: time.Second, warmUp: rest, rest: rest}}
	everything := regexp.MustCompile("")
	stages := []stage{peers(customers), ordinaryDisk(customers), postgreSQL(fewer)}
	err := r.measure(ctx, *dir, matching(stages, everything))
	if err != nil {
		return err
	}
	fmt.Print(r.targets())
	return r.farOff()
}

// farOff names the rows that a short run does not forgive.
func (r report) farOff() error {
	var wrong []error
	for _, o := range r.outcomes {
		for _, row := range o.stage.rows {
			if v := row.result(o.samples); !row.meets(v, row.slack()) {
				wrong = append(wrong, fmt.Errorf("%s: %s, want %s even in a short run", row.name, row.unit.format(v), row.limit(row.slack())))
			}
		}
	}
	return errors.Join(wrong...)
}

func (s settings) check() error {
	if s.repetitions < 1 || s.length <= 0 {
		return errors.New("-repetitions and -seconds: want more than 0")
	}
	return nil
}

// matching are the stages with those rows only whose names match, and with no
// trials but theirs.
func matching(stages []stage, name *regexp.Regexp) []stage {
	var kept []stage
	for _, st := range stages {
		st.also, st.counted, st.paced = nil, nil, nil
		st.rows = slices.DeleteFunc(st.rows, func(r row) bool { return !name.MatchString(r.name) })
		if len(st.rows) > 0 {
			kept = append(kept, st)
		}
	}
	return kept
}

// measure runs the stages one after the other.
func (r *report) measure(ctx context.Context, dir string, stages []stage) (err error) {
	work, err := newWorkspace(dir)
	if err != nil {
		return err
	}
	l := newLab(work)
	defer func() { err = errors.Join(err, l.close()) }()
	if r.machine, err = lookAtMachine(ctx, work.dir); err != nil {
		return err
	}
	for _, st := range stages {
		if st.needs != nil {
			if err := st.needs(ctx); err != nil {
				say("%s is left out: %v", st.title, err)
				r.leftOut = append(r.leftOut, st.title+", since "+st.missing)
				continue
			}
		}
		o, err := st.run(ctx, l, r.set)
		if err != nil {
			return err
		}
		r.outcomes = append(r.outcomes, o)
	}
	r.took = time.Since(r.began)
	r.stores = l.stores
	r.versions, err = l.versions()
	return err
}
